//! Whether each source has its backups at another site as well.

use std::sync::Arc;

use super::Known;
use super::finding::{Finding, named, when};
use super::sources::{about, each, foreign, originals, places};
use crate::backup::judge::{is_copy, is_offsite, usable};
use crate::backup::{Backup, Proof, Record, Sighting};

pub(super) fn offsite(known: &Known) -> Vec<Finding> {
    each(known, |record, sighting| {
        let places = places(known, record).filter(|place| is_offsite(&place.settings));
        let shown = places.filter_map(|place| Some((place, place.facts.sighting.as_ref()?)));
        let shown: Vec<(&Arc<Record>, &Sighting)> = shown.collect();
        let alien = shown.iter().find_map(|(place, sighting)| {
            let words = foreign(sighting)?;
            Some(format!("in {}, {words}", place.settings.name))
        });
        if let Some(words) = foreign(sighting).or(alien) {
            return Finding::refuted(known.now, words);
        }
        let Some(newest) = usable(sighting).first().copied() else {
            return Finding::refuted(known.now, "there is no usable backup");
        };
        let best = shown
            .iter()
            .filter_map(|(place, sighting)| Some((place, *usable(sighting).first()?)));
        let Some((place, there)) = best.max_by_key(|(_, backup)| backup.moment()) else {
            return Finding::unknown("no place offsite shows a backup of it");
        };
        let (source, at) = (&place.settings.name, there.moment());
        let (name, when) = (named(&there.id), when(at, known.now));
        if known.now.since(at) > record.settings.due() {
            let words = format!("the newest offsite, {name} in {source}, was finished {when}");
            return Finding::refuted(known.now, words);
        }
        let is_here = source == &record.settings.name;
        let is_same = |other: &Backup| is_copy(there, other);
        let alike = !is_here && sighting.backups.iter().any(is_same);
        let size = if alike {
            ", with the same size as here"
        } else {
            ""
        };
        let lag = if is_here || there.moment() >= newest.moment() || alike {
            ""
        } else {
            "; it may be an older one"
        };
        Finding::Held {
            proved: alike || there.proof >= Proof::Opened,
            at,
            words: format!("{name} lies in {source}, finished {when}{size}{lag}"),
        }
    })
}

pub(super) fn offsite_configured(known: &Known) -> Vec<Finding> {
    about(originals(known), |record| {
        let mut offsite = places(known, record).filter(|place| is_offsite(&place.settings));
        match offsite.next() {
            None => Finding::unknown("no place offsite is configured for it"),
            Some(place) => match (place.facts.looked, &place.facts.obstacle) {
                (Some(at), None) => Finding::Held {
                    proved: true,
                    at,
                    words: format!(
                        "{} answers, at {}",
                        place.settings.name,
                        place.settings.place.title()
                    ),
                },
                (_, Some(obstacle)) => Finding::refuted(known.now, obstacle.to_string()),
                (None, None) => {
                    Finding::unknown(format!("{} has not been looked at", place.settings.name))
                }
            },
        }
    })
}
