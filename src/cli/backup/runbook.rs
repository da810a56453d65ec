//! `pgvigil backup runbook`: what to do when the server is lost, with what is known now filled in.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use crate::backup::{Account, Archive, GUIDES, Records, survey};
use crate::config::{Config, Flags, load};
use crate::sample::Timestamp;

pub(in crate::cli) fn run(flags: &Flags) -> io::Result<ExitCode> {
    let config = match load(flags) {
        Ok(config) => config,
        Err(problems) => return Ok(super::super::refuse(&problems)),
    };
    let [disaster, ..] = GUIDES;
    io::stdout().write_all(disaster.filled(&look(&config)).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Each source on a thread of its own: in a disaster one of them is gone, and must not hold up the others.
fn look(config: &Config) -> Account {
    let records = Arc::new(Records::default());
    std::thread::scope(|scope| {
        for settings in &config.backups {
            let records = &records;
            scope.spawn(move || records.put(survey(settings, &config.state_dir, false)));
        }
    });
    Archive::new(records, &config.state_dir).account(None, Timestamp::now())
}
