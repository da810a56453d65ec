//! Places that are watched all at once, each of which has to be seen as it is.

use std::time::{Duration, Instant};

use pgvigil::backup::{Backup, Proof, Record, State};

use super::tally::{Dice, Tally};
use crate::backup::watch::Watched;
use crate::harness::{HttpSink, Scratch};

/// What is not seen by then never is.
const DEADLINE: Duration = Duration::from_secs(90);

/// A place, and what has to be known of it at last.
pub struct Case {
    what: String,
    /// The part of its configuration that says where it is.
    place: String,
    is_damaged: bool,
    holds: Box<dyn Fn(&Record) -> bool>,
}

impl Case {
    pub fn damaged(
        what: impl Into<String>,
        place: String,
        holds: impl Fn(&Record) -> bool + 'static,
    ) -> Case {
        let (what, holds, is_damaged) = (what.into(), Box::new(holds), true);
        Case {
            what,
            place,
            is_damaged,
            holds,
        }
    }

    pub fn good(
        what: impl Into<String>,
        place: String,
        holds: impl Fn(&Record) -> bool + 'static,
    ) -> Case {
        let case = Case::damaged(what, place, holds);
        Case {
            is_damaged: false,
            ..case
        }
    }

    fn holds(&self, record: Option<&Record>) -> bool {
        record.is_some_and(|record| (self.holds)(record))
    }
}

/// Places of one kind, and the server in which they are, if they are in one.
pub struct Cases {
    pub kind: &'static str,
    pub cases: Vec<Case>,
    pub _server: Option<HttpSink>,
}

/// All backups that are seen at a place.
pub fn backups(record: &Record) -> &[Backup] {
    let sighting = record.facts.sighting.as_ref();
    sighting.map_or(&[], |sighting| &sighting.backups)
}

/// Whether there are so many backups and all of them are damaged.
pub fn all_damaged(count: usize) -> impl Fn(&Record) -> bool {
    all(count, |backup| backup.state == State::Damaged)
}

/// Whether there are so many backups and all of them are whole.
pub fn all_whole(count: usize) -> impl Fn(&Record) -> bool {
    all(count, |backup| {
        backup.state == State::Done && backup.proof >= Proof::Whole
    })
}

pub fn all(count: usize, holds: impl Fn(&Backup) -> bool) -> impl Fn(&Record) -> bool {
    move |record| {
        let is_seen = record.facts.looked.is_some() && backups(record).len() == count;
        is_seen && backups(record).iter().all(&holds)
    }
}

/// What is said against a place in which all is well.
fn alarm(record: &Record) -> Option<String> {
    let facts = &record.facts;
    let bad = backups(record)
        .iter()
        .find(|backup| !backup.state.is_good());
    let chain = facts.chain.as_ref();
    let gap = chain.filter(|chain| chain.missing_segments() > 0 || !chain.short.is_empty());
    let words = bad.map(|backup| format!("{} {:?}", backup.id, backup.problem));
    let words = words.or_else(|| gap.map(|gap| format!("{gap:?}")));
    words.or_else(|| facts.obstacle.as_ref().map(ToString::to_string))
}

pub fn tallies<const N: usize>(
    kinds: [fn(&Scratch, &mut Dice) -> Cases; N],
    dice: &mut Dice,
) -> Vec<Tally> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scratch = Scratch::new();
    let kinds = kinds.map(|cases| cases(&scratch, dice));
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(judge(&scratch, &kinds))
}

async fn judge(scratch: &Scratch, kinds: &[Cases]) -> Vec<Tally> {
    let name = |kind: usize, case: usize| format!("k{kind}-{case}");
    let each = kinds.iter().enumerate().flat_map(|(kind, cases)| {
        let each = cases.cases.iter().enumerate();
        each.map(move |(case, Case { place, .. })| {
            let name = name(kind, case);
            format!("{{name: {name}, server: s, verify_rate: 1GiB, {place}}}")
        })
    });
    let text = format!("backups: [{}]", each.collect::<Vec<_>>().join(", "));
    let watched = Watched::over(&text, scratch.path());
    let record = |kind, case| watched.records.of(&name(kind, case));
    let mut tallies: Vec<Tally> = kinds.iter().map(|cases| Tally::of(cases.kind)).collect();
    let began = Instant::now();
    // Until all is as it should be: a good place says so of every moment.
    loop {
        let mut is_over = true;
        for (kind, cases) in kinds.iter().enumerate() {
            for (place, case) in cases.cases.iter().enumerate() {
                let record = record(kind, place);
                is_over &= case.holds(record.as_deref());
                let alarm = record
                    .filter(|_| !case.is_damaged)
                    .and_then(|record| alarm(&record));
                let alarms = &mut tallies[kind].false_alarms;
                if let Some(alarm) = alarm.map(|alarm| format!("{}: {alarm}", case.what))
                    && !alarms.contains(&alarm)
                {
                    alarms.push(alarm);
                }
            }
        }
        if is_over || began.elapsed() > DEADLINE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (kind, cases) in kinds.iter().enumerate() {
        for (place, case) in cases.cases.iter().enumerate() {
            count(&mut tallies[kind], case, record(kind, place).as_deref());
        }
    }
    watched.stop().await;
    tallies
}

fn count(tally: &mut Tally, case: &Case, record: Option<&Record>) {
    let counted = if case.is_damaged {
        &mut tally.damaged
    } else {
        &mut tally.good
    };
    *counted += 1;
    if case.holds(record) {
        return;
    }
    let known = record.map(backups).unwrap_or_default();
    let words = format!(
        "{}: {} seen: {:#?}",
        case.what,
        known.len(),
        &known[..known.len().min(20)]
    );
    let is_judged = known.iter().all(|backup| backup.state.is_judged());
    match (case.is_damaged, record.is_some() && is_judged) {
        (_, false) => tally.hangs.push(words),
        (true, true) => tally.misses.push(words),
        (false, true) => tally.false_alarms.push(words),
    }
}
