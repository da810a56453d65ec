//! Turns postgres_exporter's file of user queries into collectors. Takes its text; hands on one file for each query and
//! a word for everything that is not carried over as it stands.

mod queries;
mod range;
mod select;
mod write;

use super::{Collector, Flaw, load};
use crate::document::{Problem, parse};
use crate::sample::MetricKind;

use queries::{Column, Query, Usage};
use range::{Majors, majors};
use select::Select;
use write::Draft;

/// What came of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Import {
    /// Name and text of each collector's file.
    pub files: Vec<(String, String)>,
    /// What is not as it was; grave where something is left out that nothing else publishes.
    pub notes: Vec<Flaw>,
}

/// Reads the text of such a file.
///
/// # Errors
/// It is no such file.
pub fn import(origin: &str, text: &str) -> Result<Import, Problem> {
    let root = parse(origin, text)?;
    let (queries, problems) = queries::read(&root)?;
    let unknown = problems
        .into_iter()
        .map(|problem| Flaw::grave(problem.to_string()));
    let mut import = Import {
        notes: unknown.collect(),
        ..Import::default()
    };
    let built_in = load(&[]).unwrap_or_default();
    let built_in: Vec<&Collector> = built_in.iter().map(AsRef::as_ref).collect();
    for query in &queries {
        let mut notes = Notes::about(query);
        if let Some((name, text)) = collector(query, &built_in, &mut notes) {
            match fits(&import.files, &name, &text) {
                Ok(()) => import.files.push((name, text)),
                Err(problems) => problems.iter().for_each(|problem| {
                    notes.lost(&format!("left out: {}", problem.message));
                }),
            }
        }
        import.notes.extend(notes.said);
    }
    Ok(import)
}

/// What is said of one query.
struct Notes<'q> {
    query: &'q Query,
    said: Vec<Flaw>,
}

impl<'q> Notes<'q> {
    fn about(query: &'q Query) -> Self {
        Notes {
            query,
            said: Vec::new(),
        }
    }

    fn lost(&mut self, words: &str) {
        self.said
            .push(Flaw::grave(format!("query `{}`: {words}", self.query.name)));
    }

    fn told(&mut self, words: &str) {
        self.said
            .push(Flaw::light(format!("query `{}`: {words}", self.query.name)));
    }
}

/// Name and text of the file for one query; `None` when nothing is left of it.
fn collector(
    query: &Query,
    built_in: &[&Collector],
    notes: &mut Notes,
) -> Option<(String, String)> {
    let versions = versions(query, notes)?;
    let mut select = Select::default();
    let labels = labels(query, &mut select, notes);
    let mut draft = Draft {
        name: name(query, built_in),
        from: query.name.clone(),
        interval: query.cache_seconds,
        versions,
        labels,
        ..Draft::default()
    };
    for column in &query.columns {
        metric(query, column, built_in, &mut select, &mut draft, notes);
    }
    if draft.metrics.is_empty() {
        notes.told("no metric is left, so that it becomes no collector");
        return None;
    }
    draft.sql = select.over(&query.sql);
    Some((draft.name.clone(), draft.text()))
}

/// The query's own name, unless a built-in collector has it.
fn name(query: &Query, built_in: &[&Collector]) -> String {
    match built_in.iter().any(|known| *known.name == *query.name) {
        true => format!("own_{}", query.name),
        false => query.name.clone(),
    }
}

fn versions(query: &Query, notes: &mut Notes) -> Option<Vec<Majors>> {
    let Some(range) = &query.versions else {
        return Some(vec![Majors::default()]);
    };
    match majors(range) {
        Err(why) => {
            notes.lost(&format!(
                "left out: `runonserver` `{range}` cannot be read: {why}"
            ));
            None
        }
        Ok((versions, _)) if versions.is_empty() => {
            notes.told(&format!(
                "left out: `runonserver` `{range}` means no version from 13 on"
            ));
            None
        }
        Ok((versions, exact)) => {
            if !exact {
                notes.lost(&format!(
                    "`runonserver` `{range}` tells minor versions apart, which a collector does not: it runs on all of \
                     those majors"
                ));
            }
            Some(versions)
        }
    }
}

