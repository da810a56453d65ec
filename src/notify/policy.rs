//! Who is told of which alert, on which terms, and when they may be told. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::inhibit::Inhibition;
use super::settings::{Entry, Settings, Terms};
use super::window::Window;
use crate::incident::{Book, Silence, SilenceState};
use crate::rules::Alert;
use crate::sample::{Labels, Source, Timestamp};

/// The alert that always fires, for machines that notice its absence. People get it only where the policy names it.
pub const WATCHDOG: &str = "Watchdog";

/// What the configuration says of who is told of what.
#[derive(Debug, Clone, Default)]
pub(super) struct Policy {
    entries: Vec<Entry>,
    pub(super) inhibitions: Vec<Inhibition>,
    /// When each receiver may be told, where it says so.
    windows: BTreeMap<String, Window>,
}

/// One way on which an alert comes to a receiver.
#[derive(Debug, Clone, Default)]
pub(super) struct Route<'a> {
    pub(super) terms: Terms,
    pub(super) times: Times<'a>,
}

/// When a receiver may be told of an alert.
#[derive(Debug, Clone, Default)]
pub(super) struct Times<'a> {
    /// All of them must be open.
    windows: Vec<&'a Window>,
    /// None of them must hold.
    silences: Vec<&'a Silence>,
}

impl Policy {
    /// What the settings say.
    pub(super) fn of(settings: &Settings) -> Self {
        let receivers = settings.receivers.iter();
        let windows =
            receivers.filter_map(|receiver| Some((receiver.name.clone(), receiver.when.clone()?)));
        Policy {
            entries: settings.policy.clone(),
            inhibitions: settings.inhibit.clone(),
            windows: windows.collect(),
        }
    }

    /// Whether an alert with these labels comes to a receiver at all, at one time or another.
    pub(super) fn names(&self, receiver: &str, labels: &Labels) -> bool {
        let silent = Book::default();
        !self.routes(receiver, labels, &silent).is_empty()
    }

    /// The ways on which an alert comes to a receiver: that of the first entry that names both, and where that has a
    /// window those of further ones, for one of them may be open while it is not. None when it does not come.
    pub(super) fn routes<'a>(
        &'a self,
        receiver: &str,
        labels: &Labels,
        book: &'a Book,
    ) -> Vec<Route<'a>> {
        let silences = book.silences.values();
        let route = |terms, window: Option<&'a Window>| Route {
            terms,
            times: Times {
                windows: window
                    .into_iter()
                    .chain(self.windows.get(receiver))
                    .collect(),
                silences: silences
                    .clone()
                    .filter(|silence| {
                        silence
                            .matchers
                            .iter()
                            .all(|matcher| matcher.matches(labels))
                    })
                    .collect(),
            },
        };
        let anybody = labels.get("alertname") != WATCHDOG;
        if self.entries.is_empty() && anybody {
            return vec![route(Terms::default(), None)];
        }
        let mut routes = Vec::new();
        for entry in &self.entries {
            let named = anybody || !entry.matchers.is_empty();
            if !named || !entry.matchers.iter().all(|matcher| matcher.matches(labels)) {
                continue;
            }
            let told = entry.to.iter().any(|name| name == receiver);
            if told {
                routes.push(route(entry.terms, entry.when.as_ref()));
            }
            if !entry.goes_on || told && entry.when.is_none() {
                break;
            }
        }
        routes
    }
}

impl Times<'_> {
    /// The first moment not before `at` at which it may be told; `None` when there is none that one could wait for.
    pub(super) fn first(&self, at: Timestamp) -> Option<Timestamp> {
        // Each silence ends once, and two windows that are never open together show that within two weeks.
        let most = self.silences.len() + 2 * 14 * self.windows.len() + 1;
        let mut now = at;
        for _ in 0..most {
            let opened = self
                .windows
                .iter()
                .fold(now, |now, window| window.opens(now));
            let holding = self
                .silences
                .iter()
                .filter(|silence| silence.state(opened) == SilenceState::Active);
            let then = holding
                .map(|silence| silence.ends_at)
                .max()
                .unwrap_or(opened);
            if then == now {
                return Some(now);
            }
            now = then;
        }
        None
    }
}

/// Whether the two are ever open together, in winter or in summer.
pub(super) fn ever_meet(one: &Window, other: &Window) -> bool {
    let times = Times {
        windows: vec![one, other],
        silences: Vec::new(),
    };
    let half_a_year = Duration::from_secs(183 * 24 * 3600);
    let winter = Timestamp::default();
    [winter, winter + half_a_year]
        .into_iter()
        .any(|at| times.first(at).is_some())
}

/// Whether an alert of pgvigil's own says that this address cannot be told, so that it is no use to tell it so.
pub(super) fn is_about(alert: &Alert, receiver: &str, address: &str) -> bool {
    let mut sources = alert.sources.iter();
    let named = |name: &str, value: &str| alert.labels.get(name) == value;
    sources.any(Source::is_own)
        && named("receiver", receiver)
        && (named("address", "") || named("address", address))
}
