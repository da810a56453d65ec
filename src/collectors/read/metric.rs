//! One entry of `metrics`: what a column is.

mod histogram;

use std::sync::Arc;

use super::check::check_metric;
use super::{one_of, version};
use crate::collectors::{Metric, Origin, Remainder};
use crate::document::Section;
use crate::sample::{Family, MetricKind};

const KINDS: [(&str, MetricKind); 4] = [
    ("gauge", MetricKind::Gauge),
    ("counter", MetricKind::Counter),
    ("histogram", MetricKind::Histogram),
    ("unknown", MetricKind::Unknown),
];

/// Reads an entry, which for a histogram is several metrics; `common` are the collector's labels.
pub(super) fn metrics(name: &str, common: &[String], s: &mut Section) -> Vec<Metric> {
    let kind = one_of(
        s,
        "type",
        KINDS,
        "What Prometheus calls it; `unknown` where it has no better word.",
    );
    let parts = histogram::parts(kind, s);
    let own = s.texts(
        "labels",
        "Columns that are its labels; default those of the collector.",
    );
    let labels = if s.has("labels") {
        own.iter()
    } else {
        common.iter()
    };
    let family = Family {
        name: name.into(),
        kind,
        help: s.required_text("help", "what it says, one sentence").into(),
    };
    let aliases = s.texts(
        "aliases",
        "Older names under which it is published as well with `collect.aliases`.",
    );
    let whole = Metric {
        origin: if parts.is_none() {
            origin(s)
        } else {
            Origin::Constant(1.0)
        },
        labels: labels.map(|label| label.as_str().into()).collect(),
        le: None,
        aliases: aliases.iter().map(|name| older(&family, name)).collect(),
        rest: rest(family.kind, s),
        unit: s.text("unit", "", "The unit of the value."),
        since: version(s, "since", "", "The first major version that has it."),
        until: version(s, "until", "", "The last major version that has it."),
        family: Arc::new(family),
    };
    check_metric(&whole, s);
    match parts {
        Some(parts) => parts.iter().map(|part| part.of(&whole)).collect(),
        None => vec![whole],
    }
}

fn rest(kind: MetricKind, s: &mut Section) -> Remainder {
    let doc = "What is told of the rows that `top` leaves out; default `sum` for a counter, else `none`; always `none` for a histogram.";
    let written = s.parsed("rest", "sum, max or none", "", doc, |text| match text {
        "sum" => Ok(Remainder::Sum),
        "max" => Ok(Remainder::Max),
        "none" => Ok(Remainder::None),
        _ => Err(format!("`{text}` is none of sum, max, none")),
    });
    match kind {
        MetricKind::Counter => written.unwrap_or(Remainder::Sum),
        MetricKind::Histogram => Remainder::None,
        _ => written.unwrap_or(Remainder::None),
    }
}

/// The same metric under an older name.
fn older(family: &Family, name: &str) -> Arc<Family> {
    Arc::new(Family {
        name: name.into(),
        kind: family.kind,
        help: format!("Older name of {}: {}", family.name, family.help).into(),
    })
}

fn origin(s: &mut Section) -> Origin {
    let from = s.optional_text("from", "The column that holds the value.");
    let constant = s.optional_number(
        "value",
        "A constant in place of a column: the labels are the fact.",
    );
    let divisor = s
        .optional_number("divide_by", "What the column is divided by.")
        .unwrap_or(1.0);
    if divisor == 0.0 {
        s.problem("divide_by", "must not be zero", None);
    }
    match (from, constant) {
        (Some(from), None) => Origin::Column {
            name: from.into(),
            divisor,
        },
        (None, Some(value)) => Origin::Constant(value),
        _ => {
            let hint = "`from` names a column, `value: 1` is a constant";
            s.problem("", "needs either `from` or `value`", Some(hint));
            Origin::Constant(1.0)
        }
    }
}