/// The label columns, by the names that they have in the new statement.
fn labels(query: &Query, select: &mut Select, notes: &mut Notes) -> Vec<String> {
    let columns = query.columns.iter();
    let labels = columns.filter(|column| column.usage == Usage::Label);
    let mut names = Vec::new();
    for column in labels {
        let name = &column.name;
        if ["server", "job", "instance"].contains(&name.as_str()) {
            names.push(select.renamed(name, &format!("exported_{name}")));
            notes.lost(&format!(
                "label `{name}` is set by pgvigil itself and becomes `exported_{name}`"
            ));
        } else {
            names.push(name.clone());
        }
    }
    names
}

/// Adds the metrics that a column is, if it is one that can be carried over.
fn metric(
    query: &Query,
    column: &Column,
    built_in: &[&Collector],
    select: &mut Select,
    draft: &mut Draft,
    notes: &mut Notes,
) {
    let mut name = format!("{}_{}", query.name, column.name);
    if column.usage == Usage::Duration {
        name.push_str("_milliseconds");
    }
    if [Usage::Label, Usage::Discard].contains(&column.usage) {
        return;
    }
    if let Some(words) = taken(&name, built_in) {
        notes.told(&format!("`{name}` is left out: {words}"));
        return;
    }
    let (since, until) = majors_of(column, notes);
    let whole = write::Metric {
        from: String::new(),
        kind: MetricKind::Gauge,
        labels: None,
        help: match column.description.trim() {
            "" => format!("Column {} of query {}.", column.name, query.name),
            description => description.to_owned(),
        },
        name,
        since,
        until,
    };
    let from = match &column.usage {
        Usage::Duration => select.milliseconds(&column.name),
        Usage::Mapped(mapping) => select.mapped(&column.name, mapping),
        Usage::Histogram => {
            notes.told(&format!(
                "histogram `{}` becomes its series `…_bucket`, `…_sum` and `…_count`, without a type of their own",
                whole.name
            ));
            let bounded = draft.labels.iter().cloned().chain(["le".into()]);
            let labels = [Some(bounded.collect()), None, None];
            let parts = select.histogram(&column.name).into_iter().zip(labels);
            draft
                .metrics
                .extend(parts.map(|(from, labels)| write::Metric {
                    name: format!("{}{}", whole.name, &from[column.name.len()..]),
                    from,
                    kind: MetricKind::Unknown,
                    labels,
                    ..whole.clone()
                }));
            return;
        }
        _ => select.plain(&column.name),
    };
    draft.metrics.push(write::Metric {
        from,
        kind: match column.usage {
            Usage::Counter => MetricKind::Counter,
            _ => MetricKind::Gauge,
        },
        ..whole
    });
}

/// The first and the last major version that has a column, where it says so.
fn majors_of(column: &Column, notes: &mut Notes) -> (Option<u32>, Option<u32>) {
    match column.versions.as_deref().map(majors) {
        None => (None, None),
        Some(Ok((versions, true))) if versions.len() == 1 => (versions[0].since, versions[0].until),
        Some(_) => {
            notes.lost(&format!(
                "the `pg_version` of column `{}` is no range of major versions from 13 on: it is read on all of them",
                column.name
            ));
            (None, None)
        }
    }
}

/// Which built-in collector publishes a name already.
fn taken(name: &str, built_in: &[&Collector]) -> Option<String> {
    built_in.iter().find_map(|collector| {
        let mut metrics = collector.metrics.iter();
        let same = |taken: &str| taken == name || taken.strip_suffix("_bucket") == Some(name);
        let metric =
            metrics.find(|metric| metric.families(true).any(|family| same(&family.name)))?;
        let own = &metric.family.name;
        Some(match same(own) && !collector.alias {
            true => format!("the built-in collector `{}` publishes it", collector.name),
            false => format!(
                "the built-in collector `{}` publishes it with `collect.aliases: true`",
                collector.name
            ),
        })
    })
}

/// Whether a file would load after those that are built in and those before it.
fn fits(earlier: &[(String, String)], name: &str, text: &str) -> Result<(), Vec<Problem>> {
    let mut files: Vec<(String, String)> = earlier.to_vec();
    files.push((name.to_owned(), text.to_owned()));
    load(&files).map(|_| ())
}

#[cfg(test)]
mod tests;
