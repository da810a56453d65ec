//! Pushes alerts to an Alertmanager's v2 API: all that fire, before any policy, again each minute, and each end until
//! it was taken.

mod plan;
mod settings;

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(super) use plan::graph;
pub use settings::{Base, Settings};

pub(in crate::notify) use self::plan::body;

use self::plan::{Parcel, Sent};
use super::Context;
use super::failure::{Failure, Kind};
use super::http::{self, Refusal};
use super::office::{LAST_TRY, Office, Pause, late};
use super::pace::Backoff;
use crate::incident::{Delivery, Event};
use crate::rules::Alert;
use crate::sample::Timestamp;

/// Alertmanager is sent at most so many alerts at once.
const BATCH: usize = 256;

/// After a refusal that somebody has to put right, and at most when it asks for a pause.
const PATIENCE: Duration = Duration::from_secs(30);

/// The sender to one Alertmanager.
#[derive(Debug)]
pub(super) struct Push {
    /// The receiver's name; with `/` and the host where it has several.
    pub(super) key: String,
    /// The receiver's name.
    pub(super) receiver: String,
    base: Base,
    client: Result<Client, String>,
    sent: BTreeMap<String, Sent>,
    backoff: Backoff,
}

impl Push {
    /// Those of a receiver, each with its own pace.
    pub(super) fn of(
        name: &str,
        settings: &Settings,
        client: &Result<Client, String>,
    ) -> Vec<Push> {
        let alone = settings.urls.len() == 1;
        let push = |base: &Base| Push {
            key: if alone {
                name.to_owned()
            } else {
                format!("{name}/{base}")
            },
            receiver: name.to_owned(),
            base: base.clone(),
            client: client.clone(),
            sent: BTreeMap::new(),
            backoff: Backoff::default(),
        };
        settings.urls.iter().map(push).collect()
    }

    /// Its host, without user and password.
    pub(super) fn place(&self) -> String {
        self.base.to_string()
    }

    /// Pushes what is due until `stop`, then once more for a short time.
    pub(super) async fn run(mut self, office: Office, stop: CancellationToken) {
        let mut changes = office.ledger.changes();
        loop {
            changes.mark_unchanged();
            let pause = tokio::select! {
                pause = self.turn(&office) => pause,
                () = late(&stop) => return,
            };
            office.rests(&self.key, pause.span);
            if !pause.wait(&mut changes, &stop).await {
                break;
            }
        }
        if self.backoff.is_calm() {
            // What is not taken in time stays due, and the next start sends it.
            let _ = timeout(LAST_TRY, self.turn(&office)).await;
        }
    }

    async fn turn(&mut self, office: &Office) -> Pause {
        let now = Timestamp::now();
        let Office {
            ledger,
            context,
            tally,
            ..
        } = office;
        let plan = ledger.read(|book| plan::plan(book, &self.key, &self.sent, context, now));
        self.sent
            .retain(|incident, _| plan.alive.contains(incident));
        tally.update(&self.key, |status| status.waiting = plan.unheard());
        if plan.parcels.is_empty() {
            return Pause::until(plan.next);
        }
        match self.push_all(&plan.parcels, office).await {
            Ok(()) => Pause::of(Duration::ZERO),
            Err(failure) => {
                office.delayed(&self.key, &failure.reason);
                let wait = self.backoff.next();
                Pause::of(match failure.kind {
                    Kind::Temporary(asked) => wait.max(asked.unwrap_or_default().min(PATIENCE)),
                    // A wrong path or password: nothing changes until somebody changes it.
                    Kind::Permanent | Kind::Doubtful => wait.max(PATIENCE),
                })
            }
        }
    }

    async fn push_all(&mut self, parcels: &[Parcel], office: &Office) -> Result<(), Failure> {
        let mut batches: Vec<&[Parcel]> = parcels.chunks(BATCH).rev().collect();
        while let Some(batch) = batches.pop() {
            let bodies: Vec<&Value> = batch.iter().map(|parcel| &parcel.body).collect();
            let Some(refusal) = self.post(&bodies, &mut Vec::new()).await? else {
                self.taken(batch, "", office).await;
                continue;
            };
            let malformed = refusal.status == StatusCode::BAD_REQUEST;
            match batch {
                [one] if malformed => {
                    let reason = format!("{}: {refusal}", one.labels);
                    self.taken(batch, &reason, office).await;
                }
                // It says which alerts are bad only in words, so they are found by halving.
                _ if malformed => {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    batches.extend([second, first]);
                }
                _ => return Err(failure(&refusal)),
            }
        }
        Ok(())
    }

    /// Pushes one alert, noting the conversation.
    pub(super) async fn submit(
        &self,
        alert: &Alert,
        context: &Context,
        dialogue: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let body = plan::body(alert, context, Timestamp::now());
        let answer = self.post(&[&body], dialogue).await?;
        answer.map_or(Ok(()), |refusal| Err(failure(&refusal)))
    }

    /// What it says when it does not take the alerts.
    async fn post(
        &self,
        alerts: &[&Value],
        dialogue: &mut Vec<String>,
    ) -> Result<Option<Refusal>, Failure> {
        let client = self.client.as_ref().map_err(Failure::temporary)?;
        dialogue.push(format!("POST {}/api/v2/alerts", self.base));
        let answer = http::send(client.post(self.base.join("/api/v2/alerts")).json(alerts)).await?;
        let answer = answer.map(|refusal| refusal.without(&self.base.secrets()));
        dialogue.push(answer.as_ref().map_or("ok".into(), ToString::to_string));
        Ok(answer)
    }

    /// Notes a batch as taken or, with an error, as refused; the log hears only what it does not know yet.
    async fn taken(&mut self, batch: &[Parcel], error: &str, office: &Office) {
        self.backoff.reset();
        let at = Timestamp::now();
        for Parcel {
            incident, resolved, ..
        } in batch
        {
            let resolved = *resolved;
            self.sent.insert(incident.clone(), Sent { at, resolved });
        }
        let news = batch.iter().filter(|parcel| parcel.is_news);
        let delivery = Delivery {
            receiver: self.key.clone(),
            at,
            incidents: news
                .map(|parcel| (parcel.incident.clone(), parcel.resolved))
                .collect(),
            thread: String::new(),
            subject: String::new(),
            error: error.to_owned(),
        };
        let is_news = !delivery.incidents.is_empty();
        let event = if error.is_empty() {
            office.taken(&self.key);
            Event::Delivered(delivery)
        } else {
            let alerts = batch.iter().map(|parcel| &parcel.labels);
            office.refused(&self.key, error, alerts);
            Event::Failed(delivery)
        };
        if is_news {
            office.record(event).await;
        }
    }
}

fn failure(refusal: &Refusal) -> Failure {
    let mut failure = refusal.failure();
    failure.reason.push_str(match refusal.status.as_u16() {
        401 | 403 => "; write `user:password@` before the host in `urls`",
        404 => "; check `urls`, which are written without `/api/v2`",
        _ => "",
    });
    failure
}
