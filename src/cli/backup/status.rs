//! `pgvigil backup status`: looks at every source, and says how all stands.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::table;
use crate::backup::{Account, Archive, Records, survey};
use crate::cli::query::is_coloured;
use crate::config::Config;
use crate::sample::Timestamp;

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// All that is known as JSON, as `/api/backups` has it
    #[arg(long)]
    json: bool,
    /// Do not read the newest backup of a source to its end where no pgvigil has read it yet
    #[arg(long)]
    no_read: bool,
    /// A line of the checklist that is not ticked is bad, too
    #[arg(long)]
    strict: bool,
}

pub(in crate::cli) fn run(config: &Config, options: &Options) -> io::Result<ExitCode> {
    if config.backups.is_empty() {
        eprintln!("error: no backup is configured");
        eprintln!(
            "  hint: `backups: [{{name: nightly, files: /backups/*.dump}}]` tells where they should be"
        );
        return Ok(ExitCode::from(2));
    }
    let account = look(config, !options.no_read);
    let text = if options.json {
        format!("{:#}\n", account.json())
    } else {
        table::text(&account, is_coloured())
    };
    super::super::stdout::print(&text)?;
    let is_ticked = account.is_ticked() || !options.strict;
    Ok(match account.is_good() {
        Some(true) if is_ticked => ExitCode::SUCCESS,
        None if is_ticked => ExitCode::from(2),
        _ => ExitCode::from(1),
    })
}

/// Each source on a thread of its own: one may be slow, and need not hold up the others.
pub(super) fn look(config: &Config, reads: bool) -> Account {
    let records = Arc::new(Records::default());
    std::thread::scope(|scope| {
        for settings in &config.backups {
            let records = &records;
            scope.spawn(move || records.put(survey(settings, &config.state_dir, reads)));
        }
    });
    // Whether a standby streams is for the watch to see.
    Archive::new(records, &config.state_dir).account(None, Timestamp::now())
}
