//! What the pages say, as plain values.
//! Takes the view and the time; hands an [`Overview`] and its like to the pages.

mod advice;
mod alerts;
mod backups;
mod checklist;
mod deliveries;
mod facts;
mod graph;
mod headline;
mod history;
mod rules;
mod servers;
mod silences;
mod trends;
mod troubles;

use std::sync::Arc;
use std::time::Duration;

use super::View;
use crate::backup::Account;
use crate::sample::Timestamp;

pub use advice::{Advice, Finding, Topic};
pub use alerts::Notice;
pub use backups::Backup;
pub use checklist::account;
pub use deliveries::{DeadLetter, Telling};
pub use facts::Fact;
pub use graph::{Course, Graph};
pub use headline::Headline;
pub use history::{History, Step, Story};
pub use rules::{RuleGroup, RuleLine, Rules, RulesBrief};
pub use servers::{Server, Standing};
pub use silences::Quiet;
pub use trends::Trend;
pub use troubles::{Address, Trouble};

/// How much something asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Cannot be judged.
    #[default]
    Unknown,
    /// Worth knowing.
    Info,
    /// Look at it today.
    Warning,
    /// Get up.
    Critical,
}

/// How many incidents that ended the status page names.
const ENDED: usize = 5;

/// When and by whom a page was drawn up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edition {
    /// When it was drawn up.
    pub now: Timestamp,
    /// For how long pgvigil has run.
    pub running: Duration,
    /// pgvigil's version.
    pub version: &'static str,
}

/// Everything on the status page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overview {
    /// When it was drawn up.
    pub edition: Edition,
    /// The one sentence above everything.
    pub headline: Headline,
    /// Alerts that fire, the worst first, and of these the newest.
    pub firing: Vec<Notice>,
    /// Alerts that fire and that nobody is told of.
    pub silenced: Vec<Notice>,
    /// Alerts whose condition holds, not yet for long enough.
    pub pending: Vec<Notice>,
    /// The latest incidents that ended, the latest first.
    pub ended: Vec<Notice>,
    /// The watched servers in the order of the configuration.
    pub servers: Vec<Server>,
    /// The watched PgBouncers.
    pub pgbouncers: Vec<Server>,
    /// The watched nodes of Patroni.
    pub patronis: Vec<Server>,
    /// The backup sources by name.
    pub backups: Vec<Backup>,
    /// Their drills and their checklist.
    pub account: Account,
    /// What could be better, by topic, without the topics that have nothing.
    pub advice: Vec<Topic>,
    /// The rules in short.
    pub rules: RulesBrief,
    /// Silences that hold or will.
    pub silences: Vec<Quiet>,
    /// What could not be read.
    pub troubles: Vec<Trouble>,
    /// Everyone who is told.
    pub addresses: Vec<Address>,
    /// Messages that were given up, newest first.
    pub dead: Vec<DeadLetter>,
    /// Whether incidents are safe on the disk.
    pub log_written: bool,
    /// Snapshots of the history that were of no use and are kept for a look.
    pub damaged: Vec<String>,
}

/// When and by whom the page is drawn up.
pub fn edition(view: &View, now: Timestamp) -> Edition {
    Edition {
        now,
        running: now.since(view.started),
        version: view.version,
    }
}

/// Draws up the status page.
pub fn overview(view: &View, now: Timestamp) -> Overview {
    let (edition, statuses) = (edition(view, now), view.board.statuses());
    let (notices, mut ended, silences, dead) = view.ledger.read(|book| {
        (
            alerts::notices(book, now),
            history::ended(book, now),
            silences::silences(book, now),
            deliveries::dead_letters(book),
        )
    });
    ended.truncate(ENDED);
    let span = trends::span(&view.store, now);
    let of = |product, names: &[Arc<str>]| {
        servers::servers(product, names.iter(), &view.store, &statuses, span, now)
    };
    let mut advice = advice::advice(view, edition).topics;
    advice.retain(|topic| topic.count() > 0);
    let account = account(view, now);
    let mut overview = Overview {
        edition,
        headline: Headline::default(),
        servers: of(&servers::POSTGRESQL, &view.servers),
        pgbouncers: of(&servers::PGBOUNCER, &watched(view, "pgbouncer")),
        patronis: of(&servers::PATRONI, &watched(view, "patroni")),
        backups: backups::backups(
            &view.store,
            &statuses,
            &account.sources,
            &notices.firing,
            now,
        ),
        account,
        advice,
        rules: rules::brief(view),
        troubles: troubles::troubles(&statuses),
        addresses: troubles::addresses(view.tally.all()),
        damaged: troubles::damaged(&view.store, now),
        log_written: view.ledger.healthy(),
        firing: notices.firing,
        silenced: notices.silenced,
        pending: notices.pending,
        ended,
        silences,
        dead,
    };
    overview.headline = headline::headline(&overview);
    overview
}

/// Draws up the page of all incidents.
pub fn history(view: &View, now: Timestamp) -> History {
    view.ledger.read(|book| History {
        edition: edition(view, now),
        open: history::open(book, now),
        ended: history::ended(book, now),
    })
}

/// Draws up the page of one incident; `None` where none is known by this id.
pub fn story(view: &View, incident: &str, now: Timestamp) -> Option<Story> {
    let edition = edition(view, now);
    view.ledger
        .read(|book| history::story(book, incident, edition))
}

/// Draws up the page of the rules.
pub fn rules(view: &View, now: Timestamp) -> Rules {
    let edition = edition(view, now);
    view.ledger.read(|book| rules::rules(view, book, edition))
}

/// Draws up the page of an expression.
pub fn graph(view: &View, expression: &str, now: Timestamp) -> Graph {
    graph::graph(view, expression, edition(view, now))
}

/// Draws up the page of advice.
pub fn advice(view: &View, now: Timestamp) -> Advice {
    advice::advice(view, edition(view, now))
}

/// The names of what is watched beside servers.
fn watched(view: &View, pool: &str) -> Vec<Arc<str>> {
    let watched = view.api.watched.iter();
    let watched = watched.filter(|watched| watched.pool == pool);
    watched.map(|watched| watched.name.clone()).collect()
}
