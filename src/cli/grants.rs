//! `pgvigil grants`: the SQL for a least-privilege role.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;

use crate::{collectors, server};

/// What the printed SQL is made for.
#[derive(Args)]
pub(super) struct Options {
    /// The role's name
    #[arg(default_value = "pgvigil")]
    role: String,
    /// The server's major version; without it, what needs a newer one is printed as a comment
    #[arg(long, value_name = "MAJOR")]
    major: Option<u32>,
}

pub(super) fn run(options: &Options) -> io::Result<ExitCode> {
    let sql = server::grants(&options.role, options.major);
    let further = collectors::further_grants(&options.role);
    write!(io::stdout(), "{sql}{further}")?;
    Ok(ExitCode::SUCCESS)
}
