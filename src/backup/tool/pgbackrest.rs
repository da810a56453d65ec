//! pgBackRest: `info` for the backups, `repo-ls` for the WAL archive, for `info` tells of neither its times nor its gaps.

mod archive;
mod info;

use super::Look;
use super::field::history;
use super::words;
use crate::backup::{Obstacle, Sighting, Wal, Way};
use crate::sample::Timestamp;
use info::Info;

/// Its log goes nowhere: it may not be ours to write, and it is not ours to read.
const QUIET: [&str; 3] = [
    "--log-level-console=off",
    "--log-level-file=off",
    "--log-level-stderr=error",
];
/// So many timelines are asked where they began.
const TIMELINES: usize = 16;

pub(super) async fn look(look: &Look<'_>, now: Timestamp) -> Result<Sighting, Obstacle> {
    let tool = look.tool;
    let stanza = format!("--stanza={}", tool.subject);
    let mut arguments = QUIET.to_vec();
    arguments.extend([stanza.as_str(), "--output=json"]);
    let repository = tool.repository.map(|number| format!("--repo={number}"));
    arguments.extend(repository.as_deref());
    arguments.push("info");
    let answer = look.ask(&tool.way, &arguments).await?;
    let json = answer.json().map_err(|cause| look.unreadable(&cause))?;
    let mut info = info::read(&json, &tool.subject, tool.repository, now)
        .map_err(|refusal| refusal.obstacle(look))?;
    info.sighting.told = answer.told;
    if info
        .repositories
        .iter()
        .any(|repository| repository.archive.is_some())
    {
        match wal(look, &info).await {
            Ok((wal, told)) => {
                info.sighting.wal = wal;
                info.sighting.is_as_old_as(told);
            }
            Err(obstacle) => {
                let complaint = format!("the WAL archive cannot be listed: {obstacle}");
                info.sighting.complaints.push(words::shown(&complaint));
            }
        }
    }
    Ok(info.sighting)
}

/// The WAL of all repositories together, for a restore takes each segment from whichever has it; and when that was
/// written, where it was elsewhere.
async fn wal(look: &Look<'_>, info: &Info) -> Result<(Option<Wal>, Option<Timestamp>), Obstacle> {
    let tool = look.tool;
    if let Some(way) = &tool.archive {
        let answer = look.ask(way, &[]).await?;
        let archive = info
            .repositories
            .iter()
            .find_map(|each| each.archive.as_deref());
        let wal = archive::read(&answer.text, archive);
        let wal = wal.map_err(|cause| look.unreadable(&cause))?;
        return Ok((Some(wal), answer.told));
    }
    if !matches!(tool.way, Way::Command(_)) {
        return Ok((None, None));
    }
    let mut whole = Wal::default();
    for repository in &info.repositories {
        let Some(archive) = &repository.archive else {
            continue;
        };
        let number = format!("--repo={}", repository.number);
        let place = format!("archive/{}/{archive}", tool.subject);
        let ask = async |words: &[&str]| {
            let arguments = [&QUIET, [number.as_str()].as_slice(), words].concat();
            look.ask(&tool.way, &arguments).await
        };
        let answer = ask(&["--recurse", "--output=json", "repo-ls", &place]).await?;
        let wal = archive::read(&answer.text, None);
        let mut wal = wal.map_err(|cause| look.unreadable(&cause))?;
        for timeline in archive::timelines(&wal).into_iter().take(TIMELINES) {
            let file = format!("{place}/{timeline:08X}.history");
            // One that is not told makes a gap where its timeline begins, no more.
            if let Ok(answer) = ask(&["repo-get", &file]).await {
                wal.histories.extend(history(timeline, &answer.text));
            }
        }
        archive::join(&mut whole, wal);
    }
    Ok((Some(whole), None))
}

/// For tests of all tools at once.
#[cfg(test)]
pub(super) fn sightings(answer: &serde_json::Value, now: Timestamp) -> Vec<Sighting> {
    let _ = archive::read(&answer.to_string(), Some("15-1"));
    let info = info::read(answer, "main", None, now).ok();
    info.into_iter().map(|info| info.sighting).collect()
}
