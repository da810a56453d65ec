//! `pgvigil backup`: looks at backup files by hand.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use crate::backup;

/// What to do with backups.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Read each file to its end and say whether it is whole, without a server
    Verify {
        /// Dumps: plain, custom, tar or directory format, in any compression; also in a bucket, as `s3://bucket/name`, with
        /// keys from the environment
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
}

pub(super) fn run(action: &Action) -> io::Result<ExitCode> {
    let Action::Verify { paths } = action;
    let mut all_whole = true;
    for path in paths {
        let verdict = match path.to_str().filter(|path| path.contains("://")) {
            Some(address) => backup::verify_in_bucket(address).map_err(io::Error::other)?,
            None => backup::verify(path),
        };
        all_whole &= verdict.problem.is_none() && !verdict.is_provisional;
        write!(
            io::stdout(),
            "{}: {}",
            path.display(),
            backup::report(&verdict)
        )?;
    }
    Ok(super::verdict(all_whole))
}
