//! What all senders share: the policy, the ledger they read and report to, and the pauses between two messages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::settings::Entry;
use super::{Context, Tally};
use crate::incident::{Event, Ledger};
use crate::sample::{Labels, Timestamp};

/// How long a message may still take once we are told to stop.
pub(super) const LAST_TRY: Duration = Duration::from_secs(5);

/// The clock may be set while we wait, so no wait for a moment is longer.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What all senders share.
#[derive(Debug, Clone)]
pub(super) struct Office {
    pub(super) policy: Arc<[Entry]>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) context: Arc<Context>,
    pub(super) tally: Arc<Tally>,
}

impl Office {
    /// Notes an event. The disk may be slow, and other senders should not wait for it.
    pub(super) async fn record(&self, event: Event) {
        let ledger = self.ledger.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || ledger.record(&[event])).await {
            error!(%error, "cannot note a delivery");
        }
    }

    /// Counts a message that was taken.
    pub(super) fn taken(&self, address: &str) {
        let before = self.tally.update(address, |status| {
            status.delivered += 1;
            status.last_success = Some(Timestamp::now());
            status.error.take()
        });
        if before.is_some() {
            info!(receiver.name = address, "messages are taken again");
        }
    }

    /// Counts a try that is repeated; logged when it is the first in a row.
    pub(super) fn delayed(&self, address: &str, reason: &str) {
        let before = self.tally.update(address, |status| {
            status.retried += 1;
            status.error.replace(reason.to_owned())
        });
        if before.is_none() {
            warn!(
                receiver.name = address,
                error = reason,
                "message not taken, trying again"
            );
        }
    }

    /// Counts a message that was refused for good; the log names the alerts in it.
    pub(super) fn refused<'a>(
        &self,
        address: &str,
        reason: &str,
        alerts: impl Iterator<Item = &'a Labels>,
    ) {
        self.tally.update(address, |status| {
            status.failed += 1;
            status.error = Some(reason.to_owned());
        });
        let names: BTreeSet<&str> = alerts.map(|labels| labels.get("alertname")).collect();
        error!(
            receiver.name = address,
            alert.names = Vec::from_iter(names).join(", "),
            error = reason,
            "message refused for good"
        );
    }
}

/// What to do between two messages.
pub(super) struct Pause {
    span: Duration,
    /// Whether news ends it.
    wakes: bool,
}

impl Pause {
    /// A pause that nothing shortens.
    pub(super) fn of(span: Duration) -> Self {
        Pause { span, wakes: false }
    }

    /// Until a moment, or until something happens.
    pub(super) fn until(next: Option<Timestamp>) -> Self {
        let span = next.map_or(LOOK_AGAIN, |next| next.since(Timestamp::now()));
        Pause {
            span: span.min(LOOK_AGAIN),
            wakes: true,
        }
    }

    /// Waits; whether to go on.
    pub(super) async fn wait(
        self,
        changes: &mut watch::Receiver<u64>,
        stop: &CancellationToken,
    ) -> bool {
        tokio::select! {
            () = stop.cancelled() => false,
            () = sleep(self.span) => true,
            _ = changes.changed(), if self.wakes => true,
        }
    }
}

/// Ends when a message that was under way at `stop` has had its time.
pub(super) async fn late(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(LAST_TRY).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_what_was_refused() {
        let office = Office {
            policy: Arc::new([]),
            ledger: Arc::new(Ledger::memory()),
            context: Arc::new(Context::default()),
            tally: Arc::new(Tally::default()),
        };
        let alerts = ["B", "A", "B"].map(|name| Labels::new([("alertname", name)]));
        let file = tempfile::NamedTempFile::new().unwrap();
        let logging = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(file.reopen().unwrap())
            .finish();
        tracing::subscriber::with_default(logging, || {
            office.refused("oncall", "550 no such user", alerts.iter());
        });
        let said = std::fs::read_to_string(file.path()).unwrap();
        let expected = "receiver.name=\"oncall\" alert.names=\"A, B\" error=\"550 no such user\"";
        assert!(said.contains(expected), "{said}");
        assert_eq!(office.tally.all()["oncall"].failed, 1);
    }
}
