//! One endpoint at work: gathers what the store takes, and sends it in order, one request at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::answer::{Failure, Kind};
use super::courier::Courier;
use super::metadata;
use super::numbers::Loss;
use super::outbox::Outbox;
use super::pace::Backoff;
use super::queue::Parcel;
use super::settings::Settings;
use crate::sample::{Labels, Sample, Timestamp};
use crate::scrape::Board;
use crate::store::{Follower, Store};

/// So many samples may wait to be gathered, which happens at once: several times what all servers together have.
const UNGATHERED: usize = 1 << 20;

/// How long a request that is under way at the end may still take, and then what is left.
const FAREWELL: Duration = Duration::from_secs(3);

/// An endpoint with what it hears, and what waits for it.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) settings: Settings,
    external_labels: Labels,
    follower: Follower,
    outbox: Arc<Outbox>,
}

impl Endpoint {
    /// Hears of what `store` takes from now on. What waits goes over from the endpoint that had the name before.
    pub(super) fn new(
        settings: Settings,
        external_labels: Labels,
        store: &Arc<Store>,
        before: Option<&Endpoint>,
    ) -> Self {
        let follow = || store.follow(UNGATHERED);
        let (follower, outbox) = match before {
            Some(before) => {
                before.gather_rest();
                let goes_on = before.follower.is_of(store);
                let follower = goes_on.then(|| before.follower.clone());
                (follower.unwrap_or_else(follow), before.outbox.clone())
            }
            None => (follow(), Arc::default()),
        };
        Endpoint {
            settings,
            external_labels,
            follower,
            outbox,
        }
    }

    /// Gathers and sends until stopped. A request that is under way then may still end, so that it need not be sent
    /// again.
    pub(super) async fn run(&self, board: &Board, stop: &CancellationToken) {
        let describing = metadata::describe(board, &self.settings, &self.outbox);
        let gathering = async { tokio::join!(self.gather_all(), describing) };
        tokio::join!(stop.run_until_cancelled(gathering), self.send_all(stop));
    }

    /// Sends what is left, as long as the endpoint takes it, and says what it was not told.
    pub(super) async fn farewell(&self) {
        self.gather_rest();
        let _ = timeout(FAREWELL, self.send_rest()).await;
        self.tell_left("the endpoint did not take them before the end");
    }

    /// Says in the log what waits and will not be sent.
    pub(super) fn tell_left(&self, reason: &str) {
        let samples = self.outbox.backlog().samples;
        if samples > 0 {
            let name = &self.settings.name;
            tracing::warn!(remote.name = name, samples, reason, "samples are lost");
        }
    }

    /// How it is doing.
    pub(super) fn samples(&self) -> Vec<Sample> {
        self.outbox.samples(&self.settings.name)
    }

    async fn gather_all(&self) {
        loop {
            let due = self.outbox.begun();
            let due = due.map(|begun| begun + self.settings.limits.deadline);
            tokio::select! {
                () = self.follower.ready() => {
                    self.gather();
                    // A whole cycle may have come at once; others want to go on meanwhile.
                    tokio::task::yield_now().await;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.outbox.close(self.settings.limits.max_bytes);
                }
            }
        }
    }

    /// Takes what there is, up to the end of a request; whether there was anything.
    fn gather(&self) -> bool {
        let limits = &self.settings.limits;
        let taken = self.follower.take(self.outbox.room(limits.per_send));
        let any = !taken.samples.is_empty() || taken.missed > 0;
        self.outbox.lose(Loss::Missed, taken.missed);
        self.outbox.add(
            &taken.samples,
            &self.external_labels,
            &self.settings.relabel,
        );
        if self.outbox.room(limits.per_send) == 0 {
            self.outbox.close(limits.max_bytes);
        }
        any
    }

    /// Takes all there is, and lets it be sent.
    fn gather_rest(&self) {
        while self.gather() {}
        self.outbox.close(self.settings.limits.max_bytes);
    }

    async fn send_all(&self, stop: &CancellationToken) {
        let mut courier = Courier::new(&self.settings);
        let mut backoff = Backoff::new(self.settings.limits.backoff);
        while let Some(parcel) = stop.run_until_cancelled(self.outbox.queue.next()).await {
            let sent = tokio::select! {
                sent = self.send(&mut courier, parcel) => sent,
                () = late(stop) => break,
            };
            match sent {
                Ok(()) => backoff.reset(),
                Err(wish) => {
                    let pause = sleep(backoff.after_failure(wish));
                    stop.run_until_cancelled(pause).await;
                }
            }
        }
        self.outbox.queue.put_back();
    }

    async fn send_rest(&self) {
        let mut courier = Courier::new(&self.settings);
        while let Some(parcel) = self.outbox.queue.take_up() {
            if self.send(&mut courier, parcel).await.is_err() {
                return;
            }
        }
    }

    /// Sends a parcel and notes what became of it. The error is for how long the endpoint wants to be left alone.
    async fn send(
        &self,
        courier: &mut Courier<'_>,
        parcel: Parcel,
    ) -> Result<(), Option<Duration>> {
        let (name, outbox) = (&self.settings.name, &self.outbox);
        if self.is_too_old(&parcel) {
            outbox.given_up(&parcel, Loss::TooOld);
            return Ok(());
        }
        match courier.carry(parcel.body.clone()).await {
            Ok(()) => {
                outbox.taken(name, &parcel, Timestamp::now());
                Ok(())
            }
            Err(Failure {
                reason,
                kind: Kind::Permanent,
            }) => {
                outbox.refused(name, &parcel, &reason);
                Ok(())
            }
            Err(Failure {
                reason,
                kind: Kind::Temporary(wish),
            }) => {
                outbox.delayed(name, &parcel, &reason);
                Err(wish)
            }
        }
    }

    fn is_too_old(&self, parcel: &Parcel) -> bool {
        let limit = self.settings.limits.age_limit;
        let newest = parcel.span.map(|(_, newest)| newest);
        limit
            .zip(newest)
            .is_some_and(|(limit, newest)| Timestamp::now().since(newest) > limit)
    }
}

/// Ends when what was under way at `stop` has had its time.
async fn late(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(FAREWELL).await;
}
