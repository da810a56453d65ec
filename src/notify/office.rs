//! What all senders share: the policy, the ledger they read and report to, and the pauses between two messages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::policy::Policy;
use super::{Context, Tally};
use crate::incident::{Event, Ledger};
use crate::sample::{Labels, Timestamp};

/// How long a message may still take once we are told to stop.
pub(super) const LAST_TRY: Duration = Duration::from_secs(5);

/// The clock may be set while we wait, so no wait for a moment is longer.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The log is told again of a receiver that takes nothing, this long after it was told last.
const SAY_AGAIN: Duration = Duration::from_secs(3600);

/// What all senders share.
#[derive(Debug, Clone)]
pub(super) struct Office {
    pub(super) policy: Arc<Policy>,
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
            status.logged = None;
            status.error.take()
        });
        if before.is_some() {
            info!(receiver.name = address, "messages are taken again");
        }
    }

    /// Counts a try that is repeated; logged when it is the first in a row, and once an hour while they last.
    pub(super) fn delayed(&self, address: &str, reason: &str) {
        let now = Timestamp::now();
        let (is_news, waiting) = self.tally.update(address, |status| {
            status.retried += 1;
            status.error = Some(reason.to_owned());
            let is_news = status.logged.is_none_or(|at| now.since(at) >= SAY_AGAIN);
            if is_news {
                status.logged = Some(now);
            }
            (is_news, status.waiting)
        });
        if is_news {
            warn!(
                receiver.name = address,
                incidents.waiting = waiting,
                error = reason,
                "message not taken, trying again"
            );
        }
    }

    /// Notes that a sender has looked at what is due, and for how long it rests.
    pub(super) fn rests(&self, address: &str, span: Duration) {
        let now = Timestamp::now();
        self.tally.update(address, |status| {
            status.last_look = Some(now);
            status.next_look = now + span;
        });
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
            status.logged = Some(Timestamp::now());
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
    /// For how long, at most.
    pub(super) span: Duration,
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

    fn office() -> Office {
        Office {
            policy: Arc::default(),
            ledger: Arc::new(Ledger::memory()),
            context: Arc::new(Context::default()),
            tally: Arc::new(Tally::default()),
        }
    }

    /// What the log is told meanwhile.
    fn said(act: impl FnOnce()) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let logging = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(file.reopen().unwrap())
            .finish();
        tracing::subscriber::with_default(logging, act);
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn a_receiver_that_takes_nothing_is_named_once_an_hour() {
        let office = office();
        let delay = || said(|| office.delayed("oncall", "answered 401"));
        assert!(delay().contains("receiver.name=\"oncall\""));
        assert_eq!(delay(), "");
        let hour_ago = Timestamp::now().before(SAY_AGAIN);
        office
            .tally
            .update("oncall", |status| status.logged = Some(hour_ago));
        assert!(delay().contains("error=\"answered 401\""));
        assert_eq!(delay(), "");
        assert!(said(|| office.taken("oncall")).contains("messages are taken again"));
        assert!(
            delay().contains("message not taken"),
            "a new failure is news"
        );
    }

    #[test]
    fn the_log_names_what_was_refused() {
        let office = office();
        let alerts = ["B", "A", "B"].map(|name| Labels::new([("alertname", name)]));
        let said = said(|| office.refused("oncall", "550 no such user", alerts.iter()));
        let expected = "receiver.name=\"oncall\" alert.names=\"A, B\" error=\"550 no such user\"";
        assert!(said.contains(expected), "{said}");
        assert_eq!(office.tally.all()["oncall"].failed, 1);
    }
}
