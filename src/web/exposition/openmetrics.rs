//! OpenMetrics 1.0, written by prometheus-client.

use std::collections::BTreeSet;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::sample::{Family, Labels, MetricKind};

use super::text::escape;

/// Appends HELP, TYPE and UNIT. `names` are all families of the page.
pub(super) fn write_head(page: &mut String, family: &Family, names: &BTreeSet<&str>) {
    let (kind, name) = kind_and_name(family.kind, &family.name, names);
    let (name, unit) = unit_of(name);
    let mut help = String::with_capacity(family.help.len());
    escape(&mut help, &family.help, true);
    let described = Described {
        name: name.to_owned(),
        help,
        unit,
        kind,
        rows: Vec::new(),
    };
    described.encode_to(page);
}

/// Appends a line for each series. Whatever a family's type, its rows stand under its whole name.
pub(super) fn write_rows(page: &mut String, name: &str, rows: &[(&Labels, f64)]) {
    let described = Described {
        name: name.to_owned(),
        help: String::new(),
        unit: None,
        kind: MetricType::Unknown,
        rows: rows
            .iter()
            .map(|(labels, value)| ((*labels).clone(), *value))
            .collect(),
    };
    let mut text = String::with_capacity(rows.len() * 96);
    described.encode_to(&mut text);
    let heads = text.split_inclusive('\n');
    let head: usize = heads
        .take_while(|line| line.starts_with('#'))
        .map(str::len)
        .sum();
    page.push_str(&text[head..]);
}

/// A family, or a part of it, for the encoder.
#[derive(Debug)]
struct Described {
    name: String,
    help: String,
    unit: Option<Unit>,
    kind: MetricType,
    rows: Vec<(Labels, f64)>,
}

impl Described {
    fn encode_to(self, page: &mut String) {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let written = encode_registry(page, &registry);
        debug_assert!(written.is_ok(), "writing into a string cannot fail");
    }
}

impl Collector for Described {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Described {
            name,
            help,
            unit,
            kind,
            rows,
        } = self;
        let mut metric = encoder.encode_descriptor(name, help, unit.as_ref(), *kind)?;
        for (labels, value) in rows {
            if labels.is_empty() {
                metric.encode_gauge(value)?;
            } else {
                metric.encode_family(&Pairs(labels))?.encode_gauge(value)?;
            }
        }
        Ok(())
    }
}

/// OpenMetrics names a counter without its `_total` and appends it to every sample: one that has none would be renamed,
/// and one whose short name is taken would collide, so both go as `unknown` under the name they have.
fn kind_and_name<'n>(
    kind: MetricKind,
    name: &'n str,
    names: &BTreeSet<&str>,
) -> (MetricType, &'n str) {
    match (kind, name.strip_suffix("_total")) {
        (MetricKind::Counter, Some(short)) if !names.contains(short) => {
            (MetricType::Counter, short)
        }
        (MetricKind::Gauge, _) => (MetricType::Gauge, name),
        (MetricKind::Histogram, _) => (MetricType::Histogram, name),
        _ => (MetricType::Unknown, name),
    }
}

/// A unit may only be told where the name ends in it; the encoder appends it to the name again.
fn unit_of(name: &str) -> (&str, Option<Unit>) {
    let units = [
        ("_seconds", Unit::Seconds),
        ("_bytes", Unit::Bytes),
        ("_ratio", Unit::Other("ratio".into())),
    ];
    let mut told = units
        .into_iter()
        .filter_map(|(suffix, unit)| name.strip_suffix(suffix).map(|short| (short, Some(unit))));
    told.next().unwrap_or((name, None))
}

#[derive(Debug)]
struct Pairs<'l>(&'l Labels);

impl EncodeLabelSet for Pairs<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> fmt::Result {
        for pair in self.0.iter() {
            pair.encode(encoder.encode_label())?;
        }
        Ok(())
    }
}
