//! `pgvigil backup status`: how all stands, as the pgvigil that runs knows it, or as one look shows.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::near::{UNJUDGED, ask};
use super::table;
use super::told::Told;
use crate::backup::drill::{self, Kept};
use crate::backup::{
    Account, Archive, Facts, Record, Records, Reports, Watched, compare_copies, survey,
};
use crate::cli::client::Client;
use crate::cli::query::is_coloured;
use crate::config::Config;
use crate::sample::Timestamp;

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// All that is known as JSON, as `/api/backups` has it
    #[arg(long)]
    json: bool,
    /// Look at every source from here, whether a pgvigil runs or not
    #[arg(long)]
    here: bool,
    /// From here, do not read the newest backup of a source to its end where no pgvigil has read it yet
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
    let (mut json, told) = match account(config, options.here, !options.no_read) {
        Ok(account) => account,
        Err(error) => return Ok(crate::cli::cannot_run(&error.into())),
    };
    let kept = drill::kept(&config.drills, &config.state_dir);
    let text = if options.json {
        json["kept"] = kept.iter().map(left).collect();
        format!("{json:#}\n")
    } else {
        table::text(&told, &kept, is_coloured())
    };
    super::super::stdout::print(&text)?;
    let is_done = !options.strict || !told.checklist.iter().any(|line| line.is_open());
    // Whoever names a pgvigil means to hear that one.
    let is_deaf = told.unjudged.is_some() && !options.here && Client::is_named();
    Ok(match told.standing.as_str() {
        "good" if is_deaf => ExitCode::from(2),
        "good" if is_done => ExitCode::SUCCESS,
        "unknown" if is_done => ExitCode::from(2),
        _ => ExitCode::from(1),
    })
}

/// What a drill has left, of which only this machine knows.
fn left(kept: &Kept) -> Value {
    json!({
        "path": kept.path.display().to_string(),
        "bytes": kept.bytes,
        "since": kept.since.rfc3339(),
    })
}

/// What the pgvigil of this configuration knows; where none answers, or nobody is to be asked, what a look from here
/// shows, with what that cannot judge.
///
/// # Errors
/// What is known cannot be told.
pub(super) fn account(
    config: &Config,
    here: bool,
    reads: bool,
) -> serde_json::Result<(Value, Told)> {
    let why = match here {
        true => "looked at from here alone".to_owned(),
        // An answer that this version does not understand is one of another.
        false => match ask(config, &unseen(config)) {
            Ok(json) => match Told::deserialize(&json) {
                Ok(told) => return Ok((json, told)),
                Err(_) => "the pgvigil that runs is of another version".to_owned(),
            },
            Err(why) => why,
        },
    };
    let mut account = look(config, reads);
    account.unjudged = Some(format!("{why}: {UNJUDGED}"));
    let json = account.json();
    let told = Told::deserialize(&json)?;
    Ok((json, told))
}

/// The account of this configuration before anybody has looked, as it comes over the wire.
fn unseen(config: &Config) -> Value {
    let records = Arc::new(Records::default());
    for settings in &config.backups {
        records.put(Record {
            settings: settings.clone(),
            facts: Facts::default(),
        });
    }
    let account = archive(records, config).account(Watched::default(), Timestamp::now());
    serde_json::from_str(&account.json().to_string()).unwrap_or_default()
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
    let now = Timestamp::now();
    compare_copies(&records, now);
    archive(records, config).account(Watched::default(), now)
}

fn archive(records: Arc<Records>, config: &Config) -> Archive {
    Archive::new(records, Reports::new(&config.state_dir), &config.state_dir)
}
