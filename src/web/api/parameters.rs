//! The parameters of a request, from its query and its form, and what is read from them in the same way everywhere.

use crate::promql::selector;
use crate::sample::{NAME, Timestamp};
use crate::store::{Matcher, Test};

use super::failure::{Failure, placed};
use super::times::{Span, moment, span};

/// Names and values in their order, those of the form first.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

/// Some conditions on labels, all of which must hold.
pub(super) type Matchers = Vec<Matcher>;

const NO_CONDITION: &str = "at least one non-empty matcher";

impl Parameters {
    /// From a form, empty where there is none, and the query of the address.
    pub(super) fn read(form: &[u8], query: &str) -> Parameters {
        let each = [form, query.as_bytes()].into_iter();
        let each = each.flat_map(form_urlencoded::parse);
        Parameters(
            each.map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// The first value of a name; empty when there is none.
    pub(super) fn first(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The first value of a name, unless it is empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.first(name)).filter(|value| !value.is_empty())
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// A moment that need not be there.
    pub(super) fn moment(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        let read = self.given(name).map(moment).transpose();
        read.map_err(|said| Failure::of(name, format!("invalid time value for '{name}': {said}")))
    }

    /// A moment that must be there.
    pub(super) fn needed_moment(&self, name: &str) -> Result<Timestamp, Failure> {
        moment(self.first(name)).map_err(|said| Failure::of(name, said))
    }

    /// A span that must be there.
    pub(super) fn needed_span(&self, name: &str) -> Result<Span, Failure> {
        span(self.first(name)).map_err(|said| Failure::of(name, said))
    }

    /// The most elements wanted; 0 for all.
    pub(super) fn limit(&self) -> Result<usize, Failure> {
        let Some(text) = self.given("limit") else {
            return Ok(0);
        };
        let limit = whole(text, "Atoi").map_err(|said| Failure::of("limit", said))?;
        let negative = |_| Failure::of("limit", "limit must be non-negative");
        usize::try_from(limit).map_err(negative)
    }

    /// From `start` to `end`, as the store wants them: the first is excluded. Without them, all of time.
    pub(super) fn span(&self) -> Result<(Timestamp, Timestamp), Failure> {
        let start = self.moment("start")?.unwrap_or(Timestamp(i64::MIN));
        let end = self.moment("end")?.unwrap_or(Timestamp(i64::MAX));
        Ok((Timestamp(start.0.saturating_sub(1)), end))
    }

    /// The selectors of `match[]`, each of which must demand something.
    ///
    /// # Errors
    /// Prometheus' words, without the name of the parameter.
    pub(super) fn selectors(&self) -> Result<Vec<Matchers>, String> {
        self.all("match[]").map(demanding).collect()
    }
}

/// A selector that does not accept every series.
pub(super) fn demanding(text: &str) -> Result<Matchers, String> {
    let nothing = || format!("match[] must contain {NO_CONDITION}");
    match selector(text) {
        Ok(matchers) if matchers.iter().all(|matcher| matcher.test.accepts("")) => Err(nothing()),
        Err(error) if error.message.contains(NO_CONDITION) => Err(nothing()),
        read => read.map_err(|error| placed(text, &error)),
    }
}

/// A selector that may accept every series; `{}` has no conditions at all.
pub(super) fn undemanding(text: &str) -> Result<Matchers, String> {
    let inside = text.trim().strip_prefix('{');
    if inside
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|inside| inside.trim().is_empty())
    {
        return Ok(Matchers::new());
    }
    match (selector(text), inside) {
        // Every series has a name, so that to demand one changes nothing.
        (Err(error), Some(rest)) if error.message.contains(NO_CONDITION) => {
            let named = selector(&format!("{{{NAME}=~\".+\",{rest}"));
            named.map_err(|_| placed(text, &error))
        }
        (read, _) => read.map_err(|error| placed(text, &error)),
    }
}

/// Whether labels, looked up by name, meet every condition.
pub(super) fn meets<'l>(matchers: &[Matcher], value: impl Fn(&str) -> &'l str) -> bool {
    let met = |Matcher { name, test }: &Matcher| Test::accepts(test, value(name));
    matchers.iter().all(met)
}

/// A whole number, or Go's words for what is none.
pub(super) fn whole(text: &str, function: &str) -> Result<i64, String> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        let cause = match error.kind() {
            PosOverflow | NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.{function}: parsing {text:?}: {cause}")
    })
}
