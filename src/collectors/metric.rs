//! What one column of an answer is: a metric with its type, labels and unit.

use std::sync::Arc;

use crate::sample::Family;

/// One metric of a collector, or one part of a histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Name, type and HELP. In name and HELP `{column}` stands for the text of a column, so that each row has a
    /// metric of its own.
    pub family: Arc<Family>,
    /// The same under the older names of postgres_exporter, published with `collect.aliases`.
    pub aliases: Vec<Arc<Family>>,
    /// Where the value comes from.
    pub origin: Origin,
    /// The columns that are its labels.
    pub labels: Vec<Arc<str>>,
    /// The bound of the bucket that it is, as its label `le`; only buckets of a histogram have one.
    pub le: Option<Arc<str>>,
    /// What is said of the rows that are left out by the collector's `top`.
    pub rest: Remainder,
    /// The unit of the value, for the reference.
    pub unit: String,
    /// The first major version that has it, when the collector itself is older.
    pub since: Option<u32>,
    /// The last major version that has it, when the collector itself goes on.
    pub until: Option<u32>,
}

/// Where a metric's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A column, divided by a number (1000 where PostgreSQL counts in milliseconds).
    Column {
        /// Its name.
        name: Arc<str>,
        /// What it is divided by.
        divisor: f64,
    },
    /// Always this value: the labels are the fact. Absent where one of them is NULL.
    Constant(f64),
}

/// What the rows that are not shown come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remainder {
    /// The sum of their values.
    Sum,
    /// The largest of their values.
    Max,
    /// Nothing that could be told in one number.
    None,
}

impl Metric {
    /// Whether name or HELP are made from the row.
    pub fn is_per_row(&self) -> bool {
        placeholders(&self.family.name)
            .chain(placeholders(&self.family.help))
            .next()
            .is_some()
    }

    /// Under which names its samples are published.
    pub fn families(&self, aliases: bool) -> impl Iterator<Item = &Arc<Family>> {
        let older = self.aliases.iter().filter(move |_| aliases);
        std::iter::once(&self.family).chain(older)
    }

    /// Whether a server of this major version has it, as far as the collector runs there.
    pub fn covers(&self, major: u32) -> bool {
        self.since.is_none_or(|since| since <= major)
            && self.until.is_none_or(|until| major <= until)
    }
}

/// The columns named as `{column}` in a text.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(column, _)| column))
}

/// The text with each `{column}` replaced; `None` when one of the columns has no value.
pub(super) fn fill<'v>(text: &str, value_of: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (column, after))) = rest
        .split_once('{')
        .and_then(|(before, inner)| Some((before, inner.split_once('}')?)))
    {
        filled.push_str(before);
        filled.push_str(value_of(column)?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_and_filled() {
        let text = "pg_settings_{name}{suffix}";
        assert_eq!(placeholders(text).collect::<Vec<_>>(), ["name", "suffix"]);
        let value_of = |column: &str| match column {
            "name" => Some("work_mem"),
            "suffix" => Some("_bytes"),
            _ => None,
        };
        assert_eq!(
            fill(text, value_of).as_deref(),
            Some("pg_settings_work_mem_bytes")
        );
        assert_eq!(fill("{other}", value_of), None);
        assert_eq!(fill("no { brace", value_of).as_deref(), Some("no { brace"));
    }
}
