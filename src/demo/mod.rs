//! A throw-away PostgreSQL with a workload and two sinks, to see the whole watch work.

use clap::Args;

/// How the demo runs.
#[derive(Args)]
pub struct Options {
    /// Leave when everything has been shown, instead of waiting for Ctrl-C
    #[arg(long)]
    exit: bool,
}

/// Shows it all, and cleans up.
///
/// # Errors
/// No PostgreSQL is installed, or it cannot be started.
pub async fn run(_options: Options) -> anyhow::Result<()> {
    todo!()
}
