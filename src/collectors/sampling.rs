//! The one function that turns rows into samples, for every collector alike.

mod labels;

use std::collections::HashSet;
use std::sync::Arc;

use self::labels::Lists;
use super::Run;
use super::metric::{Metric, Origin, fill};
use crate::sample::{Family, Labels, Sample};
use crate::server::{Row, Table};

/// The samples of one answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampled {
    /// In the order of the rows.
    pub samples: Vec<Sample>,
    /// Values left out: past the cap, duplicates, not numbers, and rows that could not be read.
    pub dropped: u64,
}

/// Turns an answer into samples. A NULL is an absent sample; a duplicate series or a value that is no number costs
/// itself. Past `cap` series whole rows are left out, the last first: a collector that may grow long orders its rows by
/// what stays.
pub fn samples(run: &Run, table: &Table, cap: usize) -> Sampled {
    let pivoted = run.collector.pivot.as_ref().map(|pivot| pivot.apply(table));
    let table = pivoted.as_ref().unwrap_or(table);
    let mut lists = Lists::default();
    let metrics = run.collector.metrics.iter();
    let columns: Vec<Column> = metrics
        .filter_map(|metric| Column::of(metric, table, &mut lists))
        .collect();
    let mut sampled = Sampled {
        samples: Vec::new(),
        dropped: table.unreadable,
    };
    let mut seen = HashSet::new();
    let mut full = false;
    for row in table.rows() {
        let labels = lists.of(row);
        let mut of_row = Vec::with_capacity(columns.len());
        for column in &columns {
            match column.sample(table, row, &lists, &labels) {
                Ok(Some(sample)) => {
                    if run.aliases {
                        of_row.extend(column.older(&sample));
                    }
                    of_row.push(sample);
                }
                Ok(None) => {}
                Err(NoNumber) => sampled.dropped += 1,
            }
        }
        full |= sampled.samples.len() + of_row.len() > cap;
        for sample in of_row {
            if !full && seen.insert((sample.family.name.clone(), sample.labels.clone())) {
                sampled.samples.push(sample);
            } else {
                sampled.dropped += 1;
            }
        }
    }
    sampled
}

struct NoNumber;

/// A metric with the places of its columns in the table at hand.
struct Column<'a> {
    metric: &'a Metric,
    value: Option<usize>,
    labels: usize,
    per_row: bool,
}

impl<'a> Column<'a> {
    /// `None` when this version's query does not have the column.
    fn of(metric: &'a Metric, table: &Table, lists: &mut Lists) -> Option<Self> {
        let value = match &metric.origin {
            Origin::Column { name, .. } => Some(table.place(name)?),
            Origin::Constant(_) => None,
        };
        let labels = metric.labels.iter();
        let list = labels.map(|label| Some((label.clone(), table.place(label)?)));
        Some(Column {
            metric,
            value,
            labels: lists.number(list.collect::<Option<_>>()?),
            per_row: metric.is_per_row(),
        })
    }

    fn sample(
        &self,
        table: &Table,
        row: Row,
        lists: &Lists,
        labels: &[Labels],
    ) -> Result<Option<Sample>, NoNumber> {
        let Some(value) = self.value(row, lists)? else {
            return Ok(None);
        };
        Ok(self.family(table, row).map(|family| Sample {
            family,
            labels: labels[self.labels].clone(),
            value,
        }))
    }

    /// The sample under its older names.
    fn older(&self, sample: &Sample) -> impl Iterator<Item = Sample> {
        let families = self.metric.aliases.iter();
        families.map(|family| Sample {
            family: family.clone(),
            ..sample.clone()
        })
    }

    fn value(&self, row: Row, lists: &Lists) -> Result<Option<f64>, NoNumber> {
        match (&self.metric.origin, self.value) {
            (Origin::Column { divisor, .. }, Some(place)) => {
                let number = row.cell(place).map(number).transpose()?;
                Ok(number.map(|number| number / divisor))
            }
            (Origin::Constant(value), _) => {
                let mut places = lists.places(self.labels);
                let known = places.all(|place| row.cell(place).is_some());
                Ok(known.then_some(*value))
            }
            (Origin::Column { .. }, None) => Ok(None),
        }
    }

