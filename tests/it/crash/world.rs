//! A world of two things that are hot or cold, a watch over it that may crash, and somebody who is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::sync::LazyLock;
use std::time::Duration;

use pgvigil::app::{Slots, Turn};
use pgvigil::document::{Reader, parse};
use pgvigil::incident::{Event, Ledger, Matcher, Silence};
use pgvigil::notify::{Rehearsal, Settings};
use pgvigil::rules::{self, AlertState, Change, Evaluation, Group};
use pgvigil::sample::{Labels, Source, Sources, Timestamp};
use pgvigil::store::{Settings as StoreSettings, Store};

use crate::harness::Scratch;

const RULES: &str = r#"
groups:
  - name: test
    interval: 1s
    rules:
      - alert: Hot
        expr: heat > 5
        for: 2s
        labels: {severity: warning}
      - alert: Glowing
        expr: heat > 5
        keep_firing_for: 3s
        labels: {severity: info}
"#;

/// So long is what was read last still true.
const LIFETIME: Duration = Duration::from_secs(3);
const BEGIN: i64 = 1_800_000_000_000;
/// When `b` is silenced, as soon as anybody can, and for how many seconds.
const SILENCED: i64 = 20;
const SILENCE: i64 = 25;

/// The rules, and the one who is told: what takes long to read and stays the same.
static SCENE: LazyLock<(Vec<Group>, Rehearsal)> = LazyLock::new(|| {
    // Nobody sends anything, but the client is built.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scratch = Scratch::new();
    let file = scratch.write("rules.yml", RULES);
    let settings = rules::Settings {
        interval: Duration::from_secs(1),
        files: vec![file.display().to_string()],
        disable: Vec::new(),
        overrides: Vec::new(),
    };
    let mut groups = rules::load(&settings).unwrap().groups;
    groups.retain(|group| &*group.name == "test");
    let nobody = parse("x.yml", "{}").unwrap();
    let nobody = Reader::new(None).read(&nobody, Settings::read);
    (groups, Rehearsal::of(&nobody))
});

/// Where a crash may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A rule has a result, and nobody knows of it.
    Evaluated,
    /// The result is half on the disk.
    HalfLogged,
    /// The result is on the disk.
    Logged,
    /// A message has left, and nobody has noted that it did.
    Sent,
    /// The note is half on the disk.
    HalfNoted,
    /// The note is on the disk.
    Noted,
}

impl Step {
    pub(super) const ALL: [Step; 6] = [
        Step::Evaluated,
        Step::HalfLogged,
        Step::Logged,
        Step::Sent,
        Step::HalfNoted,
        Step::Noted,
    ];
}

/// One second.
#[derive(Debug, Clone)]
pub(super) struct Tick {
    pub(super) turn_a: bool,
    pub(super) turn_b: bool,
    pub(super) crash: Option<Step>,
    /// For how many seconds nobody watches after a crash.
    pub(super) down: i64,
    /// How much of the last write is lost, of 65,536 parts.
    pub(super) torn: u16,
    /// By how many seconds the clock is set, forward or back.
    pub(super) jump: i64,
}

impl Tick {
    pub(super) const QUIET: Tick = Tick {
        turn_a: false,
        turn_b: false,
        crash: None,
        down: 0,
        torn: 0,
        jump: 0,
    };
}

/// What a process knows and a crash takes.
struct Process {
    ledger: Ledger,
    store: Store,
    slots: Slots,
    series: Vec<Vec<Labels>>,
}

/// A message as it was received.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) second: i64,
    pub(super) incident: String,
    pub(super) reason: &'static str,
    pub(super) instance: String,
}

