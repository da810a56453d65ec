//! The answer to `info --output=json`.

use serde_json::Value;

use super::super::field::{list, moment, number, position, segment_bytes, shown, text};
use super::super::{Look, words};
use crate::backup::sighting::{Backup, Kind, Origin, Sighting, State};
use crate::backup::wal::Segment;
use crate::backup::{Obstacle, Storage, Trouble};
use crate::sample::Timestamp;

/// What `info` tells.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Info {
    pub(super) sighting: Sighting,
    pub(super) repositories: Vec<Repository>,
}

/// One of its repositories.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Repository {
    pub(super) number: u64,
    /// The folder of the WAL that is archived now, such as `15-1`; each upgrade begins another.
    pub(super) archive: Option<String>,
    is_encrypted: Option<bool>,
    status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Good,
    /// What it says is so, and not as it should be.
    Lacking,
    /// It could not be looked at.
    Unseen,
}

/// Why an answer tells nothing.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// It has another form than `info` gives.
    Unreadable(String),
    /// pgBackRest could not look itself, which it says in its answer and not by its exit code.
    Failed(String),
}

impl Refusal {
    pub(super) fn obstacle(&self, look: &Look) -> Obstacle {
        match self {
            Refusal::Unreadable(cause) => look.unreadable(cause),
            Refusal::Failed(said) => look.failed(said),
        }
    }
}

/// Reads what it tells of one stanza, and of one repository where that is asked for.
pub(super) fn read(
    answer: &Value,
    stanza: &str,
    only: Option<u64>,
    now: Timestamp,
) -> Result<Info, Refusal> {
    let Some(stanzas) = answer.as_array() else {
        return Err(Refusal::Unreadable("it is no list of stanzas".into()));
    };
    let Some(told) = stanzas
        .iter()
        .find(|each| text(each, "/name") == Some(stanza))
    else {
        return Ok(unknown(stanza, stanzas));
    };
    if told.get("backup").is_none_or(|backups| !backups.is_array()) {
        return Err(Refusal::Unreadable("it has no list of backups".into()));
    }
    let is_meant = |number: u64| only.is_none_or(|only| only == number);
    let (mut sighting, mut repositories) = (Sighting::default(), Vec::new());
    for (each, number) in repositories_of(told) {
        if is_meant(number) {
            let (repository, complaint) = repository(told, each, number);
            sighting.complaints.extend(complaint);
            repositories.push(repository);
        }
    }
    let meant = list(told, "/backup").iter();
    let meant = meant.filter(|each| is_meant(number(each, "/database/repo-key").unwrap_or(1)));
    let meant: Vec<&Value> = meant.collect();
    let starts: Vec<(&str, u64)> = meant.iter().filter_map(|each| start(each)).collect();
    let bytes = segment_bytes(&starts);
    for each in &meant {
        match backup(told, each, &repositories, bytes) {
            Some(backup) => sighting.backups.push(backup),
            None => sighting
                .complaints
                .push("it lists a backup without a name or a time".into()),
        }
    }
    if sighting.backups.is_empty() {
        // So it answers where it has no configuration at all, too.
        let unconfigured = sighting.complaints.iter_mut();
        for complaint in unconfigured.filter(|said| said.contains("missing stanza path")) {
            complaint.push_str(
                "; was `stanza-create` run, and does `config` say where its configuration is?",
            );
        }
    }
    let is_unseen = repositories
        .iter()
        .any(|each| each.status == Status::Unseen);
    if is_unseen && sighting.backups.is_empty() {
        return Err(Refusal::Failed(sighting.complaints.join("; ")));
    }
    if told
        .pointer("/status/lock/backup/held")
        .and_then(Value::as_bool)
        == Some(true)
    {
        sighting.backups.push(running(now));
    }
    Ok(Info {
        sighting,
        repositories,
    })
}

/// No such stanza: that is what it says, and then there are no backups.
fn unknown(stanza: &str, stanzas: &[Value]) -> Info {
    let others: Vec<String> = stanzas
        .iter()
        .filter_map(|each| shown(each, "/name"))
        .collect();
    let mut complaint = format!("there is no stanza `{stanza}`");
    if !others.is_empty() {
        complaint.push_str(&format!("; there is `{}`", others.join("`, `")));
    }
    let mut info = Info::default();
    info.sighting.complaints.push(words::shown(&complaint));
    info
}

