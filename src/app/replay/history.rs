//! What the store held, fed to a second one as it came: so that rules see at each slot what there was then, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::rules::Group;
use crate::sample::{Labels, Source, Sources, Timestamp, is_stale};
use crate::scrape::{INTERVAL, LAST_SUCCESS};
use crate::store::{Matcher, Settings, Store, Test};

/// So much is unpacked at a time.
const WINDOW: Duration = Duration::from_secs(600);

/// What was read stays valid for as many intervals.
const LIFETIME: u32 = 3;

/// What is not known to be read otherwise is read this often.
const USUAL: Duration = Duration::from_secs(15);

/// A source, as the history tells of it.
#[derive(Debug, Default)]
struct Known {
    interval: Option<Duration>,
    /// Whether pgvigil wrote down when it was read; of the others that shows in their samples alone.
    told: bool,
    /// Whether its last word was its end.
    retired: bool,
    /// When it was last read, as its samples show, and how long after the times before.
    read: Option<Timestamp>,
    pauses: [Option<Duration>; 3],
}

impl Known {
    /// Notes that a sample was written. `false` where that is no news.
    fn seen(&mut self, at: Timestamp) -> bool {
        if self.told || self.read.is_some_and(|read| read >= at) {
            return false;
        }
        let pause = self.read.replace(at).map(|read| at.since(read));
        if pause.is_some() {
            self.pauses.rotate_right(1);
            self.pauses[0] = pause;
        }
        true
    }

    /// How often it is read; the middle one of three pauses is neither an outage nor a restart.
    fn interval(&self) -> Duration {
        let mut pauses = self.pauses;
        pauses.sort_unstable();
        let interval = self.interval.or(pauses[1]).or(pauses[2]);
        interval.unwrap_or(USUAL).max(USUAL)
    }
}

/// One sample on its way.
type Due = (Timestamp, usize, f64);

/// A store as it was, and what of it has come to pass.
pub(super) struct History<'s> {
    stored: &'s Store,
    store: Store,
    start: Timestamp,
    until: Timestamp,
    /// What rules write is theirs to write.
    left_out: BTreeSet<String>,
    known: BTreeMap<Source, Known>,
    unpacked: Timestamp,
    names: Vec<(Labels, Sources)>,
    /// Latest first.
    coming: Vec<Due>,
}

