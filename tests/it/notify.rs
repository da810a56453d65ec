//! Delivery to servers that behave as badly as real ones, and to a real Alertmanager.

mod alertmanager;
mod bot;
mod command;
mod contract;
mod email;
mod heartbeat;
mod links;
mod pagerduty;
mod path;
mod postfix;
mod recipients;
mod secrets;
mod slack;
mod storm;
mod webhook;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pgvigil::document::{Problem, Reader, parse};
use pgvigil::incident::Ledger;
use pgvigil::notify::{self, Context, Settings, Tally};
use pgvigil::rules::Alert;
use pgvigil::sample::{Labels, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::eventually;
use crate::incident::{firing, opened, resolved};

/// On a machine that does other things too.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The senders at work on a ledger.
struct Senders {
    ledger: Arc<Ledger>,
    tally: Arc<Tally>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Senders {
    fn start(receivers: &str, ledger: Ledger) -> Senders {
        Senders::with(settings(receivers), ledger)
    }

    fn with(settings: Settings, ledger: Ledger) -> Senders {
        let (ledger, tally) = (Arc::new(ledger), Arc::new(Tally::default()));
        let stop = CancellationToken::new();
        let task = tokio::spawn(notify::run(
            settings,
            ledger.clone(),
            context(),
            tally.clone(),
            stop.clone(),
        ));
        Senders {
            ledger,
            tally,
            stop,
            task,
        }
    }

    /// Opens an incident that is old enough to be told at once.
    fn fire(&self, name: &str) -> Alert {
        let alert = firing(name, Timestamp::now().before(Duration::from_secs(5)));
        self.ledger.record(&[opened(&alert)]);
        alert
    }

    fn end(&self, alert: &Alert) {
        self.ledger.record(&[resolved(alert, Timestamp::now())]);
    }

    fn error(&self, address: &str) -> Option<String> {
        self.tally
            .all()
            .get(address)
            .and_then(|status| status.error.clone())
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// As `kill -9` would end it: in the middle of whatever it does.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
        let gone = || (Arc::strong_count(&self.ledger) == 1).then_some(());
        eventually("nobody holds the ledger any more", DEADLINE, gone);
    }
}

fn settings(receivers: &str) -> Settings {
    // TLS has no default provider of cryptography; a second installation is refused, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let reader = Reader::new(None);
    let root = parse("x.yml", &format!("receivers: [{receivers}]")).unwrap();
    let settings = reader.read(&root, Settings::read);
    let problems: Vec<String> = reader.problems().iter().map(Problem::to_string).collect();
    assert!(problems.is_empty(), "{problems:?}");
    settings
}

fn context() -> Context {
    let rule = firing("A", Timestamp(0)).rule;
    Context {
        external_url: "https://pgvigil.example".into(),
        external_labels: Labels::new([("cluster", "prod")]),
        expressions: notify::Expressions::new(move |alert| {
            (alert.rule == rule).then(|| "a > 80 and b".to_owned())
        }),
        links: None,
        ..Context::default()
    }
}

fn ledger(dir: &Path) -> Ledger {
    Ledger::open(dir).unwrap().0
}
