//! Puts together what was listed, told, read, restored and remembered, and judges it.

use std::time::{Duration, Instant};

use tracing::warn;

use super::Watch;
use crate::backup::ended;
use crate::backup::judge::{self, Matter};
use crate::backup::live::Live;
use crate::backup::records::{Record, Records};
use crate::backup::{Proof, Sighting, bases, log, needs};
use crate::sample::{Sample, Timestamp};

/// While many files are read, their verdicts are taken into account this often.
const STOCK: Duration = Duration::from_secs(1);
/// That takes its time where there are very many: so much of it is left for reading.
const READING: u32 = 10;

impl Watch {
    pub(super) fn stock_is_due(&self) -> bool {
        self.stock_taken.elapsed() > STOCK.max(self.stock_cost * READING)
    }

    /// Takes verdicts into account, and what backups need beside themselves.
    pub(super) fn take_stock(&mut self) {
        let began = Instant::now();
        if let Some(told) = &self.told {
            let backups = told.backups.iter().cloned();
            let mut read: Vec<needs::Read> = backups.map(|backup| (backup, None)).collect();
            (self.facts.chain, self.facts.bases) =
                bases::chain(&mut read, &self.archives, &self.lent);
            self.facts.sighting = Some(Sighting {
                backups: read.into_iter().map(|(backup, _)| backup).collect(),
                wal: None,
                complaints: told.complaints.clone(),
                ..*told
            });
        } else if let Some(sighting) = &mut self.facts.sighting {
            let each = self.found.iter().map(|seen| {
                let known = self.verdicts.on(&seen.found);
                let verdict = known.filter(|_| seen.is_settled);
                (seen.backup(known), verdict.map(|known| &known.verdict))
            });
            let mut read: Vec<needs::Read> = each.collect();
            needs::rows(&mut read, &self.settings.expect_rows);
            needs::parents(&mut read);
            ended::date(&mut read, self.archives[0].as_ref());
            (self.facts.chain, self.facts.bases) =
                bases::chain(&mut read, &self.archives, &self.lent);
            sighting.backups = read.into_iter().map(|(backup, _)| backup).collect();
        }
        (self.stock_taken, self.stock_cost) = (Instant::now(), began.elapsed());
    }

    /// Takes stock anew when other sources of the server have other base backups than before.
    pub(super) fn borrow(&mut self, records: &Records) {
        let all = records.all();
        let lent = bases::of_others(&self.settings, all.iter().map(AsRef::as_ref));
        if lent != self.lent {
            self.lent = lent;
            self.take_stock();
        }
    }

    /// What was restored is proved by that, as long as it has not been written since.
    pub(super) fn honour_drills(&mut self) {
        let Some(sighting) = &mut self.facts.sighting else {
            return;
        };
        let restored = self.reports.restored(&self.settings.name);
        let backups = sighting.backups.iter_mut();
        for backup in backups.filter(|backup| backup.state.is_good()) {
            let is_it = |(name, began): &(String, Timestamp)| {
                *name == backup.id && backup.finished <= *began
            };
            if restored.iter().any(is_it) {
                backup.proof = Proof::Restored;
            }
        }
    }

    /// Remembers which backups there are. What a failed look left behind is no news.
    pub(super) fn memorise(&mut self, now: Timestamp) {
        let (Some(sighting), None) = (&self.facts.sighting, &self.facts.obstacle) else {
            return;
        };
        let (name, keep) = (&self.settings.name, self.settings.keep);
        let stored = self.facts.stored();
        if let Err(error) = self.memory.learn(sighting, stored, keep, now) {
            warn!(backup.name = %name, "cannot remember which backups there are: {error}");
        }
    }

    /// Compares what is there with what was there before, with what is elsewhere and with the server.
    pub(super) fn compare(&mut self, original: Option<&Record>, live: &Live, now: Timestamp) {
        let (settings, past) = (&self.settings, self.memory.past());
        if let Some(sighting) = &mut self.facts.sighting {
            let identifier = live.system_identifier;
            self.facts.foreign = judge::mark_foreign(settings, identifier, sighting);
        }
        let (Some(sighting), None) = (&self.facts.sighting, &self.facts.obstacle) else {
            return;
        };
        let original = original.and_then(|record| record.facts.sighting.as_ref());
        let uncopied = |original| judge::uncopied(settings, original, sighting, now);
        self.facts.uncopied = original.map(uncopied);
        self.facts.vanished = judge::vanished(past, settings, now);
        self.facts.watched_since = past.since;
        self.facts.usual_size = judge::usual_size(sighting, past);
    }

    pub(super) fn samples(&self, now: Timestamp) -> Vec<Sample> {
        let matter = Matter {
            settings: &self.settings,
            facts: &self.facts,
            past: self.memory.past(),
        };
        let mut samples = judge::samples(&matter, now);
        samples.extend(log::samples(&self.settings, self.facts.log.as_ref()));
        samples
    }

    pub(super) fn samples_of_server(&self, records: &Records, now: Timestamp) -> Vec<Sample> {
        let all = records.all();
        let of_server = all
            .iter()
            .map(AsRef::as_ref)
            .filter(|record: &&Record| record.settings.server == self.settings.server);
        judge::per_server(&of_server.collect::<Vec<_>>(), now)
    }
}
