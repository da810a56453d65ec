//! `pgvigil backup`: looks at backup files by hand.

mod runbook;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use crate::backup;
use crate::config::Flags;

/// What to do with backups.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Read each file to its end and say whether it is whole, without a server
    Verify {
        /// Dumps: plain, custom, tar or directory format, in any compression
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Print what to do when the server is lost, with the newest backups and the times of the last drill
    ///
    /// It is Markdown, the same page as `/runbooks/DisasterRecovery`. Every source is looked at now, as far as it answers.
    Runbook,
}

pub(super) fn run(flags: &Flags, action: &Action) -> io::Result<ExitCode> {
    match action {
        Action::Verify { paths } => verify(paths),
        Action::Runbook => runbook::run(flags),
    }
}

fn verify(paths: &[PathBuf]) -> io::Result<ExitCode> {
    let mut all_whole = true;
    for path in paths {
        let verdict = backup::verify(path);
        all_whole &= verdict.problem.is_none();
        write!(
            io::stdout(),
            "{}: {}",
            path.display(),
            backup::report(&verdict)
        )?;
    }
    Ok(super::verdict(all_whole))
}
