//! What to do when a backup is needed: pages of `docs/backups`, of which that for disasters is filled with what is known.
//! Takes an [`Account`]; hands on Markdown. Names and messages of others are shown as they are, never as markup.

use std::fmt::Write;
use std::time::Duration;

use super::checklist::Brief;
use super::{Account, Backup, Kind, Outcome, Proof, Report};
use crate::sample::Timestamp;
use crate::words;

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guide {
    /// Its name below `/runbooks`.
    pub name: &'static str,
    /// Its file, to which the others link.
    pub file: &'static str,
    /// Its Markdown, before anything is filled in.
    pub text: &'static str,
}

/// The pages, the one for disasters first.
pub const GUIDES: [Guide; 3] = [
    Guide {
        name: "DisasterRecovery",
        file: "disaster-recovery.md",
        text: include_str!("../../docs/backups/disaster-recovery.md"),
    },
    Guide {
        name: "Restoring",
        file: "restore.md",
        text: include_str!("../../docs/backups/restore.md"),
    },
    Guide {
        name: "PointInTimeRecovery",
        file: "point-in-time.md",
        text: include_str!("../../docs/backups/point-in-time.md"),
    },
];

/// What is between them stands for what nobody has measured.
const OPEN: &str = "<!-- measured -->\n";
const CLOSE: &str = "<!-- /measured -->\n";

impl Guide {
    /// Its Markdown with what is known in its place.
    pub fn filled(&self, account: &Account) -> String {
        let parts = self
            .text
            .split_once(OPEN)
            .and_then(|(before, rest)| Some((before, rest.split_once(CLOSE)?.1)));
        match parts {
            Some((before, after)) => format!("{before}{}{after}", measured(account)),
            None => self.text.to_owned(),
        }
    }
}

fn measured(account: &Account) -> String {
    if account.sources.is_empty() {
        return "No backup is configured in pgvigil, so nothing is known of one.\n".into();
    }
    let mut text = format!("As of {}:\n", clock(account.now));
    if let Some(unjudged) = &account.unjudged {
        let _ = writeln!(text, "\n{}", prose(unjudged));
    }
    for source in &account.sources {
        let drills: Vec<&Report> = account
            .reports
            .iter()
            .filter(|report| report.source == source.record.settings.name)
            .collect();
        let settings = &source.record.settings;
        let place = code(&settings.place.title());
        let _ = writeln!(text, "\n### {}\n\n- Where: {place}", code(&settings.name));
        if let Some(wal) = &settings.wal {
            let place = code(&wal.shelf().title());
            let _ = writeln!(text, "- Its WAL archive: {place}");
        }
        for line in [newest(source, account.now), reach(source, account.now)]
            .into_iter()
            .chain(recovery(&settings.name, &drills, account.now))
            .chain(
                source
                    .problems
                    .iter()
                    .chain(&source.doubts)
                    .map(|words| format!("Beware: {}", prose(words))),
            )
        {
            let _ = writeln!(text, "- {line}");
        }
    }
    text
}

fn newest(source: &Brief, now: Timestamp) -> String {
    let Some(newest) = &source.newest else {
        return "**No usable backup is known here.**".into();
    };
    let size = words::bytes(newest.bytes as f64);
    format!(
        "Newest usable backup: {}, {size}, finished {}; it {}",
        code(&newest.id),
        when(newest.moment(), now),
        proof(newest)
    )
}

fn proof(backup: &Backup) -> &'static str {
    match backup.proof {
        Proof::Restored => "was restored in a drill",
        Proof::Summed => "was read to its end, and its checksums are right",
        Proof::Whole => "was read to its end",
        Proof::Opened => "begins as a backup does, and was not read to its end",
        Proof::Listed => "is there, and nobody has read it",
    }
}

fn reach(source: &Brief, now: Timestamp) -> String {
    let is_dump = source
        .newest
        .as_ref()
        .is_some_and(|newest| newest.kind == Kind::Dump);
    match source.recovery_point {
        None => "The moment to which it leads back is not known".into(),
        Some(point) if is_dump => format!(
            "Leads back to {} at the latest, for a dump is of the moment when it began; what was written since is not in it",
            when(point, now)
        ),
        Some(point) => format!(
            "Leads back to {}; what was written since is not in it",
            when(point, now)
        ),
    }
}

/// The last drill that succeeded has the times; one that failed since is a warning.
fn recovery(source: &str, drills: &[&Report], now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    match drills.iter().find(|report| report.is_good()) {
        None => lines.push(format!(
            "How long a restore takes was never measured; {} measures it",
            code(&format!("pgvigil backup drill {source}"))
        )),
        Some(report) => lines.push(measured_by(report, now)),
    }
    if let Some(last) = drills.first() {
        let (how, why) = match &last.outcome {
            Outcome::Restored => return lines,
            Outcome::Failed(why) => ("**failed**", why),
            Outcome::Impossible(why) => ("could not be tried", why),
        };
        let when = when(last.finished, now);
        lines.push(format!("The last drill, {when}, {how}: {}", code(why)));
    }
    lines
}

fn measured_by(report: &Report, now: Timestamp) -> String {
    let total = report.recovery_time().as_secs_f64();
    let phases: Vec<String> = report
        .phases
        .iter()
        .map(|(phase, seconds)| format!("{} {}", phase.label(), words::seconds(*seconds)))
        .collect();
    let mut text = format!(
        "Restoring took **{}** in the drill of {} ({}), of {}: {} restored",
        words::seconds(total),
        when(report.finished, now),
        phases.join(", "),
        code(&report.backup),
        words::bytes(report.restored_bytes as f64),
    );
    if total > 0.0 {
        let speed = words::bytes(report.restored_bytes as f64 / total);
        let _ = write!(text, ", {speed} a second");
    }
    if let Some(major) = report.major {
        let _ = write!(text, ", with PostgreSQL {major}");
    }
    text
}

fn when(at: Timestamp, now: Timestamp) -> String {
    let ago = now.since(at);
    if ago < Duration::from_secs(60) {
        clock(at)
    } else {
        format!("{}, {} ago", clock(at), words::span(ago))
    }
}

/// With its date, for what is printed is read on another day.
fn clock(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{} {} UTC", &text[..10], &text[11..16])
}

/// A name or a message as it is: in a span of code nothing is markup.
fn code(text: &str) -> String {
    let plain = text.chars().map(|c| match c {
        '`' => '\'',
        c if c.is_control() => ' ',
        c => c,
    });
    format!("`{}`", plain.collect::<String>().trim())
}

/// What could begin markup within a line.
const MARKUP: &str = "\\*_~[]<>#|&!$";

/// A sentence with names in spans of code: what is outside of them is no markup either.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return code(text);
    }
    let mut written = String::new();
    for (place, part) in parts.into_iter().enumerate() {
        if place % 2 == 1 {
            written.push_str(&code(part));
            continue;
        }
        for c in part.chars() {
            if MARKUP.contains(c) {
                written.push('\\');
            }
            written.push(if c.is_control() { ' ' } else { c });
        }
    }
    written
}

#[cfg(test)]
mod tests;
