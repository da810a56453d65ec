//! Carries requests for evidence from incidents that open to their servers, and the answers into the incident log.

mod about;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::collectors::evidence::{ANNOTATION, Found, named};
use crate::collectors::{EvidenceQuery, Scope, Settings};
use crate::incident::{Event, Evidence, Ledger};
use crate::notify::Awaited;
use crate::rules::{Alert, Change, Transition};
use crate::sample::{Sample, Timestamp};
use crate::scrape::{Board, Inquiry, Readings, reason};
use crate::server::Server;

/// Incidents that open within this time share one reading of a query.
const SHARED: Duration = Duration::from_secs(5);

/// An incident's texts have no more bytes than this in all.
const MOST_BYTES: usize = 8 * 1024;

/// What takes longer does not hold back what has been read already.
const SLOW: Duration = Duration::from_secs(1);

/// How soon the reason for a silence is looked for again.
const AGAIN: Duration = Duration::from_millis(50);

/// What is read: server, database and query.
type Key = (String, Option<String>, String);

/// One reading that whoever asks meanwhile waits for too.
type Reading = Arc<OnceCell<Arc<Evidence>>>;

/// A query on a server; the name where there is no such query.
type Wanted<'a> = (&'a Arc<Server>, Result<Arc<EvidenceQuery>, String>);

/// A request about one incident.
#[derive(Debug)]
struct Request {
    incident: String,
    alert: Alert,
}

/// What was found about one incident by now.
struct Report {
    incident: String,
    found: Vec<Evidence>,
    finished: bool,
}

/// Everything that asking for evidence needs.
pub(super) struct Inquiries {
    servers: BTreeMap<String, Arc<Server>>,
    queries: BTreeMap<String, Arc<EvidenceQuery>>,
    settings: Settings,
    ledger: Arc<Ledger>,
    awaited: Arc<Awaited>,
    board: Arc<Board>,
    readings: Readings,
    shared: Mutex<HashMap<Key, (Instant, Reading)>>,
    requests: mpsc::UnboundedSender<Request>,
}

/// The requests that have not been carried out.
pub(super) struct Open(mpsc::UnboundedReceiver<Request>);

impl Inquiries {
    pub(super) fn new(
        servers: &[Arc<Server>],
        queries: &[Arc<EvidenceQuery>],
        settings: Settings,
        ledger: Arc<Ledger>,
        awaited: Arc<Awaited>,
        board: Arc<Board>,
    ) -> (Arc<Self>, Open) {
        let (requests, open) = mpsc::unbounded_channel();
        let servers = servers.iter();
        let queries = queries.iter();
        let inquiries = Inquiries {
            servers: servers
                .map(|server| (server.name.clone(), Arc::clone(server)))
                .collect(),
            queries: queries
                .map(|query| (query.name().to_owned(), Arc::clone(query)))
                .collect(),
            settings,
            ledger,
            awaited,
            board,
            readings: Readings::default(),
            shared: Mutex::default(),
            requests,
        };
        (Arc::new(inquiries), Open(open))
    }

    /// Asks for evidence about the incidents that open, before they are in the log: who is told of them waits for it.
    pub(super) fn ask(&self, transitions: &[Transition]) {
        let opened = transitions
            .iter()
            .filter(|transition| transition.change == Change::Opened);
        for Transition { alert, .. } in opened {
            let names = alert.annotations.get(ANNOTATION);
            let wanted = names.is_some_and(|names| !named(names).is_empty());
            let Some(incident) = alert
                .incident()
                .filter(|_| wanted || about::silent(alert).next().is_some())
            else {
                continue;
            };
            self.awaited.ask(&incident, Timestamp::now());
            let request = Request {
                incident: incident.clone(),
                alert: alert.clone(),
            };
            if self.requests.send(request).is_err() {
                self.awaited.done(&incident);
            }
        }
    }

