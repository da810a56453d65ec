//! An account as JSON, for `/api/backups` and `pgvigil backup status`.

use serde_json::{Value, json};

use super::Account;
use crate::backup::checklist::{Brief, Line, Standing};
use crate::backup::{
    Backup, Chain, Firing, Kind, Lag, Log, Origin, Record, Report, Settings, State,
};
use crate::sample::Timestamp;

/// More backups of a source are not listed; they are counted.
const LISTED: usize = 500;

impl Account {
    /// The same as JSON: moments as RFC 3339 in UTC, spans in seconds, sizes in bytes.
    pub fn json(&self) -> Value {
        json!({
            "at": self.now.rfc3339(),
            "standing": standing(self.is_good()),
            "sources": self.sources.iter().map(source).collect::<Vec<_>>(),
            "drills": self.reports.iter().map(drill).collect::<Vec<_>>(),
            "checklist": self.checklist.iter().map(line).collect::<Vec<_>>(),
            "alerts": self.alerts.iter().map(alert).collect::<Vec<_>>(),
            "complaint": self.complaint,
            "seen_by": if self.unjudged.is_none() { "watch" } else { "hand" },
            "unjudged": self.unjudged,
        })
    }
}

fn standing(is_good: Option<bool>) -> &'static str {
    match is_good {
        Some(true) => "good",
        Some(false) => "bad",
        None => "unknown",
    }
}

fn source(brief: &Brief) -> Value {
    let Record { settings, facts } = &*brief.record;
    let sighting = facts.sighting.as_ref();
    let mut backups: Vec<&Backup> = sighting
        .iter()
        .flat_map(|sighting| &sighting.backups)
        .collect();
    backups.sort_by_key(|backup| std::cmp::Reverse(backup.finished));
    let newest = brief.newest.as_ref();
    json!({
        "name": settings.name,
        "server": settings.server,
        "place": settings.place.title(),
        "promises": promises(settings),
        "standing": standing(brief.is_good()),
        "problems": brief.problems,
        "doubts": brief.doubts,
        "looked": facts.looked.map(Timestamp::rfc3339),
        "took_seconds": facts.took.as_secs_f64(),
        "obstacle": facts.obstacle.as_ref().map(ToString::to_string),
        "recovery_point": brief.recovery_point.map(Timestamp::rfc3339),
        "recovery": lag(&brief.lag),
        "newest": newest.map(|backup| &backup.id),
        "newest_moment": newest.map(|backup| backup.moment().rfc3339()),
        "newest_bytes": newest.map(|backup| backup.bytes),
        "newest_proof": newest.map(|backup| backup.proof.label()),
        "stored_bytes": sighting.map(|_| facts.stored()),
        "free_bytes": sighting.and_then(|sighting| sighting.space).map(|space| space.free),
        "count": sighting.map(|_| backups.len()),
        "backups": backups.into_iter().take(LISTED).map(backup).collect::<Vec<_>>(),
        "wal": facts.chain.as_ref().map(wal),
        "log": facts.log.as_ref().map(log),
    })
}

fn wal(chain: &Chain) -> Value {
    json!({
        "segments": chain.segments,
        "newest": chain.newest.map(|newest| newest.name(chain.segment_bytes)),
        "last_arrival": chain.last_arrival.map(Timestamp::rfc3339),
        "missing_segments": chain.missing_segments(),
        "first_missing": chain.missing.first().map(|gap| gap.first().name(chain.segment_bytes)),
        "short_segments": chain.short.len(),
    })
}

fn lag(lag: &Lag) -> Value {
    json!({
        "wal_behind_segments": lag.behind_segments,
        "least_age_seconds": lag.least_age.map(|age| age.as_secs_f64()),
        "objective_seconds": lag.objective.map(|objective| objective.as_secs_f64()),
    })
}

fn alert(alert: &Firing) -> Value {
    json!({
        "name": alert.name,
        "severity": alert.severity,
        "about": alert.about,
        "summary": alert.summary,
        "since": alert.since.rfc3339(),
    })
}

fn promises(settings: &Settings) -> Value {
    json!({
        "every_seconds": settings.every.as_secs_f64(),
        "full_every_seconds": settings.full_every.map(|span| span.as_secs_f64()),
        "grace_seconds": settings.grace.as_secs_f64(),
        "keep_seconds": settings.keep.map(|span| span.as_secs_f64()),
        "rpo_seconds": settings.rpo.map(|span| span.as_secs_f64()),
        "copy_of": settings.copy_of,
        "offsite": settings.offsite,
        "media": settings.media,
    })
}

