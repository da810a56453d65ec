//! A metric with the places of its columns in the table at hand: a row in, a sample out.

use std::sync::Arc;

use super::instant::unix_seconds;
use super::labels::{List, Lists};
use crate::collectors::metric::{Metric, Origin, fill};
use crate::sample::{Family, Labels, Sample};
use crate::server::{Row, Table};

/// The cell has text that is no number.
pub(super) struct NoNumber;

pub(super) struct Column<'a> {
    pub(super) metric: &'a Metric,
    value: Option<usize>,
    labels: usize,
    per_row: bool,
}

impl<'a> Column<'a> {
    /// `None` when this version's query does not have the column.
    pub(super) fn of(metric: &'a Metric, table: &Table, lists: &mut Lists) -> Option<Self> {
        let value = match &metric.origin {
            Origin::Column { name, .. } => Some(table.place(name)?),
            Origin::Constant(_) => None,
        };
        let labels = metric.labels.iter();
        let columns = labels.map(|label| Some((label.clone(), table.place(label)?)));
        let list = List {
            columns: columns.collect::<Option<_>>()?,
            le: metric.le.clone(),
        };
        Some(Column {
            metric,
            value,
            labels: lists.number(list),
            per_row: metric.is_per_row(),
        })
    }

    /// Whether a row has a value for it, a number or not.
    pub(super) fn is_known(&self, row: Row, lists: &Lists) -> bool {
        match self.value {
            Some(place) => row.cell(place).is_some(),
            None => {
                let mut places = lists.places(self.labels);
                places.all(|place| row.cell(place).is_some())
            }
        }
    }

    /// The value of a row; `None` when it has none.
    pub(super) fn value(&self, row: Row, lists: &Lists) -> Result<Option<f64>, NoNumber> {
        match (&self.metric.origin, self.value) {
            (Origin::Column { divisor, .. }, Some(place)) => {
                let number = row.cell(place).map(number).transpose()?;
                Ok(number.map(|number| number / divisor))
            }
            (Origin::Constant(value), _) => Ok(self.is_known(row, lists).then_some(*value)),
            (Origin::Column { .. }, None) => Ok(None),
        }
    }

    /// The sample of a row whose labels are given by the number of their list.
    pub(super) fn sample(
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

    /// The metric's own name.
    pub(super) fn name(&self) -> Arc<str> {
        self.metric.family.name.clone()
    }

    /// The sample under its older names.
    pub(super) fn older(&self, sample: &Sample) -> impl Iterator<Item = Sample> {
        let families = self.metric.aliases.iter();
        families.map(|family| Sample {
            family: family.clone(),
            ..sample.clone()
        })
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
pub(in crate::collectors) fn is_number(text: &str) -> bool {
    number(text).is_ok()
}

fn number(text: &str) -> Result<f64, NoNumber> {
    match text {
        "t" => Ok(1.0),
        "f" => Ok(0.0),
        _ => match text.parse() {
            Ok(number) => Ok(number),
            Err(_) => unix_seconds(text).ok_or(NoNumber),
        },
    }
}

fn metric_name(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    text.chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}
