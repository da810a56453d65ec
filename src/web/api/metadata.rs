//! What metrics mean: `metadata`, `targets/metadata`. What collectors declare is told by the Board's current samples.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::sample::{Family, Labels, MetricKind, Source};

use super::Asked;
use super::answer::Answer;
use super::failure::Failure;
use super::json::{array, object};
use super::parameters::{meets, undemanding};

/// Type and HELP of a metric. Two collectors, or two versions of PostgreSQL, may tell different ones.
type Meaning = (MetricKind, Arc<str>);

/// `metadata`
pub(super) fn metadata(asked: &Asked) -> Result<Answer, Failure> {
    let most = number(asked, "limit")?;
    let most_each = number(asked, "limit_per_metric")?;
    let wanted = asked.parameters.given("metric");
    let mut found: BTreeMap<String, BTreeSet<Meaning>> = BTreeMap::new();
    for family in families(asked, |_| true) {
        if wanted.is_none_or(|wanted| wanted == family.head()) {
            let meaning = (family.kind, family.help.clone());
            let known = found.entry(family.head().to_owned()).or_default();
            known.insert(meaning);
        }
    }
    let most = most.and_then(|most| usize::try_from(most).ok());
    let most_each = most_each.and_then(|most| usize::try_from(most).ok());
    let most_each = most_each.filter(|most| *most > 0);
    let found = found.iter().take(most.unwrap_or(usize::MAX));
    Ok(Answer::written(|out| {
        object(out, |o| {
            for (name, meanings) in found {
                let meanings = meanings.iter().take(most_each.unwrap_or(usize::MAX));
                array(o.key(name), meanings, |out, (kind, help)| {
                    object(out, |o| {
                        o.text("type", kind_name(*kind));
                        o.text("unit", "");
                        o.text("help", help);
                    });
                });
            }
        });
    }))
}

/// `targets/metadata`
pub(super) fn of_targets(asked: &Asked) -> Result<Answer, Failure> {
    let most = number(asked, "limit")?;
    let selector = asked.parameters.given("match_target").map(undemanding);
    let selector = selector.transpose();
    let matchers = selector.map_err(|said| Failure::of("match_target", said))?;
    let wanted = asked.parameters.given("metric");
    let most = most.and_then(|most| usize::try_from(most).ok());
    let mut told: Vec<(Labels, Arc<Family>)> = Vec::new();
    let watched = asked.view.api.watched.iter();
    for (place, target) in watched.enumerate() {
        // As with Prometheus, a limit is of targets.
        if most.is_some_and(|most| most > 0 && place >= most) {
            break;
        }
        let labels = target.labels();
        if matchers
            .as_ref()
            .is_some_and(|all| !meets(all, |name| labels.get(name)))
        {
            continue;
        }
        let own = families(asked, |source| target.owns(source));
        let named = own
            .into_iter()
            .filter(|family| wanted.is_none_or(|wanted| wanted == family.head()));
        told.extend(named.map(|family| (labels.clone(), family)));
    }
    Ok(Answer::written(|out| {
        array(out, &told, |out, (labels, family)| {
            object(out, |o| {
                o.labels("target", labels);
                if wanted.is_none() {
                    o.text("metric", family.head());
                }
                o.text("type", kind_name(family.kind));
                o.text("help", &family.help);
                o.text("unit", "");
            });
        });
    }))
}

/// The families of the servers that are wanted, one for each name and meaning.
fn families(asked: &Asked, wanted: impl Fn(&Source) -> bool) -> Vec<Arc<Family>> {
    let mut found: BTreeMap<(String, Meaning), Arc<Family>> = BTreeMap::new();
    for (source, samples) in asked.view.board.current() {
        if !wanted(&source) {
            continue;
        }
        let mut last: Option<&Arc<Family>> = None;
        for sample in samples.iter() {
            // Samples of one family mostly stand side by side.
            if last.is_some_and(|last| Arc::ptr_eq(last, &sample.family)) {
                continue;
            }
            last = Some(&sample.family);
            let family = &sample.family;
            let key = (family.head().to_owned(), (family.kind, family.help.clone()));
            found.entry(key).or_insert_with(|| family.clone());
        }
    }
    found.into_values().collect()
}

fn number(asked: &Asked, name: &str) -> Result<Option<i64>, Failure> {
    let read = asked.parameters.given(name).map(str::parse);
    let read = read.transpose();
    read.map_err(|_: std::num::ParseIntError| Failure::bad_data(format!("{name} must be a number")))
}

fn kind_name(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
        MetricKind::Unknown => "unknown",
    }
}
