//! Holds an answer against what its collector declares, and says in words what does not fit.

use std::collections::HashSet;

use super::metric::{Metric, Origin, placeholders};
use super::sampling::{Room, is_number, samples};
use super::{Run, Settings};
use crate::document::nearest;
use crate::server::{Row, Table};

/// The longest piece of an offending cell that is shown.
const SHOWN: usize = 20;

/// What is wrong with a collector on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Whether series are missing for it; else it is worth knowing.
    pub grave: bool,
    /// What, and after a line break the way out.
    pub words: String,
}

impl Flaw {
    pub(super) fn grave(words: String) -> Self {
        Flaw { grave: true, words }
    }

    pub(super) fn light(words: String) -> Self {
        Flaw {
            grave: false,
            words,
        }
    }
}

/// How many series an answer gives, and what is wrong with it on a server of this major version.
pub fn examine(run: &Run, table: &Table, major: u32, settings: &Settings) -> (usize, Vec<Flaw>) {
    let pivoted = run.collector.pivot.as_ref().map(|pivot| pivot.apply(table));
    let answer = table;
    let table = pivoted.as_ref().unwrap_or(table);
    let metrics = run.collector.metrics.iter();
    let metrics: Vec<&Metric> = metrics.filter(|metric| metric.covers(major)).collect();
    let mut flaws = missing(&metrics, table);
    flaws.extend(missing_choice(run, table));
    flaws.extend(metrics.iter().filter_map(|metric| no_number(metric, table)));
    flaws.extend(metrics.iter().filter_map(|metric| twice(metric, table)));
    if table.unreadable > 0 {
        flaws.push(Flaw::grave(format!(
            "{} rows have text that is not UTF-8",
            table.unreadable
        )));
    }
    let series = samples(run, answer, &Room::default()).samples.len();
    if settings.max_series > 0 && series > settings.max_series && run.collector.top.is_none() {
        flaws.push(Flaw::grave(format!(
            "gives {series} series, and at most {} are kept\nhint: order the rows by what should stay, or raise \
             `collect.max_series`",
            settings.max_series
        )));
    }
    (series, flaws)
}

/// The columns that a metric cannot do without.
fn needed(metric: &Metric) -> Vec<&str> {
    let value = match &metric.origin {
        Origin::Column { name, .. } => Some(&**name),
        Origin::Constant(_) => None,
    };
    let family = &metric.family;
    let in_texts = placeholders(&family.name).chain(placeholders(&family.help));
    let labels = metric.labels.iter().map(|label| &**label);
    value.into_iter().chain(labels).chain(in_texts).collect()
}

/// Each column that is not in the answer, once, with the metrics that lack it.
fn missing(metrics: &[&Metric], table: &Table) -> Vec<Flaw> {
    let mut lacking: Vec<(&str, Vec<&str>)> = Vec::new();
    for metric in metrics {
        let absent = needed(metric).into_iter();
        for column in absent.filter(|column| table.place(column).is_none()) {
            let name: &str = &metric.family.name;
            match lacking.iter_mut().find(|(known, _)| *known == column) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => lacking.push((column, vec![name])),
            }
        }
    }
    let there: Vec<&str> = table.columns().iter().map(|column| &**column).collect();
    let each = lacking.into_iter();
    each.map(|(column, metrics)| {
        let meant = nearest(column, &there).map(|near| format!("did you mean `{near}`? "));
        Flaw::grave(format!(
            "the answer has no column `{column}`, which `{}` needs\nhint: {}it has `{}`",
            metrics.join("`, `"),
            meant.unwrap_or_default(),
            there.join("`, `")
        ))
    })
    .collect()
}

/// The columns by which rows are chosen that are not in the answer.
fn missing_choice(run: &Run, table: &Table) -> Vec<Flaw> {
    let by = run.collector.top.iter().flat_map(|top| &top.by);
    let absent = by.filter(|column| table.place(column).is_none());
    let words =
        |column| format!("the answer has no column `{column}`, by which `top` chooses rows");
    absent.map(|column| Flaw::grave(words(column))).collect()
}

/// The first cell of a metric's values that is no number.
fn no_number(metric: &Metric, table: &Table) -> Option<Flaw> {
    let Origin::Column { name, .. } = &metric.origin else {
        return None;
    };
    let place = table.place(name)?;
    let mut cells = table.rows().map(|row| row.cell(place)).enumerate();
    let (row, cell) =
        cells.find_map(|(row, cell)| Some((row + 1, cell.filter(|cell| !is_number(cell))?)))?;
    let begins: String = cell.chars().take(SHOWN).collect();
    let more = if begins.len() < cell.len() { "…" } else { "" };
    Some(Flaw::grave(format!(
        "column `{name}` holds `{begins}{more}` in row {row}, which is no number, and `{}` needs one\nhint: cast it in \
         the statement, for a span of time with `EXTRACT(EPOCH FROM {name})`",
        metric.family.name
    )))
}

