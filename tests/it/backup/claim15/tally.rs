//! What came of the damages that were done to backups of one kind.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use pgvigil::backup::{Proof, Verdict, report, verify};

/// A verdict that takes longer, even on a machine with much else to do, never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// What was done, and what was said.
pub struct Tally {
    kind: &'static str,
    /// How many were damaged, and how many were left as they were.
    pub damaged: usize,
    pub good: usize,
    pub misses: Vec<String>,
    pub hangs: Vec<String>,
    pub false_alarms: Vec<String>,
    /// Changed where the format has no checksum, and not found.
    pub bare: usize,
    /// Changed in nothing that counts, and not found.
    pub harmless: usize,
    longest: Duration,
}

impl Tally {
    pub fn of(kind: &'static str) -> Tally {
        Tally {
            kind,
            damaged: 0,
            good: 0,
            misses: Vec::new(),
            hangs: Vec::new(),
            false_alarms: Vec::new(),
            bare: 0,
            harmless: 0,
            longest: Duration::ZERO,
        }
    }

    /// Reads a backup to its end; nothing when that never comes, which is counted.
    pub fn read(&mut self, what: &str, path: &Path) -> Option<Verdict> {
        let (path, (done, verdict)) = (path.to_owned(), channel());
        let began = Instant::now();
        std::thread::spawn(move || {
            // Whoever has lost patience no longer listens.
            let _ = done.send(verify(&path));
        });
        match verdict.recv_timeout(DEADLINE) {
            Ok(verdict) => {
                self.longest = self.longest.max(began.elapsed());
                // A verdict is one thing, in whatever way it is asked for.
                let is_proved = verdict.proof >= Proof::Whole;
                assert!(
                    verdict.is_good() || !is_proved,
                    "{what}: {}",
                    report(&verdict)
                );
                Some(verdict)
            }
            Err(RecvTimeoutError::Timeout) => {
                self.hangs.push(what.into());
                None
            }
            Err(RecvTimeoutError::Disconnected) => panic!("{what}: the reader panicked"),
        }
    }

    /// Counts a good backup: it is good if it is proved so far.
    pub fn good(&mut self, what: &str, path: &Path, proof: Proof) -> Option<Verdict> {
        self.good += 1;
        let verdict = self.read(what, path)?;
        if !verdict.is_good() || verdict.proof != proof {
            self.false_alarms
                .push(format!("{what}: {}", report(&verdict)));
        }
        Some(verdict)
    }

    /// Counts a damaged backup: it must not be called good.
    pub fn damaged(&mut self, what: &str, path: &Path) {
        self.damaged += 1;
        if let Some(verdict) = self.read(what, path)
            && verdict.is_good()
        {
            self.misses.push(format!("{what}: {}", report(&verdict)));
        }
    }

    pub fn add(&mut self, other: &Tally) {
        self.damaged += other.damaged;
        self.good += other.good;
        self.misses.extend(other.misses.iter().cloned());
        self.hangs.extend(other.hangs.iter().cloned());
        self.false_alarms.extend(other.false_alarms.iter().cloned());
        self.bare += other.bare;
        self.harmless += other.harmless;
        self.longest = self.longest.max(other.longest);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<24} {:>6} damaged, {} missed, {} hung; {:>4} good, {} false alarms; apart: {} where nothing is summed, {} in nothing that counts; longest {:.1} s",
            self.kind,
            self.damaged,
            self.misses.len(),
            self.hangs.len(),
            self.good,
            self.false_alarms.len(),
            self.bare,
            self.harmless,
            self.longest.as_secs_f64()
        )
    }
}

/// Numbers that are the same for one seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Another one for each run, unless one is asked for.
    pub fn seed() -> u64 {
        let asked = std::env::var("CLAIM15_SEED")
            .ok()
            .map(|seed| seed.parse().unwrap());
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        asked.unwrap_or(since.as_nanos() as u64)
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }
}