/// The world and all that happened in it.
pub(super) struct World {
    scratch: Scratch,
    groups: Vec<Group>,
    rehearsal: Rehearsal,
    process: Option<Process>,
    /// How far the clock is from the seconds that passed, in milliseconds.
    offset: i64,
    second: i64,
    down_until: i64,
    hot: [bool; 2],
    /// By second.
    truth: Vec<[bool; 2]>,
    pub(super) told: Vec<Told>,
    /// Incidents that may have come twice, with what was told of them.
    in_flight: Vec<(String, &'static str)>,
    /// When each incident ended, in seconds that passed.
    ended: BTreeMap<String, i64>,
    /// When each was opened.
    opened: BTreeMap<String, i64>,
    silenced: Option<i64>,
}

impl World {
    pub(super) fn new() -> World {
        let (groups, rehearsal) = SCENE.clone();
        let scratch = Scratch::new();
        World {
            scratch,
            groups,
            rehearsal,
            process: None,
            offset: 0,
            second: 0,
            down_until: 0,
            hot: [false; 2],
            truth: Vec::new(),
            told: Vec::new(),
            in_flight: Vec::new(),
            ended: BTreeMap::new(),
            opened: BTreeMap::new(),
            silenced: None,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(BEGIN + self.second * 1000 + self.offset)
    }

    /// A second passes.
    pub(super) fn tick(&mut self, tick: &Tick) {
        self.hot[0] ^= tick.turn_a;
        self.hot[1] ^= tick.turn_b;
        self.truth.push(self.hot);
        self.offset += tick.jump * 1000;
        if self.second >= self.down_until {
            let mut process = match self.process.take() {
                Some(process) => process,
                None => self.start(),
            };
            if self.live(&mut process, tick) {
                self.process = Some(process);
            } else {
                self.crash(process, tick);
            }
        }
        self.second += 1;
    }

    /// All is cold for long enough that everything ends and is told.
    pub(super) fn come_to_rest(&mut self) {
        self.hot = [false; 2];
        for _ in 0..20 {
            self.tick(&Tick::QUIET);
        }
    }

    fn start(&mut self) -> Process {
        let now = self.now();
        let (ledger, _) = Ledger::open(self.scratch.path()).unwrap();
        ledger.record(&[self.rehearsal.joined(now)]);
        let settings = StoreSettings {
            retention: Duration::from_secs(86_400),
            max_bytes: 32 << 20,
        };
        Process {
            ledger,
            store: Store::new(&settings, now),
            slots: Slots::after(now.before(Duration::from_millis(1))),
            series: vec![Vec::new(); 2],
        }
    }

    /// What a process does in a second; whether it lives on.
    fn live(&mut self, process: &mut Process, tick: &Tick) -> bool {
        let now = self.now();
        self.silence(process);
        for (name, hot) in ["a", "b"].into_iter().zip(self.hot) {
            let source = source(name);
            let labels = Labels::new([("__name__", "heat"), ("instance", name)]);
            let heat = if hot { 9.0 } else { 1.0 };
            let sources = Sources::one(source.clone());
            process.store.append(now, &sources, [(labels, heat)]);
            process.store.succeeded(&source, now);
        }
        self.evaluate(process, tick) && self.tell(process, tick)
    }

    fn silence(&mut self, process: &Process) {
        let now = self.now();
        if self.second >= SILENCED && self.silenced.is_none() {
            self.silenced = Some(self.second);
            process.ledger.record(&[Event::Silenced(Silence {
                id: "s".into(),
                matchers: vec![Matcher::equal("instance", "b")],
                starts_at: now,
                ends_at: Timestamp(now.0 + SILENCE * 1000),
                created_by: "me".into(),
                comment: "maintenance".into(),
                updated_at: now,
            })]);
        }
        let known = process.ledger.read(|book| book.silences.contains_key("s"));
        assert_eq!(known, self.silenced.is_some(), "silences are kept");
    }

    fn evaluate(&mut self, process: &mut Process, tick: &Tick) -> bool {
        let groups = self.groups.clone();
        let group = &groups[0];
        // The slot of a second lies somewhere in it.
        let due = process.slots.due(group, Timestamp(self.now().0 + 999));
        let Some(due) = due else { return true };
        for (place, rule) in group.rules.iter().enumerate() {
            let turn = Turn {
                store: &process.store,
                ledger: &process.ledger,
                external_labels: &Labels::default(),
                external_url: "",
                turned: &|_| (),
                retired: &|_| false,
                fresh: &|source, slot| {
                    let last = process.store.last_success(source);
                    last.is_some_and(|last| slot.since(last) <= LIFETIME)
                },
            };
            let result = turn.evaluate(rule, group, due.slot, &process.series[place]);
            let evaluation = result.unwrap();
            if tick.crash == Some(Step::Evaluated) {
                return false;
            }
            let before = self.log_length();
            let news = news(&evaluation);
            process.series[place] = turn.carry(evaluation);
            for (change, incident) in news {
                let seconds = match change {
                    Change::Opened => &mut self.opened,
                    _ => &mut self.ended,
                };
                seconds.insert(incident, self.second);
            }
            if tick.crash == Some(Step::HalfLogged) && self.log_length() > before {
                self.tear(before, tick.torn);
                return false;
            }
            if tick.crash == Some(Step::Logged) {
                return false;
            }
        }
        true
    }

    fn tell(&mut self, process: &Process, tick: &Tick) -> bool {
        let now = Timestamp(self.now().0 + 999);
        let address = self.rehearsal.addresses().next().unwrap().to_owned();
        loop {
            let due = |book: &_| self.rehearsal.due(book, &address, now).0;
            let Some(message) = process.ledger.read(due) else {
                return true;
            };
            for line in &message.lines {
                self.told.push(Told {
                    second: self.second,
                    incident: line.incident.clone(),
                    reason: line.reason,
                    instance: line.alert.labels.get("instance").to_owned(),
                });
            }
            let flies = || {
                message
                    .lines
                    .iter()
                    .map(|line| (line.incident.clone(), line.reason))
            };
            if tick.crash == Some(Step::Sent) {
                self.in_flight.extend(flies());
                return false;
            }
            let before = self.log_length();
            process.ledger.record(&[message.taken(now)]);
            if tick.crash == Some(Step::HalfNoted) {
                self.in_flight.extend(flies());
                self.tear(before, tick.torn);
                return false;
            }
            if tick.crash == Some(Step::Noted) {
                return false;
            }
        }
    }

    fn crash(&mut self, process: Process, tick: &Tick) {
        drop(process);
        self.down_until = self.second + 1 + tick.down;
    }

    fn log_length(&self) -> u64 {
        fs::metadata(self.scratch.join("incidents.log"))
            .unwrap()
            .len()
    }

    /// Loses a part of what was written since.
    fn tear(&self, before: u64, torn: u16) {
        let written = self.log_length() - before;
        let log = OpenOptions::new()
            .write(true)
            .open(self.scratch.join("incidents.log"));
        let kept = written * (65_536 - u64::from(torn)) / 65_536;
        // At least the end of the line is lost.
        log.unwrap()
            .set_len(before + kept.min(written - 1))
            .unwrap();
    }

    /// How many incidents there were.
    pub(super) fn incidents(&self) -> usize {
        let told: BTreeSet<&str> = self.of("Hot").map(|told| told.incident.as_str()).collect();
        told.len()
    }

    fn of<'w>(&'w self, name: &'w str) -> impl Iterator<Item = &'w Told> {
        let process = self.process.as_ref().unwrap();
        self.told.iter().filter(move |told| {
            process.ledger.read(|book| {
                let alert = book.incident(&told.incident);
                alert.is_some_and(|alert| alert.labels.get("alertname") == name)
            })
        })
    }

    /// What may be expected of all that was told.
    pub(super) fn judge(&self) {
        let book = self.process.as_ref().unwrap().ledger.read(Clone::clone);
        assert_eq!(book.firing().count(), 0, "all has ended");
        let mut episodes = BTreeSet::new();
        for alert in &book.ended {
            let id = alert.incident().unwrap();
            assert_eq!(alert.state, AlertState::Resolved);
            let told: Vec<&Told> = self
                .told
                .iter()
                .filter(|told| told.incident == id)
                .collect();
            for reason in ["opened", "resolved"] {
                let count = told.iter().filter(|told| told.reason == reason).count();
                let flown = self.in_flight.iter();
                let flown = flown
                    .filter(|(flown, why)| *flown == id && *why == reason)
                    .count();
                assert!(count <= 1 + flown, "{id} {reason} {count} times: {told:?}");
            }
            let thing = usize::from(alert.labels.get("instance") == "b");
            let (opened, ended) = (self.opened[&id], self.ended[&id]);
            // What began and ended while it was silenced is told to nobody.
            let silenced = self.silenced.unwrap_or(i64::MAX - SILENCE - 3);
            let silenced = silenced - 3..silenced + SILENCE + 3;
            let hushed = thing == 1 && silenced.contains(&opened) && silenced.contains(&ended);
            assert!(hushed || !told.is_empty(), "{id} was not told");
            let last = told.last();
            assert!(
                last.is_none_or(|last| last.reason == "resolved"),
                "{id} is left open: {told:?}"
            );

            assert!(
                self.truth[opened as usize][thing],
                "{id} opened when it was cold"
            );
            assert!(
                !self.truth[ended as usize][thing],
                "{id} ended when it was hot"
            );
            // One episode, one incident, whoever watched meanwhile. Nobody can tell episodes apart that nobody saw end.
            let begin = (0..opened)
                .rev()
                .find(|second| !self.truth[*second as usize][thing]);
            let name = alert.labels.get("alertname").to_owned();
            assert!(
                episodes.insert((name, thing, begin)),
                "{id} is the second of its episode"
            );
        }
        for told in &self.told {
            assert!(
                book.incident(&told.incident).is_some(),
                "told of, but not on the disk: {told:?}"
            );
            let silenced = self.silenced.unwrap_or(i64::MAX - SILENCE);
            let hushed = (silenced..silenced + SILENCE - 1).contains(&told.second);
            let due = told.reason == "opened" && told.instance == "b";
            assert!(
                !(hushed && due && self.offset == 0),
                "told of while silenced: {told:?}"
            );
        }
    }
}

fn news(evaluation: &Evaluation) -> Vec<(Change, String)> {
    let transitions = evaluation.transitions.iter();
    let ends = transitions.filter(|news| matches!(news.change, Change::Opened | Change::Resolved));
    ends.filter_map(|news| Some((news.change, news.alert.incident()?)))
        .collect()
}

fn source(name: &str) -> Source {
    Source::new(name, "", "heat")
}
