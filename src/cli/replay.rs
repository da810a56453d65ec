//! `pgvigil replay`: which notifications the stored history would have sent under these rules and this policy.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::query::{harmless, moment, written};
use crate::app::{Replay, Replayed};
use crate::config::Config;
use crate::document::{Problem, format_duration};
use crate::notify::Rehearsal;
use crate::rules::{self, Group};
use crate::sample::Timestamp;
use crate::store::{SnapshotError, Store};

/// What is replayed, and how the answer is shown.
#[derive(Args)]
pub(super) struct Options {
    /// From when on messages are shown: seconds since 1970, `2026-01-31T12:00:00Z`, a local `2026-01-31 12:00`, or a time
    /// ago such as `-1h`; default all there is
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// Until when; default the end of the history
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Evaluate the rules of this file, and no others; may be given several times
    #[arg(long, value_name = "FILE")]
    rules: Vec<String>,
    /// The history: a snapshot of pgvigil's store; default that in the state directory
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// `table`: for people; `json`: for programs
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// The times between which messages are shown.
struct Span {
    from: Timestamp,
    to: Timestamp,
}

/// Exit code 1 when a rule had no result.
pub(super) async fn run(config: Config, options: Options) -> io::Result<ExitCode> {
    let groups = match groups(&config, &options.rules) {
        Ok(groups) => groups,
        Err(problems) => return Ok(super::refuse(&problems)),
    };
    let default = || config.state_dir.join("snapshot");
    let path = options.snapshot.clone().unwrap_or_else(default);
    let opened =
        Store::open_snapshot(&path).map_err(|error| none_yet(error, config.snapshots.interval));
    let opened = opened.with_context(|| format!("cannot use the snapshot `{}`", path.display()));
    let read = opened.and_then(|(store, taken)| Ok((store, span(&options, taken)?)));
    let (store, span) = match read {
        Ok(read) => read,
        Err(error) => return Ok(super::cannot_run(&error)),
    };
    let rehearsal = Rehearsal::of(&config.notify);
    let replay = Replay {
        groups: &groups,
        rehearsal: &rehearsal,
        external_labels: &config.external_labels,
        external_url: &config.external_url,
    };
    let replayed = tokio::task::block_in_place(|| replay.run(&store, span.from, span.to));
    for (rule, cause) in &replayed.failed {
        let (group, name) = (&rule.group, &rule.rule);
        eprintln!("warning: rule `{name}` of group `{group}` had no result: {cause}");
    }
    for push in rehearsal.pushes() {
        eprintln!(
            "note: `{push}` is an Alertmanager, which gets every alert and decides for itself"
        );
    }
    let text = match options.format {
        Format::Table => table(&replayed),
        Format::Json => json(&replayed, &span),
    };
    super::stdout::print(&text)?;
    Ok(super::verdict(replayed.failed.is_empty()))
}

/// There is no snapshot.
#[derive(Debug, thiserror::Error)]
#[error("there is none")]
pub(super) struct NoSnapshot {
    interval: Option<Duration>,
}

impl NoSnapshot {
    /// The way to one.
    pub(super) fn hint(&self) -> String {
        let first = self.interval.map(|interval| {
            let interval = format_duration(interval);
            format!("the first one {interval} after its start, and ")
        });
        let first = first.unwrap_or_default();
        format!("`pgvigil serve` writes {first}one when it stops")
    }
}

fn none_yet(error: SnapshotError, interval: Option<Duration>) -> anyhow::Error {
    match error {
        SnapshotError::Unreadable(cause) if cause.kind() == io::ErrorKind::NotFound => {
            NoSnapshot { interval }.into()
        }
        error => error.into(),
    }
}

/// The rules in force, or those of the files that are named.
fn groups(config: &Config, files: &[String]) -> Result<Vec<Group>, Vec<Problem>> {
    if files.is_empty() {
        return rules::load(&config.rules).map(|set| set.groups);
    }
    let settings = rules::Settings {
        interval: config.rules.interval,
        files: files.to_vec(),
        disable: Vec::new(),
        overrides: Vec::new(),
    };
    let embedded = |group: &Group| group.file.starts_with("default/");
    let mut groups = rules::load(&settings)?.groups;
    groups.retain(|group| !embedded(group));
    Ok(groups)
}

fn span(options: &Options, taken: Timestamp) -> anyhow::Result<Span> {
    let read = |text: &Option<String>, default| {
        let text = text.as_deref();
        text.map_or(Ok(default), |text| moment(text, taken))
            .map_err(anyhow::Error::msg)
    };
    let span = Span {
        from: read(&options.from, Timestamp(i64::MIN))?,
        to: read(&options.to, taken)?.min(taken),
    };
    anyhow::ensure!(
        span.from <= span.to,
        "`--from` is later than `--to` or than the history"
    );
    Ok(span)
}

/// A line per incident and message.
fn table(replayed: &Replayed) -> String {
    let head = ["time", "receiver", "what", "incident", "alert", "summary"].map(str::to_owned);
    let mut rows = vec![head];
    for message in &replayed.told {
        for line in &message.lines {
            let (alert, annotations) = (&line.alert.labels, &line.alert.annotations);
            let severity = alert.get("severity");
            let place = alert.get("instance");
            let on = if place.is_empty() {
                String::new()
            } else {
                format!(" on {place}")
            };
            let kind = if severity.is_empty() {
                String::new()
            } else {
                format!(" ({severity})")
            };
            rows.push([
                written(message.at),
                message.address.clone(),
                line.reason.to_owned(),
                line.incident.clone(),
                harmless(&format!("{}{on}{kind}", alert.get("alertname"))),
                harmless(annotations.get("summary").map_or("", String::as_str)),
            ]);
        }
    }
    let lines: usize = rows.len() - 1;
    let messages = replayed.told.len();
    let totals = format!(
        "{messages} messages of {lines} lines; {} incidents opened; {} evaluations\n",
        replayed.incidents, replayed.evaluations
    );
    if lines == 0 {
        return format!("nobody would have been told anything\n{totals}");
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..6).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect::<String>() + "\n" + &totals
}

fn json(replayed: &Replayed, span: &Span) -> String {
    let messages = replayed.told.iter().map(|message| {
        let lines = message.lines.iter().map(|line| {
            let pairs = line.alert.labels.iter();
            let labels: serde_json::Map<_, _> = pairs
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            json!({
                "incident": line.incident,
                "reason": line.reason,
                "labels": labels,
                "annotations": line.alert.annotations,
                "startsAt": line.alert.fired_at.map(Timestamp::rfc3339),
                "endsAt": line.alert.resolved_at.map(Timestamp::rfc3339),
            })
        });
        json!({
            "at": message.at.rfc3339(),
            "receiver": message.address,
            "incidents": lines.collect::<Vec<_>>(),
        })
    });
    let failed = replayed.failed.iter().map(|(rule, cause)| {
        json!({"file": *rule.file, "group": *rule.group, "rule": *rule.rule, "error": cause})
    });
    let from = (span.from != Timestamp(i64::MIN)).then(|| span.from.rfc3339());
    let whole = json!({
        "from": from,
        "to": span.to.rfc3339(),
        "messages": messages.collect::<Vec<_>>(),
        "incidents": replayed.incidents,
        "evaluations": replayed.evaluations,
        "failed": failed.collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}