    /// Carries requests out until told to stop.
    pub(super) async fn run(self: Arc<Self>, open: Open, stop: CancellationToken) {
        let Open(mut requests) = open;
        let (reports, mut reported) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(request) = requests.recv() => {
                    tasks.spawn(Arc::clone(&self).inquire(request, reports.clone()));
                }
                Some(first) = reported.recv() => {
                    let mut news = vec![first];
                    while let Ok(more) = reported.try_recv() {
                        news.push(more);
                    }
                    self.record(news).await;
                }
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    /// Its metrics.
    pub(super) fn samples(&self) -> Vec<Sample> {
        self.readings.samples()
    }

    /// In one write for all that was found at once.
    async fn record(&self, news: Vec<Report>) {
        let finished: Vec<String> = news
            .iter()
            .filter(|report| report.finished)
            .map(|report| report.incident.clone())
            .collect();
        let events: Vec<Event> = news
            .into_iter()
            .filter(|report| !report.found.is_empty())
            .map(|report| Event::Evidence {
                incident: report.incident,
                found: report.found,
            })
            .collect();
        let ledger = Arc::clone(&self.ledger);
        if let Err(error) = tokio::task::spawn_blocking(move || ledger.record(&events)).await {
            tracing::error!(%error, "evidence could not be noted");
        }
        for incident in finished {
            self.awaited.done(&incident);
        }
    }

    async fn inquire(self: Arc<Self>, request: Request, reports: mpsc::UnboundedSender<Report>) {
        let Request { incident, alert } = request;
        let begun = Instant::now();
        let mut found: Vec<Evidence> = self.silence(&alert).await;
        let mut room = MOST_BYTES;
        let report = |found: &Vec<Evidence>, finished| {
            // Nobody listens only when pgvigil stops.
            let _ = reports.send(Report {
                incident: incident.clone(),
                found: found.clone(),
                finished,
            });
        };
        for (server, query) in self.wanted(&alert) {
            let mut evidence = match &query {
                Ok(query) => self.read(server, query, &alert).await,
                Err(name) => about::unknown(server, name),
            };
            let mut rows = Found {
                columns: std::mem::take(&mut evidence.columns),
                rows: std::mem::take(&mut evidence.rows),
                more: evidence.more,
            };
            room = room.saturating_sub(rows.shrink(room));
            let Found {
                columns,
                rows,
                more,
            } = rows;
            (evidence.columns, evidence.rows, evidence.more) = (columns, rows, more);
            found.push(evidence);
            if begun.elapsed() > SLOW {
                report(&found, false);
            }
        }
        report(&found, true);
    }

    /// Why the servers do not answer, where it is that which the alert is about.
    async fn silence(&self, alert: &Alert) -> Vec<Evidence> {
        let mut told = Vec::new();
        for server in about::silent(alert) {
            let known = || reason(&self.board.statuses_of(server), server);
            // The sign of life is published a moment before the reason.
            let begun = Instant::now();
            let mut reason = known();
            while reason.is_none() && begun.elapsed() < SLOW {
                tokio::time::sleep(AGAIN).await;
                reason = known();
            }
            told.extend(reason.map(|reason| about::reason(server, reason)));
        }
        told
    }

    /// Each query that the rule names, on each server that the incident is about.
    fn wanted(&self, alert: &Alert) -> Vec<Wanted<'_>> {
        let names = alert.annotations.get(ANNOTATION).map(|names| named(names));
        let names = names.unwrap_or_default();
        let servers = about::servers(&self.servers, alert);
        let mut wanted = Vec::new();
        for server in servers {
            for name in &names {
                match self.queries.get(*name) {
                    Some(query) if self.inquiry(server, query, None).is_idle() => {}
                    Some(query) => wanted.push((server, Ok(Arc::clone(query)))),
                    None => wanted.push((server, Err((*name).to_owned()))),
                }
            }
        }
        wanted
    }

    fn inquiry<'a>(
        &'a self,
        server: &'a Server,
        query: &'a EvidenceQuery,
        database: Option<&'a str>,
    ) -> Inquiry<'a> {
        Inquiry {
            server,
            query,
            database,
            settings: &self.settings,
        }
    }

    async fn read(&self, server: &Arc<Server>, query: &EvidenceQuery, alert: &Alert) -> Evidence {
        let database = match query.reads.scope {
            Scope::Server => None,
            Scope::Database => about::database(server, alert),
        };
        let key = (
            server.name.clone(),
            database.clone(),
            query.name().to_owned(),
        );
        let reading = self.reading(key);
        let read = || async {
            let inquiry = self.inquiry(server, query, database.as_deref());
            let begun = Instant::now();
            let outcome = inquiry.read().await;
            let failed = outcome.is_err();
            self.readings
                .note(&server.name, query.name(), begun.elapsed(), failed);
            if let Err(error) = &outcome {
                tracing::warn!(
                    server.name = server.name,
                    evidence.query = query.name(),
                    error,
                    "no evidence"
                );
            }
            Arc::new(about::evidence(server, query, database.as_deref(), outcome))
        };
        Evidence::clone(reading.get_or_init(read).await)
    }

    fn reading(&self, key: Key) -> Reading {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|_, (begun, _)| begun.elapsed() < SHARED);
        let fresh = || (Instant::now(), Reading::default());
        let (_, reading) = shared.entry(key).or_insert_with(fresh);
        Arc::clone(reading)
    }
}
