//! What an alert is about: its servers and its database; and what was found, as it is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collectors::EvidenceQuery;
use crate::collectors::evidence::Found;
use crate::incident::Evidence;
use crate::rules::Alert;
use crate::sample::Timestamp;
use crate::scrape::LIVENESS;
use crate::server::Server;

/// The evidence about one incident comes from no more servers than this.
const MOST_SERVERS: usize = 3;

/// The servers an alert is about: by its labels, else by where its samples came from.
pub(super) fn servers<'s>(
    known: &'s BTreeMap<String, Arc<Server>>,
    alert: &Alert,
) -> Vec<&'s Arc<Server>> {
    let labels = ["server", "instance"].map(|name| alert.labels.get(name));
    if let Some(server) = labels.iter().find_map(|name| known.get(*name)) {
        return vec![server];
    }
    let mut servers: Vec<&Arc<Server>> = Vec::new();
    for source in alert.sources.iter() {
        if let Some(server) = known.get(&*source.server)
            && servers.len() < MOST_SERVERS
            && servers.iter().all(|other| other.name != server.name)
        {
            servers.push(server);
        }
    }
    servers
}

/// The servers of which the alert says that they do not answer: it rests on their signs of life alone.
pub(super) fn silent(alert: &Alert) -> impl Iterator<Item = &str> {
    let alone = alert
        .sources
        .iter()
        .all(|source| &*source.collector == LIVENESS);
    let sources = alert.sources.iter().filter(move |_| alone);
    sources.map(|source| &*source.server).take(MOST_SERVERS)
}

/// Why one of them does not.
pub(super) fn reason(server: &str, reason: String) -> Evidence {
    Evidence {
        query: "connection".into(),
        title: "Why it does not answer".into(),
        server: server.to_owned(),
        at: Timestamp::now(),
        columns: vec!["reason".into()],
        rows: vec![vec![reason]],
        more: 0,
        error: String::new(),
    }
}

/// The database that the alert names, or the only one of that server that its samples came from.
pub(super) fn database(server: &Server, alert: &Alert) -> Option<String> {
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

/// What one query found, or why it found nothing.
pub(super) fn evidence(
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

/// Instead of what a query finds that does not exist.
pub(super) fn unknown(server: &Server, name: &str) -> Evidence {
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
