//! WAL-G: `backup-list` for the backups, which are there once they are whole, and `wal-show` for the WAL.

mod archive;

use serde_json::Value;

use super::field::{number, segment_bytes, shown, text};
use super::{Look, words};
use crate::backup::sighting::{Backup, Kind, Origin, Sighting, State};
use crate::backup::wal::Segment;
use crate::backup::{Obstacle, Wal, Way};
use crate::sample::Timestamp;

pub(super) async fn look(look: &Look<'_>) -> Result<Sighting, Obstacle> {
    let answer = look
        .ask(&look.tool.way, &["backup-list", "--detail", "--json"])
        .await?;
    let is_empty = answer.text.trim().is_empty() && answer.said.contains("No backups found");
    let mut sighting = if is_empty {
        Sighting::default()
    } else {
        let json = answer.json().map_err(|cause| look.unreadable(&cause))?;
        read(&json).map_err(|cause| look.unreadable(&cause))?
    };
    sighting.told = answer.told;
    let newest = sighting.backups.iter().map(|backup| backup.finished).max();
    match wal(look, newest.unwrap_or_default()).await {
        Ok((wal, told)) => {
            sighting.wal = wal;
            sighting.is_as_old_as(told);
        }
        Err(obstacle) => {
            let complaint = format!("the WAL archive cannot be listed: {obstacle}");
            sighting.complaints.push(words::shown(&complaint));
        }
    }
    Ok(sighting)
}

/// The WAL, and when the listing of it was written, where it was elsewhere.
async fn wal(
    look: &Look<'_>,
    arrived: Timestamp,
) -> Result<(Option<Wal>, Option<Timestamp>), Obstacle> {
    let way = match (&look.tool.archive, &look.tool.way) {
        (Some(way), _) | (None, way @ Way::Command(_)) => way,
        (None, _) => return Ok((None, None)),
    };
    let answer = look.ask(way, &["wal-show", "--detailed-json"]).await?;
    let json = answer.json().map_err(|cause| look.unreadable(&cause))?;
    let wal = archive::read(&json, arrived).map_err(|cause| look.unreadable(&cause))?;
    Ok((Some(wal), answer.told))
}

fn read(answer: &Value) -> Result<Sighting, String> {
    let Some(backups) = answer.as_array() else {
        return Err("it is no list of backups".into());
    };
    let starts = backups
        .iter()
        .filter_map(|each| Some((text(each, "/wal_file_name")?, number(each, "/start_lsn")?)));
    let bytes = segment_bytes(&starts.collect::<Vec<_>>());
    let names: Vec<&str> = backups
        .iter()
        .filter_map(|each| text(each, "/backup_name"))
        .collect();
    let mut sighting = Sighting::default();
    for each in backups {
        match backup(each, &names, bytes) {
            Some(backup) => sighting.backups.push(backup),
            None => sighting
                .complaints
                .push("it lists a backup without a name or a time".into()),
        }
    }
    Ok(sighting)
}

fn backup(each: &Value, names: &[&str], bytes: u64) -> Option<Backup> {
    let name = text(each, "/backup_name")?;
    let finished = ["/finish_time", "/time", "/modified"].iter();
    let finished = finished.clone().find_map(|pointer| moment(each, pointer))?;
    let started = moment(each, "/start_time");
    let (kind, parent) = match name.split_once("_D_") {
        Some((_, base)) => (Kind::Incremental, Some(parent(base, names))),
        None => (Kind::Full, None),
    };
    Some(Backup {
        state: State::Done,
        started,
        took: started.map(|started| finished.since(started)),
        bytes: number(each, "/compressed_size").unwrap_or_default(),
        parent,
        origin: number(each, "/system_identifier").map(Origin::Cluster),
        wal: wal_of(each, bytes),
        ..Backup::listed(&words::shown(name), kind, finished)
    })
}

/// A delta names the segment in which the backup before it began.
fn parent(base: &str, names: &[&str]) -> String {
    let whole = format!("base_{base}");
    let begins = |name: &&&str| {
        name.strip_prefix(&whole)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("_D_"))
    };
    words::shown(names.iter().find(begins).copied().unwrap_or(&whole))
}

fn wal_of(each: &Value, bytes: u64) -> Option<(Segment, Segment)> {
    let first = Segment::parse(text(each, "/wal_file_name")?, bytes)?;
    let end = number(each, "/finish_lsn")?.checked_sub(1)?;
    let last = Segment::at(first.timeline, end, bytes);
    (last >= first).then_some((first, last))
}

fn moment(each: &Value, pointer: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = shown(each, pointer)?.parse().ok()?;
    Some(Timestamp(moment.as_millisecond()))
}

/// For tests of all tools at once.
#[cfg(test)]
pub(super) fn sighting(answer: &Value) -> Option<Sighting> {
    let _ = archive::read(answer, Timestamp(0));
    read(answer).ok()
}

#[cfg(test)]
mod tests;
