//! `pgvigil backup runbook`: what to do when the server is lost, with what is known now filled in.

use std::io;
use std::process::ExitCode;

use super::near::UNJUDGED;
use super::status::look;
use crate::backup::GUIDES;
use crate::config::Config;

pub(in crate::cli) fn run(config: &Config) -> io::Result<ExitCode> {
    let [disaster, ..] = GUIDES;
    let mut account = look(config, false);
    account.unjudged = Some(format!("As looked at from here: {UNJUDGED}"));
    let text = disaster.filled(&account);
    super::super::stdout::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
