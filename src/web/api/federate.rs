//! `/federate`: the newest sample of what is selected, in the text format, for a Prometheus above this one.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;

use crate::sample::{Labels, NAME, is_stale};
use crate::store::{Latest, Store};
use crate::web::exposition::escape;

use super::Asked;
use super::answer::send;
use super::parameters::{Matchers, undemanding};
use crate::promql::format_short;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page, or what is wrong with a selector.
pub(super) fn page(asked: &Asked, gzip: bool) -> Response {
    let selectors = asked.parameters.all("match[]").map(undemanding);
    match selectors.collect::<Result<Vec<Matchers>, String>>() {
        Ok(selectors) => send(StatusCode::OK, TEXT, write(asked, &selectors), gzip),
        Err(said) => {
            let kind = "text/plain; charset=utf-8";
            send(StatusCode::BAD_REQUEST, kind, format!("{said}\n"), gzip)
        }
    }
}

fn write(asked: &Asked, selectors: &[Matchers]) -> String {
    let api = &asked.view.api;
    let look_back = api.queries.settings.lookback_delta;
    let latest = |matchers: &Matchers| {
        let (after, until) = (asked.now.before(look_back), asked.now);
        Store::latest(&asked.view.store, matchers, after, until)
    };
    // As with Prometheus, who demands nothing gets nothing.
    let demanding = selectors.iter().filter(|matchers| !matchers.is_empty());
    let found = demanding.flat_map(latest);
    let found =
        found.filter(|sample| !is_stale(sample.value) && !sample.labels.metric().is_empty());
    let found: BTreeMap<Labels, Latest> = found
        .map(|sample| (sample.labels.clone(), sample))
        .collect();
    let mut page = String::new();
    let mut family = String::new();
    for sample in found.values() {
        let metric = sample.labels.metric();
        if family != metric {
            family = metric.to_owned();
            page.push_str(&format!("# TYPE {metric} untyped\n"));
        }
        write_sample(&mut page, sample, &api.external_labels);
    }
    page
}

/// A sample with its time. What a series lacks of the external labels stands behind its own, and so does an empty
/// `instance`, lest whoever reads it puts theirs.
fn write_sample(page: &mut String, sample: &Latest, external: &Labels) {
    let own = sample.labels.iter().filter(|(name, _)| *name != NAME);
    let mut added: Vec<(&str, &str)> = external.iter().collect();
    if external.get("instance").is_empty() {
        added.push(("instance", ""));
        added.sort_unstable();
    }
    let missing = added
        .into_iter()
        .filter(|(name, _)| sample.labels.get(name).is_empty());
    page.push_str(sample.labels.metric());
    for (place, (name, value)) in own.chain(missing).enumerate() {
        page.push(if place == 0 { '{' } else { ',' });
        page.push_str(name);
        page.push_str("=\"");
        escape(page, value, true);
        page.push('"');
    }
    // There is always an instance.
    let value = format_short(sample.value);
    page.push_str(&format!("}} {value} {}\n", sample.at.0));
}