/// Before there could be several, the stanza itself had the status.
fn repositories_of(told: &Value) -> Vec<(&Value, u64)> {
    match list(told, "/repo") {
        [] => vec![(told, 1)],
        several => several
            .iter()
            .map(|each| (each, number(each, "/key").unwrap_or(1)))
            .collect(),
    }
}

fn repository(told: &Value, each: &Value, key: u64) -> (Repository, Option<String>) {
    let status = match number(each, "/status/code") {
        Some(0) => Status::Good,
        Some(1..=6) => Status::Lacking,
        _ => Status::Unseen,
    };
    let said = shown(each, "/status/message").unwrap_or_else(|| "it does not say how it is".into());
    let complaint = (status != Status::Good).then(|| format!("repository {key}: {said}"));
    let repository = Repository {
        number: key,
        archive: archive(told, key),
        is_encrypted: text(each, "/cipher").map(|cipher| cipher != "none"),
        status,
    };
    (repository, complaint)
}

fn archive(told: &Value, key: u64) -> Option<String> {
    let of_repository = list(told, "/archive")
        .iter()
        .filter(|each| is_in(each, key));
    let newest = of_repository.max_by_key(|each| number(each, "/database/id"))?;
    let id = text(newest, "/id")?;
    let is_plain = id.chars().all(|c| c.is_ascii_digit() || "-.".contains(c));
    is_plain.then(|| id.to_owned())
}

fn is_in(each: &Value, key: u64) -> bool {
    number(each, "/database/repo-key")
        .or_else(|| number(each, "/repo-key"))
        .unwrap_or(1)
        == key
}

fn start(each: &Value) -> Option<(&str, u64)> {
    Some((
        text(each, "/archive/start")?,
        position(text(each, "/lsn/start")?)?,
    ))
}

fn backup(told: &Value, each: &Value, repositories: &[Repository], bytes: u64) -> Option<Backup> {
    let key = number(each, "/database/repo-key").unwrap_or(1);
    let repository = repositories
        .iter()
        .find(|repository| repository.number == key);
    let (started, finished) = (
        moment(each, "/timestamp/start"),
        moment(each, "/timestamp/stop")?,
    );
    let database = number(each, "/database/id");
    let is_of = |db: &&Value| is_in(db, key) && number(db, "/id") == database;
    let databases = list(told, "/db").iter();
    let newest = databases
        .clone()
        .filter(|db| is_in(db, key))
        .filter_map(|db| number(db, "/id"))
        .max();
    let system = databases
        .clone()
        .find(is_of)
        .and_then(|db| number(db, "/system-id"));
    let segment = |pointer| Segment::parse(text(each, pointer)?, bytes);
    let wal = segment("/archive/start").zip(segment("/archive/stop"));
    let is_damaged = each.get("error").and_then(Value::as_bool) == Some(true);
    let problem = "holds pages whose checksum is wrong: the database was damaged when it was taken";
    Some(Backup {
        state: if is_damaged {
            State::Damaged
        } else {
            State::Done
        },
        started,
        took: started.map(|started| finished.since(started)),
        bytes: number(each, "/info/repository/delta")
            .or_else(|| number(each, "/info/repository/size"))
            .unwrap_or_default(),
        parent: shown(each, "/prior"),
        origin: system.map(Origin::Cluster),
        // The WAL of a cluster before its upgrade is another's.
        wal: wal.filter(|_| database == newest),
        repository: Some(key.to_string()),
        storage: Storage {
            is_encrypted: repository.and_then(|repository| repository.is_encrypted),
            ..Storage::default()
        },
        trouble: is_damaged.then_some(Trouble::Corrupt),
        problem: is_damaged.then(|| problem.into()),
        ..Backup::listed(&shown(each, "/label")?, kind(each), finished)
    })
}

fn kind(each: &Value) -> Kind {
    match text(each, "/type") {
        Some("diff") => Kind::Differential,
        Some("incr") => Kind::Incremental,
        _ => Kind::Full,
    }
}

/// The lock is held, by whatever: of which kind and since when is not told.
fn running(now: Timestamp) -> Backup {
    Backup {
        state: State::Running,
        ..Backup::listed("running", Kind::Full, now)
    }
}

#[cfg(test)]
mod tests;
