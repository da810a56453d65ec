//! From what was seen of a source to its samples. Time is handed in, so that an age grows although nothing new is seen.

mod copies;
mod growth;
mod newest;
mod promises;
mod retention;
mod room;
mod sizes;
mod usable;
mod wal;
mod whole;
mod window;

use super::Settings;
use super::memory::Past;
use super::metric::{self, Page};
use super::records::{Facts, Record};
use crate::sample::{Sample, Timestamp};

pub(super) use copies::{is_copy, is_offsite, per_server, uncopied};
pub(super) use newest::usual_size;
pub(super) use retention::{Kept, vanished};
pub(super) use room::{fits, next_size};
pub(super) use sizes::is_usual;
pub use usable::last_attempt;
pub(super) use usable::{is_wal_only, roots, usable};
pub(super) use whole::{mark_foreign, newest_foreign};
pub(super) use window::{has_base, newest_point, window};

/// Everything that is known when a source is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matter<'m> {
    /// What was promised.
    pub(super) settings: &'m Settings,
    /// What was seen.
    pub(super) facts: &'m Facts,
    /// What was seen before.
    pub(super) past: &'m Past,
}

/// All samples of the source at this moment.
pub(super) fn samples(matter: &Matter, now: Timestamp) -> Vec<Sample> {
    let Matter {
        settings, facts, ..
    } = matter;
    let mut page = Page::of(&settings.name);
    let succeeded = facts.obstacle.is_none() && facts.looked.is_some();
    page.put(metric::PROBE_SUCCESS, &[], truth(succeeded));
    page.put_some(
        metric::PROBE_TIMESTAMP,
        &[],
        facts.looked.map(Timestamp::seconds),
    );
    page.put(metric::PROBE_DURATION, &[], facts.took.as_secs_f64());
    promises::promises(&mut page, settings);
    promises::problems(&mut page, settings, facts);
    if let Some(sighting) = &facts.sighting {
        for kind in usable::kinds(matter, sighting) {
            newest::counts(&mut page, sighting, kind);
            newest::newest(&mut page, sighting, matter.past, kind, now);
        }
        whole::whole(&mut page, matter, sighting);
        window::samples(&mut page, facts);
        retention::retention(&mut page, matter, sighting, now);
        growth::growth(&mut page, matter, sighting, now);
        let told = sighting.told.map(|told| now.since(told).as_secs_f64());
        page.put_some(metric::ANSWER_AGE, &[], told);
    }
    if let Some(missing) = &facts.uncopied {
        page.put(metric::UNCOPIED, &[], missing.len() as f64);
    }
    if let Some(chain) = &facts.chain {
        wal::wal(&mut page, chain);
    }
    page.finish()
}

fn truth(fact: bool) -> f64 {
    f64::from(u8::from(fact))
}

#[cfg(test)]
mod tests;