fn backup(backup: &Backup) -> Value {
    let state = if backup.state == State::Unread {
        "unread"
    } else {
        backup.state.label()
    };
    let origin = backup.origin.as_ref().map(|origin| match origin {
        Origin::Cluster(identifier) => json!({"system_identifier": identifier.to_string()}),
        Origin::Database(name) => json!({"database": name}),
    });
    json!({
        "name": backup.id,
        "kind": backup.kind.label(),
        "state": state,
        "proof": backup.proof.label(),
        "started": backup.started.map(Timestamp::rfc3339),
        "finished": backup.finished.rfc3339(),
        "took_seconds": backup.took.map(|took| took.as_secs_f64()),
        "bytes": backup.bytes,
        "parent": backup.parent,
        "origin": origin,
        "repository": backup.repository,
        "storage_class": backup.storage.class,
        "encrypted": backup.storage.is_encrypted,
        "problem": backup.problem,
    })
}

fn log(log: &Log) -> Value {
    let errors = log
        .errors
        .iter()
        .map(|error| json!({"at": error.at.rfc3339(), "text": error.text}));
    json!({
        "read": log.read.map(Timestamp::rfc3339),
        "obstacle": log.obstacle,
        "errors": errors.collect::<Vec<_>>(),
    })
}

/// A report of a drill, as the account has it and `pgvigil backup drill --json` prints it.
pub(in crate::backup) fn drill(report: &Report) -> Value {
    let checks = report.checks.iter();
    let checks =
        checks.map(|check| json!({"name": check.name, "holds": check.holds, "found": check.found}));
    let phases = report
        .phases
        .iter()
        .map(|(phase, seconds)| (phase.label().to_owned(), json!(seconds)));
    json!({
        "source": report.source,
        "backup": report.backup,
        "kind": report.kind.map(Kind::label),
        "started": report.started.rfc3339(),
        "finished": report.finished.rfc3339(),
        "outcome": report.outcome,
        "recovery_point": report.recovery_point.map(Timestamp::rfc3339),
        "target": report.target.map(Timestamp::rfc3339),
        "recovery_seconds": report.recovery_time().as_secs_f64(),
        "phases_seconds": Value::Object(phases.collect()),
        "restored_bytes": report.restored_bytes,
        "data_age_seconds": report.data_age,
        "checks": checks.collect::<Vec<_>>(),
        "major": report.major,
        "alone": report.is_alone,
    })
}

fn line(line: &Line) -> Value {
    let by = match &line.standing {
        Standing::Attested { by } => Some(by),
        _ => None,
    };
    json!({
        "line": line.key,
        "group": line.rhythm.title(),
        "title": line.title,
        "optional": line.is_optional,
        "standing": line.standing.word(),
        "by": by,
        "at": line.at.map(Timestamp::rfc3339),
        "expires": line.expires().map(Timestamp::rfc3339),
        "refuted": line.refuted.map(Timestamp::rfc3339),
        "evidence": line.evidence,
        "missing": line.missing,
        "way": line.way,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::backup::{Facts, Kind, Sighting};
    use crate::document::{Reader, parse};

    #[test]
    fn what_is_stored_is_backups_and_wal_whatever_they_claim() {
        let read = parse("x.yml", "backups: [{name: n, files: /b}]").unwrap();
        let settings = Reader::new(None).read(&read, Settings::read).remove(0);
        let sized = |bytes: u64| Backup {
            bytes,
            ..Backup::listed("x", Kind::Dump, Timestamp(0))
        };
        for (backups, stored) in [(vec![3, 4], 12), (vec![u64::MAX, 4], u64::MAX)] {
            let facts = Facts {
                sighting: Some(Sighting {
                    backups: backups.into_iter().map(sized).collect(),
                    ..Sighting::default()
                }),
                chain: Some(Chain {
                    stored_bytes: 5,
                    ..Chain::default()
                }),
                ..Facts::default()
            };
            let brief = Brief {
                record: Arc::new(Record {
                    settings: settings.clone(),
                    facts,
                }),
                newest: None,
                recovery_point: None,
                lag: Lag::default(),
                drill: None,
                problems: Vec::new(),
                doubts: Vec::new(),
            };
            assert_eq!(source(&brief)["stored_bytes"], json!(stored));
        }
    }
}
