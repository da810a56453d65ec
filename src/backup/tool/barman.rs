//! Barman: `list-backups`. It tells of no WAL, and of what is not done no more than a name; its folder tells of both.

mod home;

use std::path::PathBuf;

use jiff::civil::DateTime;
use serde_json::Value;
use tokio::time::timeout_at;

use super::answer::own_error;
use super::field::{list, moment, number, shown, text};
use super::{Look, words};
use crate::backup::Obstacle;
use crate::backup::sighting::{Backup, Kind, Sighting, State};
use crate::sample::Timestamp;

pub(super) async fn look(look: &Look<'_>, now: Timestamp) -> Result<Sighting, Obstacle> {
    let server = look.tool.subject.as_str();
    let arguments = ["--format", "json", "list-backups", server];
    let answer = look.ask(&look.tool.way, &arguments).await?;
    let json = answer.json().map_err(|cause| look.unreadable(&cause))?;
    if let Some(error) = own_error(&json) {
        return Err(look.failed(&error));
    }
    let mut sighting = read(&json, server, now).map_err(|cause| look.unreadable(&cause))?;
    sighting.told = answer.told;
    match &look.tool.home {
        Some(home) => completed(look, home.clone(), sighting).await,
        None => Ok(sighting),
    }
}

async fn completed(
    look: &Look<'_>,
    home: PathBuf,
    mut sighting: Sighting,
) -> Result<Sighting, Obstacle> {
    let server = look.tool.subject.clone();
    let reading = tokio::task::spawn_blocking(move || {
        if let Err(cause) = home::complete(&home, &server, &mut sighting) {
            let complaint = format!("the WAL archive cannot be listed: {cause}");
            sighting.complaints.push(words::shown(&complaint));
        }
        sighting
    });
    match timeout_at(look.until, reading).await {
        Ok(Ok(sighting)) => Ok(sighting),
        _ => Err(look.silent()),
    }
}

fn read(answer: &Value, server: &str, now: Timestamp) -> Result<Sighting, String> {
    let Some(backups) = answer.get(server).and_then(Value::as_array) else {
        return Err(format!("it does not list the backups of `{server}`"));
    };
    let zone = backups.iter().find_map(zone);
    let mut sighting = Sighting::default();
    for each in backups {
        match backup(each, zone, now) {
            Some(backup) => sighting.backups.push(backup),
            None => sighting
                .complaints
                .push("it lists a backup without a name or a time".into()),
        }
    }
    let warnings = list(answer, "/_WARNING").iter().filter_map(Value::as_str);
    sighting.complaints.extend(warnings.map(words::shown));
    Ok(sighting)
}

fn backup(each: &Value, zone: Option<i64>, now: Timestamp) -> Option<Backup> {
    let id = text(each, "/backup_id")?;
    let status = shown(each, "/status")?;
    let (state, problem) = state(&status);
    let begun = begun(id, zone);
    let finished = match (moment(each, "/end_time_timestamp"), state) {
        (Some(end), _) => end,
        (None, State::Done) => return None,
        // A name in a zone that is not known says nothing about how long it has run.
        (None, State::Running) => zone.and(begun).unwrap_or(now).min(now),
        (None, _) => begun.unwrap_or(now).min(now),
    };
    let started = begun.filter(|begun| zone.is_some() && *begun <= finished);
    let ends = moment(each, "/end_time_timestamp").is_some();
    Some(Backup {
        state,
        started,
        took: started
            .filter(|_| ends)
            .map(|started| finished.since(started)),
        bytes: number(each, "/size_bytes").unwrap_or_default(),
        problem,
        ..Backup::listed(&words::shown(id), kind(each), finished)
    })
}

fn state(status: &str) -> (State, Option<String>) {
    match status {
        "DONE" => (State::Done, None),
        "STARTED" | "EMPTY" | "SYNCING" | "RETRYING" => (State::Running, None),
        "WAITING_FOR_WALS" => {
            let words = "cannot be restored until the WAL that was written meanwhile has come";
            (State::Running, Some(words.into()))
        }
        "FAILED" => (State::Failed, Some("failed, as Barman says".into())),
        other => (
            State::Failed,
            Some(format!("is in the state `{other}`, as Barman says")),
        ),
    }
}

fn kind(each: &Value) -> Kind {
    match text(each, "/backup_type") {
        Some("incremental") => Kind::Incremental,
        _ => Kind::Full,
    }
}

/// When it began: its name, in the local time of Barman's host, or as if that were UTC.
fn begun(id: &str, zone: Option<i64>) -> Option<Timestamp> {
    let local = DateTime::strptime("%Y%m%dT%H%M%S", id.get(..15)?).ok()?;
    let seconds = seconds(local)? - zone.unwrap_or_default();
    Some(Timestamp(seconds * 1000))
}

/// How many seconds the clocks of Barman's host are ahead of UTC: a finished backup gives its end both ways.
fn zone(each: &Value) -> Option<i64> {
    let local = DateTime::strptime("%a %b %d %H:%M:%S %Y", text(each, "/end_time")?).ok()?;
    let ahead = seconds(local)? - moment(each, "/end_time_timestamp")?.0 / 1000;
    (ahead.abs() <= 15 * 3600).then_some(ahead)
}

fn seconds(local: DateTime) -> Option<i64> {
    let moment = jiff::tz::Offset::UTC.to_timestamp(local).ok()?;
    Some(moment.as_second())
}

/// For tests of all tools at once.
#[cfg(test)]
pub(super) fn sighting(answer: &Value, now: Timestamp) -> Option<Sighting> {
    let servers = answer.as_object()?;
    servers
        .keys()
        .find_map(|server| read(answer, server, now).ok())
}

#[cfg(test)]
mod tests;
