//! What there is: `series`, `labels`, `label/NAME/values`.

use std::collections::BTreeSet;

use crate::sample::{Labels, Timestamp};

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
    let found: BTreeSet<Labels> = found(asked, &selectors, span).collect();
    let mut found: Vec<Labels> = found.into_iter().collect();
    let truncated = keep(&mut found, limit);
    let answer = Answer::written(|out| array(out, &found, labels));
    Ok(answer.truncated(truncated))
}

/// `labels`
pub(super) fn names(asked: &Asked) -> Result<Answer, Failure> {
    list(asked, |series, found| {
        for (name, _) in series.iter() {
            note(found, name);
        }
    })
}

/// `label/NAME/values`
pub(super) fn values(asked: &Asked) -> Result<Answer, Failure> {
    let Ok(name) = str::from_utf8(&asked.name) else {
        let shown = asked.name.escape_ascii();
        let message = format!("invalid label name: \"{shown}\"");
        return Err(Failure::bad_data(message));
    };
    list(asked, |series, found| match series.get(name) {
        "" => {}
        value => note(found, value),
    })
}

/// What `take` notes of each series that is asked for, in order.
fn list(asked: &Asked, take: impl Fn(&Labels, &mut BTreeSet<String>)) -> Result<Answer, Failure> {
    let parameters = &asked.parameters;
    let limit = parameters.limit()?;
    let span = parameters.span()?;
    let mut selectors = parameters.selectors().map_err(Failure::bad_data)?;
    if selectors.is_empty() {
        selectors.push(Matchers::new());
    }
    let mut all = BTreeSet::new();
    found(asked, &selectors, span).for_each(|series| take(&series, &mut all));
    let mut all: Vec<String> = all.into_iter().collect();
    let truncated = keep(&mut all, limit);
    let answer = Answer::written(|out| array(out, &all, |out, each| text(out, each)));
    Ok(answer.truncated(truncated))
}

fn found(
    asked: &Asked,
    selectors: &[Matchers],
    (after, until): (Timestamp, Timestamp),
) -> impl Iterator<Item = Labels> {
    let store = &asked.view.store;
    let each = selectors.iter();
    each.flat_map(move |matchers| store.labels(matchers, after, until))
}

fn note(found: &mut BTreeSet<String>, text: &str) {
    if !found.contains(text) {
        found.insert(text.to_owned());
    }
}
