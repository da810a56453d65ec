//! `pgvigil backup`: looks at backups, and keeps what people attest about them.

mod attest;
mod near;
mod runbook;
mod status;
mod table;
mod told;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::drill;
use crate::backup::{self, Proof, Verdict};
use crate::config::Flags;

/// What to do with backups.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Read each backup to its end and say whether it is whole, without a server
    ///
    /// Exit code 0 when all are whole, 1 when one is bad, 2 when there is nothing to read, or whether one is whole cannot
    /// be known.
    Verify {
        /// Dumps (plain, custom, tar or directory format, in any compression) and base backups, or folders of them; also in
        /// a bucket, as `s3://bucket/name`, with keys from the environment
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Restore the newest backup of a source into a throw-away cluster here, and say what that proved
    ///
    /// No monitored server is spoken to. Exit codes: 0 restored, 1 not, 2 it could not be tried.
    Drill(drill::Options),
    /// Print what to do when the server is lost, with the newest backups and the times of the last drill
    ///
    /// It is Markdown, the same page as `/runbooks/DisasterRecovery`. Every source is looked at now, as far as it answers.
    Runbook,
    /// Say how the backups of every source, its drills and the checklist stand
    ///
    /// Where a pgvigil runs with this configuration, it is asked: at `listen`, with `web.token` and trusting the certificate
    /// of `web.tls`; $PGVIGIL_URL and $PGVIGIL_TOKEN go before that. It alone sees what the server says it has archived, the
    /// recovery objective, another cluster, backups that vanished, and alerts: each of them is bad here, too. Where none
    /// answers, or with `--here`, every source is looked at now, and one line says what that cannot judge. Such a look
    /// writes nothing, and takes over what a pgvigil has read already.
    ///
    /// Exit code 0 when all is well, 1 when something is bad, 2 when that cannot be told; also 2 when $PGVIGIL_URL is set and
    /// the one there cannot be asked.
    Status(status::Options),
    /// Say that a line of the checklist was done
    ///
    /// It counts until the line is due again. What pgvigil proves by itself goes before it, and what it sees to be
    /// otherwise afterwards, too; what is seen to be otherwise now is refused, with the reason. The lines: `pgvigil backup status` shows their names.
    Attest(attest::Options),
}

pub(super) fn run(flags: &Flags, action: Action) -> io::Result<ExitCode> {
    match action {
        Action::Verify { paths } => verify(&paths),
        Action::Drill(options) => super::with_config(flags, |config| drill::run(config, options)),
        Action::Runbook => super::loaded(flags, |config| runbook::run(&config)),
        Action::Status(options) => super::loaded(flags, |config| status::run(&config, &options)),
        Action::Attest(options) => super::loaded(flags, |config| attest::run(&config, &options)),
    }
}

/// How the backups that were named stand, the gravest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Whole,
    Unknown,
    Bad,
}

impl Standing {
    fn of(verdict: &Verdict) -> Standing {
        if verdict.problem.is_some() {
            Standing::Bad
        } else if verdict.is_provisional || verdict.proof < Proof::Whole {
            Standing::Unknown
        } else {
            Standing::Whole
        }
    }
}

fn verify(paths: &[PathBuf]) -> io::Result<ExitCode> {
    let mut worst = Standing::Whole;
    let mut out = io::stdout();
    for path in paths {
        let named = match backup::named(path) {
            Ok(named) => named,
            Err(words) => {
                worst = worst.max(Standing::Unknown);
                writeln!(out, "{}: not verified: {words}", path.display())?;
                continue;
            }
        };
        if named.iter().all(|backup| backup.is_partial) {
            worst = worst.max(Standing::Unknown);
        }
        for backup in &named {
            let title = &backup.title;
            if backup.is_partial {
                let words = "its name says that it is still being written";
                writeln!(out, "{title}: not verified: {words}")?;
                continue;
            }
            let verdict = backup.verify();
            worst = worst.max(Standing::of(&verdict));
            write!(out, "{title}: {}", backup::report(&verdict))?;
        }
    }
    Ok(match worst {
        Standing::Whole => ExitCode::SUCCESS,
        Standing::Bad => ExitCode::from(1),
        Standing::Unknown => ExitCode::from(2),
    })
}
