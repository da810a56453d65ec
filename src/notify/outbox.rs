//! One address's sender. It has no queue of its own: after each message and each failure it asks the book what is due,
//! so the newest state is what goes out, and a restart goes on where this one stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::address::Address;
use super::caution::Caution;
use super::due::{self, BATCH, Due, Letter, Reader, Reason};
use super::failure::Kind;
use super::message::compose;
use super::office::{LAST_TRY, LOOK_AGAIN, Office, Pause, late};
use super::pace::Backoff;
use crate::incident::{Delivery, Event};
use crate::sample::Timestamp;

/// A service that asks for a longer pause is asked again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The sender to one address.
#[derive(Debug)]
pub(super) struct Outbox {
    office: Office,
    address: Address,
    backoff: Backoff,
    /// How often a message about each incident was put off since any was taken.
    put_off: BTreeMap<String, u32>,
    caution: Caution,
}

impl Outbox {
    /// A sender that has not sent anything yet.
    pub(super) fn new(office: Office, address: Address) -> Self {
        Outbox {
            office,
            address,
            backoff: Backoff::default(),
            put_off: BTreeMap::new(),
            caution: Caution::default(),
        }
    }

    /// Sends what is due until `stop`, then tries once more, for a short time, what is due by then.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.office.ledger.changes();
        loop {
            changes.mark_unchanged();
            let pause = tokio::select! {
                pause = self.turn() => pause,
                () = late(&stop) => return,
            };
            self.office.rests(&self.address.key, pause.span);
            if !pause.wait(&mut changes, &stop).await {
                break;
            }
        }
        if self.backoff.is_calm()
            && let Some(letter) = self.last_due().letter
        {
            let attempt = async {
                while let Err(wait) = self.address.bucket.take(Instant::now()) {
                    sleep(wait).await;
                }
                self.attempt(&letter).await
            };
            // When this takes too long the message stays due, and the next start sends it.
            let _ = timeout(LAST_TRY, attempt).await;
        }
    }

    async fn turn(&mut self) -> Pause {
        let due = self.due(BATCH);
        if due.waiting == 0 {
            self.caution.forget();
        }
        let Some(letter) = due.letter else {
            return Pause::until(due.next);
        };
        match self.address.bucket.take(Instant::now()) {
            Ok(()) => Pause::of(self.attempt(&letter).await),
            // A service may have asked for an hour; meanwhile it is seen how much waits.
            Err(wait) => Pause::of(wait.min(LOOK_AGAIN)),
        }
    }

    fn due(&self, batch: Duration) -> Due {
        self.due_with(batch, &self.office.context.awaited.all())
    }

    /// What is due when there is no time left to wait for anything.
    fn last_due(&self) -> Due {
        self.due_with(Duration::ZERO, &BTreeMap::new())
    }

    fn due_with(&self, batch: Duration, awaited: &BTreeMap<String, Timestamp>) -> Due {
        let reader = Reader {
            receiver: &self.address.receiver,
            address: &self.address.key,
            threads: self.address.has_threads(),
            most: if self.caution.is_alone() {
                1
            } else {
                self.address.most()
            },
            put_off: &self.put_off,
            awaited,
        };
        let Office {
            policy,
            ledger,
            tally,
            ..
        } = &self.office;
        let now = Timestamp::now();
        let due = ledger.read(|book| due::due(book, policy, &reader, now, batch));
        tally.update(&self.address.key, |status| {
            status.waiting = due.waiting as u64;
            status.waiting_since = due.oldest;
        });
        due
    }

    /// Sends a letter and notes what became of it; how long to wait before the next.
    async fn attempt(&mut self, letter: &Letter) -> Duration {
        let message = compose(letter, &self.office.context, Timestamp::now());
        let key = &self.address.key;
        let event = match self
            .address
            .send(&message, &self.office.context, &mut Vec::new())
            .await
        {
            Ok(thread) => {
                self.office.taken(key);
                self.caution.taken();
                let mut delivery = delivery(key, letter);
                if !thread.is_empty() {
                    delivery.subject = message.subject;
                    delivery.thread = thread;
                }
                Event::Delivered(delivery)
            }
            Err(failure)
                if failure.kind == Kind::Permanent && !self.caution.refused(letter.items.len()) =>
            {
                self.office.delayed(key, &failure.reason);
                return Duration::ZERO;
            }
            Err(failure) if failure.kind == Kind::Permanent => {
                let alerts = letter.items.iter().map(|item| &item.alert.labels);
                self.office.refused(key, &failure.reason, alerts);
                let mut delivery = delivery(key, letter);
                delivery.error = failure.reason;
                Event::Failed(delivery)
            }
            Err(failure) => {
                if let Kind::Temporary(Some(asked)) = failure.kind {
                    let span = asked.min(LONGEST_PAUSE);
                    self.address.bucket.rest(span, Instant::now());
                }
                if failure.kind == Kind::Doubtful {
                    for item in &letter.items {
                        *self.put_off.entry(item.incident.clone()).or_default() += 1;
                    }
                }
                self.office.delayed(key, &failure.reason);
                return self.backoff.next();
            }
        };
        self.backoff.reset();
        self.put_off.clear();
        self.office.record(event).await;
        Duration::ZERO
    }
}

fn delivery(address: &str, letter: &Letter) -> Delivery {
    let items = letter.items.iter();
    Delivery {
        receiver: address.to_owned(),
        at: Timestamp::now(),
        incidents: items
            .map(|item| (item.incident.clone(), item.reason == Reason::Resolved))
            .collect(),
        thread: String::new(),
        subject: String::new(),
        error: String::new(),
    }
}