    fn family(&self, table: &Table, row: Row) -> Option<Arc<Family>> {
        let declared = &self.metric.family;
        if !self.per_row {
            return Some(declared.clone());
        }
        let value_of = |column: &str| row.cell(table.place(column)?);
        Some(Arc::new(Family {
            name: metric_name(&fill(&declared.name, value_of)?).into(),
            kind: declared.kind,
            help: fill(&declared.help, value_of)?.into(),
        }))
    }
}

/// Whether a cell can be a value.
pub(super) fn is_number(text: &str) -> bool {
    number(text).is_ok()
}

fn number(text: &str) -> Result<f64, NoNumber> {
    match text {
        "t" => Ok(1.0),
        "f" => Ok(0.0),
        _ => text.parse().map_err(|_| NoNumber),
    }
}

fn metric_name(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Settings, load, plan};
    use super::*;
    use crate::document::{Reader, parse};
    use crate::server::Facts;

    const OWN: &str = "
name: own
doc: Own.
labels: [name]
queries: [{sql: SELECT}]
metrics:
  size: {from: size, divide_by: 1000, help: Size.}
  state: {value: 1, labels: [name, state], help: State.}
  \"set_{name}\": {from: setting, labels: [], help: \"Setting: {name}\"}
  later: {from: column_of_a_later_version, help: Later.}
";

    /// How a server without anything special runs it.
    fn run(declared: &str, settings: &str) -> Run {
        let own = load(&[("own.yml".into(), declared.into())]).unwrap().pop();
        let facts = Facts {
            version: 180_000,
            ..Facts::default()
        };
        let settings = Reader::new(None).read(&parse("x.yml", settings).unwrap(), Settings::read);
        plan(&[own.unwrap()], &facts, &settings).runs.remove(0)
    }

    fn check(rows: &[[Option<&str>; 4]], cap: usize) -> (Vec<String>, u64) {
        let mut table = Table::new(["name", "size", "state", "setting"]);
        table.unreadable = 1;
        for row in rows {
            table.push(row);
        }
        let sampled = samples(&run(OWN, ""), &table, cap);
        let lines = sampled
            .samples
            .iter()
            .map(|sample| format!("{}{} {}", sample.family.name, sample.labels, sample.value));
        (lines.collect(), sampled.dropped)
    }

    #[test]
    fn rows_become_samples_and_what_is_wrong_costs_itself() {
        let rows = [
            [Some("a.b"), Some("1500"), Some("up"), Some("on?")],
            [Some("c"), None, None, Some("t")],
            [Some("c"), Some("NaN"), Some("up"), Some("f")],
        ];
        let (lines, dropped) = check(&rows, 100);
        assert_eq!(
            lines,
            [
                r#"size{name="a.b"} 1.5"#,
                r#"state{name="a.b", state="up"} 1"#,
                "set_c{} 1",
                r#"size{name="c"} NaN"#,
                r#"state{name="c", state="up"} 1"#,
            ]
        );
        assert_eq!(dropped, 3, "an unreadable row, no number, a duplicate");
    }

    #[test]
    fn past_the_cap_the_last_rows_are_left_out_whole() {
        let rows = ["a", "b", "c"].map(|name| [Some(name), Some("1"), Some("up"), None]);
        let (lines, dropped) = check(&rows, 5);
        assert_eq!(lines.len(), 4);
        assert!(lines[3].contains(r#"name="b""#));
        assert_eq!(dropped, 1 + 2);
    }

    #[test]
    fn a_name_made_from_a_row_is_made_valid() {
        let (lines, _) = check(&[[Some("ext.a-b"), None, None, Some("5")]], 9);
        assert_eq!(lines, ["set_ext_a_b{} 5"]);
    }

    #[test]
    fn older_names_are_published_where_they_are_wanted() {
        let declared = "
name: own
doc: Own.
queries: [{sql: SELECT}]
metrics: {new_total: {from: n, type: counter, help: New., aliases: [old, older]}}
";
        let mut table = Table::new(["n"]);
        table.push(&[Some("3")]);
        let names = |written: &str| -> Vec<String> {
            let sampled = samples(&run(declared, written), &table, 9);
            let each = sampled.samples.iter();
            each.map(|sample| format!("{} {}", sample.family.name, sample.family.help))
                .collect()
        };
        assert_eq!(names(""), ["new_total New."]);
        assert_eq!(
            names("aliases: true"),
            [
                "old Older name of new_total: New.",
                "older Older name of new_total: New.",
                "new_total New."
            ]
        );
    }
}
