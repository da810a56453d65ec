//! Three copies on two media, one of them offsite: what of that holds; and whether one source holds what another has.

use std::collections::{BTreeSet, HashMap};

use super::usable::usable;
use super::{Record, metric};
use crate::backup::{Backup, Place, Settings, Sighting, Storage};
use crate::sample::{Sample, Timestamp};

/// What the live database lies on, and what a folder is taken to be when nothing else is declared.
const DISK: &str = "disk";
/// Addresses of what is taken to survive the loss of the server's site.
const BUCKETS: [&str; 3] = ["s3://", "gs://", "az://"];

/// The samples of a server over all its sources. The database itself is one copy, on a disk. Another place counts while
/// its newest backup is usable and not older than promised; where sources are of different databases, those of the
/// database that has the fewest count.
pub(in crate::backup) fn per_server(records: &[&Record], now: Timestamp) -> Vec<Sample> {
    let databases: BTreeSet<&String> = records
        .iter()
        .filter_map(|record| record.settings.database.as_ref())
        .collect();
    let tally = |database: Option<&String>| {
        let of_it = records.iter().filter(|record| {
            let named = record.settings.database.as_ref();
            database.is_none() || named.is_none() || named == database
        });
        Tally::of(of_it.copied(), now)
    };
    let tallies = databases.iter().map(|database| tally(Some(database)));
    let least = tallies.min_by_key(|tally| (tally.copies, tally.offsite));
    let tally = least.unwrap_or_else(|| tally(None));
    let offsite_places = records.iter().filter(|record| is_offsite(&record.settings));
    [
        (metric::COPIES, tally.copies),
        (metric::MEDIA, tally.media),
        (metric::OFFSITE_COPIES, tally.offsite),
        (metric::OFFSITE_PLACES, offsite_places.count()),
    ]
    .map(|(metric, count)| metric.sample(&[], count as f64))
    .into()
}

#[derive(Debug, PartialEq, Eq)]
struct Tally {
    copies: usize,
    media: usize,
    offsite: usize,
}

impl Tally {
    fn of<'r>(records: impl Iterator<Item = &'r Record>, now: Timestamp) -> Tally {
        let mut media = BTreeSet::from([DISK.to_owned()]);
        let (mut places, mut offsite) = (BTreeSet::new(), BTreeSet::new());
        for record in records.filter(|record| is_fresh(record, now)) {
            let settings = &record.settings;
            let place = place(settings);
            media.insert(medium(settings));
            if is_offsite(settings) {
                offsite.insert(place.clone());
            }
            places.insert(place);
        }
        Tally {
            copies: places.len() + 1,
            media: media.len(),
            offsite: offsite.len(),
        }
    }
}

/// Where the backups lie: two sources of files that differ only in their pattern lie in one place.
fn place(settings: &Settings) -> String {
    let url = settings.place.url();
    match (&settings.place, url.rsplit_once('/')) {
        (Place::Files(_), Some((folder, _))) => folder.to_owned(),
        // The answers of two tools may lie in one folder without their backups doing so.
        _ => url,
    }
}

fn is_fresh(record: &Record, now: Timestamp) -> bool {
    let (settings, facts) = (&record.settings, &record.facts);
    let sighting = facts.sighting.as_ref();
    let newest = sighting.and_then(|sighting| usable(sighting).first().copied());
    facts.obstacle.is_none()
        && newest.is_some_and(|newest| now.since(newest.moment()) <= settings.due())
}

fn bucket(settings: &Settings) -> Option<&'static str> {
    let url = settings.place.url();
    BUCKETS.into_iter().find(|scheme| url.starts_with(scheme))
}

/// Whether a source survives the loss of the server's site: as declared; else a bucket does, and nothing else.
pub(in crate::backup) fn is_offsite(settings: &Settings) -> bool {
    settings.offsite.unwrap_or(bucket(settings).is_some())
}

fn medium(settings: &Settings) -> String {
    let by_nature = || bucket(settings).unwrap_or(DISK);
    settings
        .media
        .clone()
        .unwrap_or_else(|| by_nature().trim_end_matches("://").to_owned())
}

/// The backups of the original that are not in the copy, by name: each should be there under the same name and with the
/// same size and, where both know a checksum of one kind, the same checksum. Those younger than the grace of the copy
/// have time to be sent, and those older than it promises to keep may be gone.
pub(in crate::backup) fn uncopied(
    settings: &Settings,
    original: &Sighting,
    copy: &Sighting,
    now: Timestamp,
) -> Vec<String> {
    let there: HashMap<&str, &Backup> = copy
        .backups
        .iter()
        .map(|backup| (last_name(&backup.id), backup))
        .collect();
    let due = now.before(settings.grace);
    let kept = settings.keep.map(|keep| now.before(keep));
    let wanted = usable(original)
        .into_iter()
        .filter(|backup| backup.finished <= due && kept.is_none_or(|kept| backup.finished > kept));
    let missing = wanted.filter(|backup| {
        let found = there.get(last_name(&backup.id));
        !found.is_some_and(|found| is_copy(found, backup))
    });
    let mut names: Vec<String> = missing.map(|backup| backup.id.clone()).collect();
    names.sort_unstable();
    names
}

/// Whether one may be the copy of another: by its name, its size and, where both know one of a kind, its checksum.
pub(in crate::backup) fn is_copy(one: &Backup, other: &Backup) -> bool {
    last_name(&one.id) == last_name(&other.id)
        && one.bytes == other.bytes
        && may_agree(&one.storage, &other.storage)
}

fn last_name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Whether no checksum says that two are different.
fn may_agree(one: &Storage, other: &Storage) -> bool {
    let (Some(one), Some(other)) = (&one.checksum, &other.checksum) else {
        return true;
    };
    match (one.split_once(':'), other.split_once(':')) {
        (Some((kind, sum)), Some((other_kind, other_sum))) if kind == other_kind => {
            sum.eq_ignore_ascii_case(other_sum)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
