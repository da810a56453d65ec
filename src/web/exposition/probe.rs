//! What one server has on the page, as postgres_exporter shows a target: without the label `server`, and with nothing
//! about pgvigil's own work.

use std::sync::Arc;

use super::form::Form;
use super::pages::Pages;
use super::piece::Beginning;
use crate::sample::{Labels, Sample, Source};
use crate::scrape::Board;

/// The prefix of what is told about pgvigil's own work.
const OWN: &str = "pgvigil_";

/// The page of one server, written anew.
pub(super) fn page(board: &Board, server: &str, form: Form) -> Beginning {
    let mut pages = Pages::new(form);
    let current = board.current_of(server).into_iter();
    let shown: Vec<(Source, Arc<[Sample]>)> = current
        .map(|(source, samples)| (source, as_of_a_target(&samples)))
        .collect();
    pages.update(shown);
    pages.page(None)
}

/// Samples of one row go on sharing their labels.
fn as_of_a_target(samples: &[Sample]) -> Arc<[Sample]> {
    let mut last: Option<(&Labels, Labels)> = None;
    let shown = samples
        .iter()
        .filter(|sample| !sample.family.name.starts_with(OWN));
    let bare = shown.map(|sample| {
        let labels = match last.take() {
            Some((before, after)) if before.is(&sample.labels) => after,
            _ => sample.labels.filtered(|name| name != "server"),
        };
        last = Some((&sample.labels, labels.clone()));
        Sample {
            labels,
            ..sample.clone()
        }
    });
    bare.collect()
}
