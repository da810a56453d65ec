//! Rights that only show when a collector is read: each such collector is read once, and what is refused is named.

use std::collections::{BTreeMap, BTreeSet};
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
    let (mut closed, mut refused) = (BTreeSet::new(), BTreeMap::<Arc<str>, Vec<_>>::new());
    for reading in scrape::carry_out(server, &trial, settings).await {
        match reading.outcome {
            Err(failure) if failure.not_admitted => {
                closed.insert(failure.words);
            }
            Err(failure) => {
                let of_collector = refused.entry(Arc::clone(&reading.source.collector));
                let told = (reading.source, failure.words);
                of_collector.or_default().push(told);
            }
            Ok(_) => {}
        }
    }
    let refused = refused.values().filter_map(|each| sentence(each));
    closed.into_iter().chain(refused).collect()
}

fn is_uncertain(run: &Run) -> bool {
    let privilege = run.collector.privilege.as_ref();
    privilege.is_some_and(|privilege| matches!(privilege.needs, Needs::Rights(_)))
}

/// The first refusal in full, and where it is likewise.
fn sentence(refused: &[(Source, String)]) -> Option<String> {
    /// More names than these are no use to anybody.
    const NAMED: usize = 8;
    let ((source, words), others) = refused.split_first()?;
    let collector = &source.collector;
    let place = match &*source.database {
        "" => String::new(),
        database => format!(" in database `{database}`"),
    };
    let names = others.iter().take(NAMED);
    let names: Vec<String> = names
        .map(|(source, _)| format!("`{}`", source.database))
        .collect();
    let more = match others.len().saturating_sub(NAMED) {
        0 if others.is_empty() => String::new(),
        0 => format!("\nand likewise in {}", names.join(", ")),
        more => format!(
            "\nand likewise in {} and {more} more databases",
            names.join(", ")
        ),
    };
    Some(format!("collector `{collector}`{place}: {words}{more}"))
}