/// The first series of a metric that stands in the answer a second time.
fn twice(metric: &Metric, table: &Table) -> Option<Flaw> {
    let columns: Vec<(&str, usize)> = needed(metric)
        .into_iter()
        .map(|column| Some((column, table.place(column)?)))
        .collect::<Option<_>>()?;
    let (value, identity) = match metric.origin {
        Origin::Column { .. } => columns.split_first()?,
        Origin::Constant(_) => (columns.first()?, columns.as_slice()),
    };
    let cells = |row: Row<'_>| -> Vec<Option<String>> {
        let places = identity.iter();
        places
            .map(|(_, place)| row.cell(*place).map(str::to_owned))
            .collect()
    };
    let mut seen = HashSet::new();
    let known = table.rows().filter(|row| row.cell(value.1).is_some());
    let double = known.map(cells).find(|cells| !seen.insert(cells.clone()))?;
    let labels: Vec<String> = identity
        .iter()
        .zip(double)
        .map(|((name, _), cell)| format!("{name}={:?}", cell.unwrap_or_default()))
        .collect();
    Some(Flaw::grave(format!(
        "`{}` comes more than once for {{{}}}, and only the first is kept\nhint: name the column that tells the rows \
         apart in `labels`, or add the rows up with GROUP BY",
        metric.family.name,
        labels.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::{load, plan};
    use crate::document::{Reader, parse};
    use crate::server::Facts;

    const OWN: &str = "
name: own
doc: Own.
labels: [queue]
queries: [{sql: SELECT}]
metrics:
  own_waiting: {from: waiting, help: Waiting.}
  own_state: {value: 1, labels: [queue, state], help: State.}
  own_gone: {from: gone, until: 12, help: Of older versions.}
";

    fn check(columns: [&str; 3], rows: &[[&str; 3]]) -> (usize, Vec<String>) {
        let facts = Facts {
            version: 180_000,
            ..Facts::default()
        };
        let settings =
            Reader::new(None).read(&parse("x.yml", "max_series: 3").unwrap(), Settings::read);
        let own = load(&[("own.yml".into(), OWN.replace("until: 12", "until: 17"))]).unwrap();
        let run = plan(&own[own.len() - 1..], &facts, &settings)
            .runs
            .remove(0);
        let mut table = Table::new(columns);
        for row in rows {
            table.push(&row.map(Some));
        }
        let (series, flaws) = examine(&run, &table, 18, &settings);
        let words = flaws.into_iter().map(|flaw| {
            assert!(flaw.grave);
            flaw.words
        });
        (series, words.collect())
    }

    #[test]
    fn an_answer_that_fits_is_counted() {
        let rows = [["a", "1", "up"]];
        assert_eq!(check(["queue", "waiting", "state"], &rows), (2, vec![]));
        assert_eq!(check(["queue", "waiting", "state"], &[]), (0, vec![]));
    }

    #[test]
    fn what_does_not_fit_is_said_with_the_way_out() {
        let (_, words) = check(["queue", "wating", "state"], &[["a", "1", "up"]]);
        assert_eq!(
            words,
            [
                "the answer has no column `waiting`, which `own_waiting` needs\n\
              hint: did you mean `wating`? it has `queue`, `wating`, `state`"
            ]
        );
        let secret = "a secret that nobody should see";
        let rows = [["a", "1", "up"], ["b", secret, "up"], ["b", secret, "up"]];
        let (series, words) = check(["queue", "waiting", "state"], &rows);
        assert_eq!(series, 3);
        assert!(
            words[0].starts_with("column `waiting` holds `a secret that nobody…` in row 2"),
            "{words:?}"
        );
        let double = r#"`own_waiting` comes more than once for {queue="b"}"#;
        assert!(words[1].starts_with(double), "{words:?}");
        assert!(words[2].contains(r#"{queue="b", state="up"}"#), "{words:?}");
        let rows = [["a", "1", "up"], ["b", "2", "up"]];
        let (series, words) = check(["queue", "waiting", "state"], &rows);
        assert!(series == 4 && words[0].contains("4 series, and at most 3"));
    }
}
