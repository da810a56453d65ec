//! Carries requests for evidence from incidents that open to their servers, and the answers into the incident log.

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
use crate::scrape::{Inquiry, Readings};
use crate::server::Server;

/// Incidents that open within this time share one reading of a query.
const SHARED: Duration = Duration::from_secs(5);

/// An incident's texts have no more bytes than this in all.
const MOST_BYTES: usize = 8 * 1024;

/// The evidence about one incident comes from no more servers than this.
const MOST_SERVERS: usize = 3;

/// What takes longer does not hold back what has been read already.
const SLOW: Duration = Duration::from_secs(1);

/// What is read: server, database and query.
type Key = (String, Option<String>, String);

/// One reading that whoever asks meanwhile waits for too.
type Reading = Arc<OnceCell<Arc<Evidence>>>;

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
            let Some(incident) = alert
                .incident()
                .filter(|_| names.is_some_and(|names| !named(names).is_empty()))
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
        let mut found: Vec<Evidence> = Vec::new();
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
                Err(name) => unknown(server, name),
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

    /// Each query that the rule names, on each server that the incident is about; the name where there is no such query.
    fn wanted(&self, alert: &Alert) -> Vec<(&Arc<Server>, Result<Arc<EvidenceQuery>, String>)> {
        let names = alert.annotations.get(ANNOTATION).map(|names| named(names));
        let names = names.unwrap_or_default();
        let servers = self.servers_of(alert);
        let each = servers.into_iter().flat_map(|server| {
            let names = names.iter();
            names.map(move |name| {
                let query = self.queries.get(*name).cloned();
                (server, query.ok_or_else(|| (*name).to_owned()))
            })
        });
        each.collect()
    }

    /// By the labels, else by where the samples came from.
    fn servers_of(&self, alert: &Alert) -> Vec<&Arc<Server>> {
        let labels = ["server", "instance"].map(|name| alert.labels.get(name));
        let named = labels.iter().find_map(|name| self.servers.get(*name));
        if let Some(server) = named {
            return vec![server];
        }
        let mut servers: Vec<&Arc<Server>> = Vec::new();
        for source in alert.sources.iter() {
            if let Some(server) = self.servers.get(&*source.server)
                && servers.len() < MOST_SERVERS
                && servers.iter().all(|known| known.name != server.name)
            {
                servers.push(server);
            }
        }
        servers
    }

    async fn read(&self, server: &Arc<Server>, query: &EvidenceQuery, alert: &Alert) -> Evidence {
        let database = match query.reads.scope {
            Scope::Server => None,
            Scope::Database => database_of(server, alert),
        };
        let key = (
            server.name.clone(),
            database.clone(),
            query.name().to_owned(),
        );
        let reading = self.reading(key);
        let read = || async {
            let inquiry = Inquiry {
                server,
                query,
                database: database.as_deref(),
                settings: &self.settings,
            };
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
            Arc::new(evidence(server, query, database.as_deref(), outcome))
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

/// The database that the alert names, or the only one of that server that its samples came from.
fn database_of(server: &Server, alert: &Alert) -> Option<String> {
    let named = alert.labels.get("datname");
    if !named.is_empty() {
        return Some(named.to_owned());
    }
    let of_server = alert
        .sources
        .iter()
        .filter(|source| *source.server == *server.name && !source.database.is_empty());
    let mut databases: Vec<&str> = of_server.map(|source| &*source.database).collect();
    databases.dedup();
    match databases.as_slice() {
        [one] => Some((*one).to_owned()),
        _ => None,
    }
}

fn evidence(
    server: &Server,
    query: &EvidenceQuery,
    database: Option<&str>,
    outcome: Result<Found, String>,
) -> Evidence {
    let (found, error) = match outcome {
        Ok(found) => (found, String::new()),
        Err(error) => (Found::default(), error),
    };
    Evidence {
        query: query.name().to_owned(),
        title: match database {
            Some(database) => format!("{} in {database}", query.title),
            None => query.title.clone(),
        },
        server: server.name.clone(),
        at: Timestamp::now(),
        columns: found.columns,
        rows: found.rows,
        more: found.more,
        error,
    }
}

fn unknown(server: &Server, name: &str) -> Evidence {
    Evidence {
        query: name.to_owned(),
        title: name.to_owned(),
        server: server.name.clone(),
        at: Timestamp::now(),
        columns: Vec::new(),
        rows: Vec::new(),
        more: 0,
        error: "there is no evidence query of this name; `pgvigil explain` lists them".into(),
    }
}
