//! `pgvigil backup`: looks at backup files by hand.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::drill;
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
    /// Restore the newest backup of a source into a throw-away cluster here, and say what that proved
    ///
    /// No monitored server is spoken to. Exit codes: 0 restored, 1 not, 2 it could not be tried.
    Drill(drill::Options),
}

pub(super) fn run(flags: &Flags, action: Action) -> io::Result<ExitCode> {
    match action {
        Action::Verify { paths } => verify(&paths),
        Action::Drill(options) => super::with_config(flags, |config| drill::run(config, options)),
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
