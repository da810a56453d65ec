//! Rights that only show when a collector is read: each such collector is read once, and what is refused is named.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::collectors::{Needs, Plan, Run, Settings};
use crate::sample::Source;
use crate::scrape;
use crate::server::Server;

/// What is to be said of each collector that is refused.
pub(super) async fn refusals(server: &Server, plan: &Plan, settings: &Settings) -> Vec<String> {
    let trial = Plan {
        runs: plan
            .runs
            .iter()
            .filter(|run| is_uncertain(run))
            .cloned()
            .collect(),
        omitted: Vec::new(),
    };
    let mut refused: BTreeMap<Arc<str>, Vec<(Source, String)>> = BTreeMap::new();
    for reading in scrape::carry_out(server, &trial, settings).await {
        if let Err(failure) = reading.outcome {
            let of_collector = refused.entry(Arc::clone(&reading.source.collector));
            of_collector
                .or_default()
                .push((reading.source, failure.words));
        }
    }
    refused.values().filter_map(|each| sentence(each)).collect()
}

fn is_uncertain(run: &Run) -> bool {
    let privilege = run.collector.privilege.as_ref();
    privilege.is_some_and(|privilege| matches!(privilege.needs, Needs::Rights(_)))
}

/// The first refusal in full, the others counted.
fn sentence(refused: &[(Source, String)]) -> Option<String> {
    let ((source, words), others) = refused.split_first()?;
    let collector = &source.collector;
    let place = match &*source.database {
        "" => String::new(),
        database => format!(" in database `{database}`"),
    };
    let more = match others.len() {
        0 => String::new(),
        1 => "\nand likewise in one more database".into(),
        more => format!("\nand likewise in {more} more databases"),
    };
    Some(format!("collector `{collector}`{place}: {words}{more}"))
}
