//! `pgvigil notify`: tries the receivers, and tells what they refused.

mod dead;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Subcommand;

use crate::app;
use crate::config::{Config, Flags};
use crate::notify;
use crate::rules::RuleSet;

/// What to do with the receivers.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Send a firing and a resolved message to each receiver and say what happened
    Test,
    /// List what was refused for good, and whether it was told since
    Dead(dead::Options),
}

pub(super) fn run(flags: &Flags, action: Action) -> io::Result<ExitCode> {
    match action {
        Action::Test => super::with_config(flags, test),
        Action::Dead(options) => super::in_runtime(dead::run(flags, &options)),
    }
}

async fn test(config: Config) -> io::Result<ExitCode> {
    if config.notify.receivers.is_empty() {
        eprintln!("error: no receivers are configured");
        eprintln!("  hint: write `notify.receivers`, or set PGVIGIL_SMTP_URL and PGVIGIL_EMAIL_TO");
        return Ok(ExitCode::from(2));
    }
    let context = app::messages(&config, &RuleSet::default(), None);
    let (mut out, mut all_taken) = (io::stdout(), true);
    for outcome in notify::test(&config.notify, &context).await {
        all_taken &= outcome.error.is_none();
        let result = outcome
            .error
            .as_deref()
            .unwrap_or("both messages were taken");
        writeln!(out, "{} ({}): {result}", outcome.receiver, outcome.address)?;
        for line in &outcome.dialogue {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(super::verdict(all_taken))
}
