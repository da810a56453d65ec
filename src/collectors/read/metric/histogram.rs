//! A metric of several columns: the cumulative buckets of a histogram, its sum and its count.

use std::sync::Arc;

use crate::collectors::{Metric, Origin};
use crate::document::Section;
use crate::sample::{Family, MetricKind};

/// One series of a histogram.
pub(super) struct Part {
    suffix: &'static str,
    le: Option<String>,
    column: String,
}

/// The parts as they are declared; `None` when the metric is no histogram.
pub(super) fn parts(kind: MetricKind, s: &mut Section) -> Option<Vec<Part>> {
    let buckets = s.pairs(
        "buckets",
        "For a histogram: by upper bound the column that counts the values not above it.",
    );
    let sum = s.optional_text(
        "sum",
        "For a histogram: the column with the sum of all values.",
    );
    let count = s.optional_text(
        "count",
        "For a histogram: the column that counts all values.",
    );
    if kind != MetricKind::Histogram {
        if !buckets.is_empty() || sum.is_some() || count.is_some() {
            let hint = Some("write `type: histogram`");
            s.problem("", "has columns of a histogram and is none", hint);
        }
        return None;
    }
    for (bound, _) in &buckets {
        if !bound.parse().is_ok_and(f64::is_finite) {
            let hint = Some("`count` is the bucket without a bound");
            s.problem("buckets", format!("`{bound}` is no upper bound"), hint);
        }
    }
    let (Some(sum), Some(count)) = (sum, count) else {
        let hint = Some("`sum` and `count` name the columns beside `buckets`");
        s.problem("", "a histogram needs `buckets`, `sum` and `count`", hint);
        return Some(Vec::new());
    };
    let bucket = |(bound, column): (String, String)| Part {
        suffix: "_bucket",
        le: Some(bound),
        column,
    };
    let all = bucket(("+Inf".into(), count.clone()));
    let whole = [("_sum", sum), ("_count", count)].map(|(suffix, column)| Part {
        suffix,
        le: None,
        column,
    });
    Some(
        buckets
            .into_iter()
            .map(bucket)
            .chain([all])
            .chain(whole)
            .collect(),
    )
}

impl Part {
    /// It as a metric of its own.
    pub(super) fn of(&self, whole: &Metric) -> Metric {
        let named = |family: &Arc<Family>| {
            Arc::new(Family {
                name: format!("{}{}", family.name, self.suffix).into(),
                kind: family.kind,
                help: family.help.clone(),
            })
        };
        Metric {
            family: named(&whole.family),
            aliases: whole.aliases.iter().map(named).collect(),
            origin: Origin::Column {
                name: self.column.as_str().into(),
                divisor: 1.0,
            },
            le: self.le.as_deref().map(Arc::from),
            ..whole.clone()
        }
    }
}
