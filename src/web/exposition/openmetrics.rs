//! OpenMetrics 1.0, written by prometheus-client.

use std::collections::BTreeSet;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::sample::{Labels, MetricKind};

use super::families::Rows;
use super::text::escape;

/// Writes the families in their order, without the closing `# EOF`.
pub(super) fn write(families: Vec<Rows>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Families(families)));
    let mut page = String::new();
    let written = encode_registry(&mut page, &registry);
    debug_assert!(written.is_ok(), "writing into a string cannot fail");
    page
}

#[derive(Debug)]
struct Families(Vec<Rows>);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let names: BTreeSet<&str> = self
            .0
            .iter()
            .map(|rows| rows.family.name.as_ref())
            .collect();
        for Rows { family, rows } in &self.0 {
            let (kind, name) = kind_and_name(family.kind, &family.name, &names);
            let (name, unit) = unit_of(name);
            let mut help = String::with_capacity(family.help.len());
            escape(&mut help, &family.help, true);
            let mut metric = encoder.encode_descriptor(name, &help, unit.as_ref(), kind)?;
            for (labels, value) in rows {
                let labels = Pairs(labels);
                match kind {
                    MetricType::Counter if labels.0.is_empty() => {
                        metric.encode_counter::<NoLabelSet, _, f64>(value, None)?;
                    }
                    MetricType::Counter => metric
                        .encode_family(&labels)?
                        .encode_counter::<NoLabelSet, _, f64>(value, None)?,
                    _ if labels.0.is_empty() => metric.encode_gauge(value)?,
                    _ => metric.encode_family(&labels)?.encode_gauge(value)?,
                }
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
