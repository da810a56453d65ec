//! `pgvigil demo`: everything at work on a throw-away PostgreSQL.

use std::process::ExitCode;

use crate::demo;

pub(super) use crate::demo::Options;

pub(super) async fn run(options: Options) -> ExitCode {
    match demo::run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::cannot_run(&error),
    }
}
