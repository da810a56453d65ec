//! What there is: `series`, `labels`, `label/NAME/values`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::sample::{Labels, Timestamp};
use crate::store::{Matcher, Store};

use super::Asked;
use super::answer::{Answer, keep};
use super::failure::Failure;
use super::json::{array, labels, text};
use super::parameters::Matchers;

/// `series`
pub(super) fn series(asked: &Asked) -> Result<Answer, Failure> {
    let parameters = &asked.parameters;
    if parameters.all("match[]").next().is_none() {
        return Err(Failure::bad_data("no match[] parameter provided"));
    }
    let limit = parameters.limit()?;
    let span = parameters.span()?;
    let selectors = parameters.selectors();
    let selectors = selectors.map_err(|said| Failure::of("match[]", said))?;
    let store = &asked.view.store;
    let each = selectors.iter();
    let found: BTreeSet<Labels> = each
        .flat_map(|matchers| store.labels(matchers, span.0, span.1))
        .collect();
    let mut found: Vec<Labels> = found.into_iter().collect();
    let truncated = keep(&mut found, limit);
    let answer = Answer::written(|out| array(out, &found, labels));
    Ok(answer.truncated(truncated))
}

/// `labels`
pub(super) fn names(asked: &Asked) -> Result<Answer, Failure> {
    list(asked, Store::label_names)
}

/// `label/NAME/values`
pub(super) fn values(asked: &Asked) -> Result<Answer, Failure> {
    let Ok(name) = str::from_utf8(&asked.name) else {
        let shown = asked.name.escape_ascii();
        let message = format!("invalid label name: \"{shown}\"");
        return Err(Failure::bad_data(message));
    };
    list(asked, |store, matchers, after, until| {
        store.label_values(name, matchers, after, until)
    })
}

/// What `find` gives for each of the selectors, or for all series where there is none, in order.
fn list(
    asked: &Asked,
    find: impl Fn(&Store, &[Matcher], Timestamp, Timestamp) -> Vec<Arc<str>>,
) -> Result<Answer, Failure> {
    let parameters = &asked.parameters;
    let limit = parameters.limit()?;
    let (after, until) = parameters.span()?;
    let mut selectors = parameters.selectors().map_err(Failure::bad_data)?;
    if selectors.is_empty() {
        selectors.push(Matchers::new());
    }
    let store = &asked.view.store;
    let each = selectors.iter();
    let all: BTreeSet<Arc<str>> = each
        .flat_map(|matchers| find(store, matchers, after, until))
        .collect();
    let mut all: Vec<Arc<str>> = all.into_iter().collect();
    let truncated = keep(&mut all, limit);
    let answer = Answer::written(|out| array(out, &all, |out, each| text(out, each)));
    Ok(answer.truncated(truncated))
}
