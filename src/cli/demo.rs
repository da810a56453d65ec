//! `pgvigil demo`: everything at work on a throw-away PostgreSQL.

use std::process::ExitCode;

use crate::demo;

pub(super) use crate::demo::Options;

pub(super) async fn run(options: Options, listen: Option<String>) -> ExitCode {
    match demo::run(Options { listen, ..options }).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::cannot_run(&error),
    }
}
