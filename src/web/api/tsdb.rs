//! `status/tsdb`: where the series are. Counted from their labels.

use std::collections::{BTreeMap, BTreeSet};

use crate::sample::{Labels, NAME, Timestamp};

use super::Asked;
use super::answer::Answer;
use super::failure::Failure;
use super::json::{Object, array, object};

/// How many lines each table has unless more are wanted.
const LINES: usize = 10;

/// Beside the texts of a label, as Prometheus counts.
const OVERHEAD: usize = 2;

/// Names with what is counted of each.
type Table = Vec<(String, usize)>;

#[derive(Default)]
struct Counts {
    series: usize,
    pairs: usize,
    by_metric: Table,
    values: Table,
    bytes: Table,
    by_pair: Table,
}

/// `status/tsdb`
pub(super) fn statistics(asked: &Asked) -> Result<Answer, Failure> {
    let lines = asked.parameters.given("limit").map(str::parse);
    let lines = match lines {
        None => LINES,
        Some(Ok(lines)) if lines > 0 => lines,
        Some(_) => return Err(Failure::bad_data("limit must be a positive number")),
    };
    let store = &asked.view.store;
    let counts = count(&store.labels(&[], Timestamp(i64::MIN), Timestamp(i64::MAX)));
    Ok(Answer::written(|out| {
        object(out, |o| {
            object(o.key("headStats"), |o| {
                o.plain("numSeries", counts.series);
                o.plain("numLabelPairs", counts.pairs);
                o.plain("chunkCount", store.size().samples.div_ceil(120));
                o.plain("minTime", store.covers_since().0);
                o.plain("maxTime", asked.now.0);
            });
            write(o, "seriesCountByMetricName", counts.by_metric, lines);
            write(o, "labelValueCountByLabelName", counts.values, lines);
            write(o, "memoryInBytesByLabelName", counts.bytes, lines);
            write(o, "seriesCountByLabelValuePair", counts.by_pair, lines);
        });
    }))
}

/// The largest first.
fn write(o: &mut Object, key: &str, mut table: Table, lines: usize) {
    table.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    array(
        o.key(key),
        table.iter().take(lines),
        |out, (name, count)| {
            object(out, |o| {
                o.text("name", name);
                o.plain("value", count);
            });
        },
    );
}

fn count(all: &[Labels]) -> Counts {
    let mut by_pair: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut bytes: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, value) in all.iter().flat_map(Labels::iter) {
        *by_pair.entry((name, value)).or_default() += 1;
        *bytes.entry(name).or_default() += name.len() + value.len() + OVERHEAD;
    }
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in by_pair.keys() {
        values.entry(name).or_default().insert(value);
    }
    let named = |(name, count): (&str, usize)| (name.to_owned(), count);
    let metrics = by_pair.iter().filter(|((name, _), _)| *name == NAME);
    Counts {
        series: all.len(),
        pairs: by_pair.len(),
        by_metric: metrics
            .map(|((_, metric), count)| named((metric, *count)))
            .collect(),
        values: values
            .into_iter()
            .map(|(name, values)| named((name, values.len())))
            .collect(),
        bytes: bytes.into_iter().map(named).collect(),
        by_pair: by_pair
            .into_iter()
            .map(|((name, value), count)| (format!("{name}={value}"), count))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_as_prometheus_does() {
        // Four series that a Prometheus 3.5 had, and what it said of them.
        let series = ["ALERTS", "ALERTS_FOR_STATE"]
            .into_iter()
            .flat_map(|metric| {
                let state = if metric == "ALERTS" {
                    ["firing", "pending"]
                } else {
                    ["", ""]
                };
                [("A", "1", state[0]), ("P", "", state[1])].map(|(name, severity, state)| {
                    Labels::new([
                        (NAME, metric),
                        ("alertname", name),
                        ("severity", severity),
                        ("alertstate", state),
                        ("team", "x"),
                    ])
                })
            });
        let counts = count(&series.collect::<Vec<_>>());
        assert_eq!((counts.series, counts.pairs), (4, 8));
        let bytes = [
            ("__name__", 84),
            ("alertname", 48),
            ("alertstate", 37),
            ("severity", 22),
            ("team", 28),
        ];
        assert_eq!(
            counts.bytes,
            bytes.map(|(name, count)| (name.to_owned(), count))
        );
        assert!(counts.by_pair.contains(&("team=x".to_owned(), 4)));
    }
}
