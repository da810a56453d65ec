//! What has to be done again and again beside the rooms, and once when a configuration takes over from another.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::incident::{Event, Ledger};
use crate::rules::RuleSet;
use crate::sample::Timestamp;
use crate::scrape::Board;
use crate::store::Keeper;

/// How often is looked whether a source of the configuration before is in this one.
const SETTLED: Duration = Duration::from_secs(1);

/// How often is looked whether the incident log is to be written again or made small.
const TENDED: Duration = Duration::from_secs(5);

/// Writes the incident log anew as soon as the disk takes it, and makes it small when it has grown.
pub(super) async fn keep(ledger: Arc<Ledger>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TENDED) => {
                let ledger = ledger.clone();
                // It may take as long as the disk does, and nobody should wait for it.
                if let Err(error) = tokio::task::spawn_blocking(move || ledger.tend()).await {
                    tracing::error!(%error, "cannot tend the incident log");
                }
            }
        }
    }
}

/// Writes the history down again and again.
pub(super) async fn keep_history(
    keeper: Arc<Keeper>,
    interval: Option<Duration>,
    stop: CancellationToken,
) {
    let Some(interval) = interval else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {
                tokio::task::block_in_place(|| keeper.save(Timestamp::now()));
            }
        }
    }
}

/// Ends the series of sources that the configuration before had and this one has not (Y4): their server left, or their
/// collector is off. What is not known yet is looked at again.
pub(super) async fn leave(before: Arc<Board>, board: Arc<Board>, stop: CancellationToken) {
    let sources = before.successes(None).into_iter();
    let mut left: Vec<_> = sources.map(|(source, _)| source).collect();
    while !left.is_empty() && !stop.is_cancelled() {
        let now = Timestamp::now();
        left.retain(|source| {
            let retired = board.retired(source);
            if retired {
                before.retire(source, now);
            }
            !retired && !board.fresh(source, now)
        });
        stop.run_until_cancelled(tokio::time::sleep(SETTLED)).await;
    }
}

/// Alerts whose rule is gone end now, so that whoever was told of them is told of their end.
pub(super) fn end_orphans(rules: &RuleSet, ledger: &Ledger, now: Timestamp) {
    let ended: Vec<Event> = ledger.read(|book| {
        let orphans = rules.orphans(book.alerts.values());
        orphans
            .into_iter()
            .map(|alert| Event::Alert(alert.ended(now)))
            .collect()
    });
    ledger.record(&ended);
}
