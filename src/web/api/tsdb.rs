//! `status/tsdb`: where the series are, as the store counts them.

use crate::store::Ranking;

use super::Asked;
use super::answer::Answer;
use super::failure::Failure;
use super::json::{Object, array, object};

/// How many lines each table has unless more are wanted.
const LINES: usize = 10;

/// `status/tsdb`
pub(super) fn statistics(asked: &Asked) -> Result<Answer, Failure> {
    let lines = asked.parameters.given("limit").map(str::parse);
    let lines = match lines {
        None => LINES,
        Some(Ok(lines)) if lines > 0 => lines,
        Some(_) => return Err(Failure::bad_data("limit must be a positive number")),
    };
    let counts = asked.view.store.statistics(lines);
    Ok(Answer::written(|out| {
        object(out, |o| {
            object(o.key("headStats"), |o| {
                o.plain("numSeries", counts.series);
                o.plain("numLabelPairs", counts.label_pairs);
                o.plain("chunkCount", counts.chunks);
                // As of a head without samples.
                o.plain("minTime", counts.oldest.map_or(i64::MAX, |at| at.0));
                o.plain("maxTime", counts.newest.map_or(i64::MIN, |at| at.0));
            });
            write(o, "seriesCountByMetricName", &counts.series_by_metric);
            write(o, "labelValueCountByLabelName", &counts.values_by_label);
            write(o, "memoryInBytesByLabelName", &counts.bytes_by_label);
            write(o, "seriesCountByLabelValuePair", &counts.series_by_pair);
        });
    }))
}

fn write(o: &mut Object, key: &str, ranking: &Ranking) {
    array(o.key(key), ranking, |out, (name, count)| {
        object(out, |o| {
            o.text("name", name);
            o.plain("value", count);
        });
    });
}
