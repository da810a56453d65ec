//! Which evidence queries can be read on a server, and what is missing for the others, as text for a person.

use std::sync::Arc;

use super::EvidenceQuery;
use crate::collectors::explain::columns::columns;
use crate::collectors::{Scope, Settings};
use crate::server::Facts;

/// Two tables: what can be read when an incident opens, and why the rest cannot.
pub fn explain_evidence(
    queries: &[Arc<EvidenceQuery>],
    facts: &Facts,
    settings: &Settings,
) -> String {
    let mut ready = vec![["evidence", "read in", "shows"].map(String::from)];
    let mut missing = vec![["no evidence", "because"].map(String::from)];
    for query in queries {
        let name = query.name().to_owned();
        match query.plan(facts, settings) {
            Ok(_) => {
                let place = match query.reads.scope {
                    Scope::Server => "server",
                    Scope::Database => "database",
                };
                ready.push([name, place.to_owned(), query.title.clone()]);
            }
            Err(reason) => missing.push([name, reason.to_string()]),
        }
    }
    let tables = [
        (&ready.len(), columns(&ready)),
        (&missing.len(), columns(&missing)),
    ];
    let told = tables.into_iter().filter(|(rows, _)| **rows > 1);
    told.map(|(_, table)| table).collect::<Vec<_>>().join("\n")
}
