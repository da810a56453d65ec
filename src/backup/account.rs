//! All that is known of backups at one moment, for the page, `/api/backups` and `pgvigil backup status`.
//! Takes the newest records, and what the state directory keeps of drills and attestations.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::checklist::{Attestations, Brief, Known, Line, Standing, briefs, checklist};
use super::{Backup, Chain, Log, Origin, Record, Records, Report, Reports, Settings, State};
use crate::sample::Timestamp;

/// More backups of a source are not listed; they are counted.
const LISTED: usize = 500;

/// Whom to ask.
#[derive(Debug, Clone)]
pub struct Archive {
    records: Arc<Records>,
    reports: Reports,
    attestations: Attestations,
}

impl Archive {
    /// What is known below a state directory, beside the records of the sources.
    pub fn new(records: Arc<Records>, state_dir: &Path) -> Self {
        Archive {
            records,
            reports: Reports::new(state_dir),
            attestations: Attestations::new(state_dir),
        }
    }

    /// All that is known now. This reads files.
    pub fn account(&self, standbys: Option<u64>, now: Timestamp) -> Account {
        let (records, reports) = (self.records.all(), self.reports.all());
        let (attestations, complaint) = match self.attestations.all() {
            Ok(all) => (all, None),
            Err(error) => (
                Vec::new(),
                Some(format!("attestations cannot be read: {error}")),
            ),
        };
        let known = Known {
            records: &records,
            reports: &reports,
            attestations: &attestations,
            standbys,
            now,
        };
        Account {
            sources: briefs(&known),
            checklist: checklist(&known),
            reports,
            complaint,
            now,
        }
    }
}

/// All that is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// The sources, by name.
    pub sources: Vec<Brief>,
    /// The drills, the newest first.
    pub reports: Vec<Report>,
    /// The checklist.
    pub checklist: Vec<Line>,
    /// Why what people have attested is not known.
    pub complaint: Option<String>,
    /// When it was drawn up.
    pub now: Timestamp,
}

impl Account {
    /// Whether all is well with every source; `None` when nothing is known to be bad and something is not known.
    pub fn is_good(&self) -> Option<bool> {
        let all: Vec<Option<bool>> = self.sources.iter().map(Brief::is_good).collect();
        if all.contains(&Some(false)) {
            Some(false)
        } else if all.contains(&None) || all.is_empty() {
            None
        } else {
            Some(true)
        }
    }

    /// Whether every line of the checklist is ticked that should be.
    pub fn is_ticked(&self) -> bool {
        self.checklist
            .iter()
            .all(|line| line.is_ticked() || line.is_optional)
    }

    /// The same as JSON: moments as RFC 3339 in UTC, spans in seconds, sizes in bytes.
    pub fn json(&self) -> Value {
        json!({
            "at": self.now.rfc3339(),
            "standing": standing(self.is_good()),
            "sources": self.sources.iter().map(source).collect::<Vec<_>>(),
            "drills": self.reports.iter().map(drill).collect::<Vec<_>>(),
            "checklist": self.checklist.iter().map(line).collect::<Vec<_>>(),
            "complaint": self.complaint,
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
        "newest": brief.newest.as_ref().map(|backup| &backup.id),
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

fn drill(report: &Report) -> Value {
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
        "kind": report.kind.map(crate::backup::Kind::label),
        "started": report.started.rfc3339(),
        "finished": report.finished.rfc3339(),
        "outcome": report.outcome,
        "recovery_point": report.recovery_point.map(Timestamp::rfc3339),
        "recovery_seconds": report.recovery_time().as_secs_f64(),
        "phases_seconds": Value::Object(phases.collect()),
        "restored_bytes": report.restored_bytes,
        "checks": checks.collect::<Vec<_>>(),
        "major": report.major,
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
        "evidence": line.evidence,
        "missing": line.missing,
        "way": line.way,
    })
}

#[cfg(test)]
mod tests {
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
                drill: None,
                problems: Vec::new(),
                doubts: Vec::new(),
            };
            assert_eq!(source(&brief)["stored_bytes"], json!(stored));
        }
    }
}