impl<'s> History<'s> {
    /// The history in a store until a moment, for rules that write their own series anew.
    pub(super) fn of(stored: &'s Store, groups: &[Group], until: Timestamp) -> History<'s> {
        let rules = || groups.iter().flat_map(|group| &group.rules);
        let recorded = rules().filter(|rule| rule.alerting().is_none());
        let recorded = recorded.map(|rule| rule.name.to_string());
        let start = stored.covers_since().max(oldest(stored, until));
        let settings = Settings {
            retention: Duration::from_millis(u64::MAX),
            max_bytes: 1 << 40,
        };
        let mut known = BTreeMap::new();
        for group in groups {
            for source in group.rules.iter().filter_map(|rule| rule.source()) {
                let interval = Some(group.interval);
                known.insert(
                    source,
                    Known {
                        interval,
                        ..Known::default()
                    },
                );
            }
        }
        History {
            stored,
            store: Store::new(&settings, start),
            start,
            until,
            left_out: recorded
                .chain(["ALERTS", "ALERTS_FOR_STATE"].map(str::to_owned))
                .collect(),
            known,
            unpacked: start.before(Duration::from_millis(1)),
            names: Vec::new(),
            coming: Vec::new(),
        }
    }

    /// Where it begins.
    pub(super) fn start(&self) -> Timestamp {
        self.start
    }

    /// What has come to pass.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Lets everything come to pass until a moment.
    pub(super) fn feed(&mut self, now: Timestamp) {
        loop {
            while let Some((at, name, value)) = self.coming.pop_if(|(at, ..)| *at <= now) {
                let (labels, sources) = &self.names[name];
                self.store.append(at, sources, [(labels.clone(), value)]);
                let (labels, sources) = (labels.clone(), sources.clone());
                self.learn(&labels, at, value);
                if !is_stale(value) {
                    self.see(&sources, at);
                }
            }
            if !self.coming.is_empty() || self.unpacked >= now {
                return;
            }
            self.unpack();
        }
    }

    /// Whether a source's end is in what has come to pass.
    pub(super) fn retired(&self, source: &Source) -> bool {
        match self.known.get(source) {
            Some(known) if known.told => known.retired,
            _ => self.server_retired(&source.server),
        }
    }

    /// Whether everything of a server that tells its end has ended.
    fn server_retired(&self, server: &str) -> bool {
        let told = self.known.iter().filter(|(source, known)| {
            known.told && !source.server.is_empty() && *source.server == *server
        });
        let mut told = told.map(|(_, known)| known.retired).peekable();
        told.peek().is_some() && told.all(|retired| retired)
    }

    /// Whether what a source last read counts at a moment.
    pub(super) fn fresh(&self, source: &Source, at: Timestamp) -> bool {
        let interval = self.known.get(source).map_or(USUAL, Known::interval);
        let lifetime = interval * LIFETIME;
        let last = self.store.last_success(source);
        last.is_some_and(|last| at.since(last) <= lifetime)
    }

    fn unpack(&mut self) {
        let (after, until) = (self.unpacked, (self.unpacked + WINDOW).min(self.until));
        self.unpacked = if until == self.until {
            Timestamp(i64::MAX)
        } else {
            until
        };
        self.names.clear();
        for series in self.stored.select(&[], after, until) {
            if self.left_out.contains(series.labels.metric()) {
                continue;
            }
            let name = self.names.len();
            let points = series.points.iter();
            self.coming
                .extend(points.map(|(at, value)| (*at, name, *value)));
            self.names.push((series.labels, series.sources));
        }
        self.coming
            .sort_unstable_by_key(|(at, ..)| std::cmp::Reverse(*at));
    }

    /// What a sample shows of the sources that it came from. What a rule wrote may rest on what was read long before.
    fn see(&mut self, sources: &Sources, at: Timestamp) {
        if sources.iter().any(Source::is_rule) {
            return;
        }
        for source in sources.iter() {
            let news = match self.known.get_mut(source) {
                Some(known) => known.seen(at),
                None => self.known.entry(source.clone()).or_default().seen(at),
            };
            if news {
                self.store.succeeded(source, at);
            }
        }
    }

    /// What pgvigil wrote down of its own reading.
    fn learn(&mut self, labels: &Labels, at: Timestamp, value: f64) {
        let metric = labels.metric();
        if metric != LAST_SUCCESS.name && metric != INTERVAL.name {
            return;
        }
        let [server, database, collector] =
            ["server", "database", "collector"].map(|name| labels.get(name));
        let source = Source::new(server, database, collector);
        let known = self.known.entry(source.clone()).or_default();
        if metric == INTERVAL.name {
            if !is_stale(value) {
                known.interval = Duration::try_from_secs_f64(value).ok();
            }
            return;
        }
        known.told = true;
        known.retired = is_stale(value);
        if !known.retired {
            self.store
                .succeeded(&source, Timestamp::from_seconds(value).min(at));
        }
    }
}

/// When the first sample was taken, as far as pgvigil tells: its own metrics are always there.
fn oldest(stored: &Store, until: Timestamp) -> Timestamp {
    let own = Matcher {
        name: "__name__".into(),
        test: Test::Equal("pgvigil_build_info".into()),
    };
    let long_ago = Timestamp(i64::MIN);
    let firsts = |matchers: &[Matcher]| {
        let series = stored.select(matchers, long_ago, until);
        let firsts = series.iter().filter_map(|series| series.points.first());
        firsts.map(|(at, _)| *at).min()
    };
    firsts(&[own]).or_else(|| firsts(&[])).unwrap_or(until)
}
