//! The answer to `wal-show --detailed-json`: from where to where WAL is there, and what is missing between.

use std::collections::HashSet;

use serde_json::Value;

use super::super::field::{list, number, segment_bytes, text};
use crate::backup::wal::{Segment, USUAL_SEGMENT_BYTES};
use crate::backup::{History, Wal, WalFile, WalName};
use crate::sample::Timestamp;

/// More segments are not written out.
const MOST: u64 = 500_000;

/// Writes out the segments that are there. It gives no times: `arrived` is when at the latest all of them had come that
/// the newest backup needs.
pub(super) fn read(answer: &Value, arrived: Timestamp) -> Result<Wal, String> {
    let Some(timelines) = answer.as_array() else {
        return Err("it is no list of timelines".into());
    };
    let switches: Vec<(&str, u64)> = timelines.iter().filter_map(switch_point).collect();
    let bytes = match timelines.iter().all(counts_agree) {
        true => USUAL_SEGMENT_BYTES,
        false => segment_bytes(&switches),
    };
    let mut wal = Wal::default();
    for each in timelines {
        let (Some(first), Some(last)) = (
            segment(each, "/start_segment", bytes),
            segment(each, "/end_segment", bytes),
        ) else {
            return Err("it has a timeline without its first or last segment".into());
        };
        if first.timeline != last.timeline || last < first {
            return Err("it has a timeline whose last segment is before its first".into());
        }
        if wal.files.len() as u64 + (last.number - first.number) >= MOST {
            return Err(format!("it has more than {MOST} segments"));
        }
        let missing: HashSet<&str> = list(each, "/missing_segments")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let names =
            (first.number..=last.number).map(|number| Segment { number, ..first }.name(bytes));
        let there = names.filter(|name| !missing.contains(name.as_str()));
        wal.files.extend(there.map(|name| WalFile {
            name: WalName::Segment(name),
            bytes: 0,
            modified: arrived,
            is_packed: true,
        }));
        wal.histories.extend(history(each));
    }
    Ok(wal)
}

fn segment(each: &Value, pointer: &str, bytes: u64) -> Option<Segment> {
    Segment::parse(text(each, pointer)?, bytes)
}

fn switch_point(each: &Value) -> Option<(&str, u64)> {
    let point = number(each, "/switch_point_lsn").filter(|point| *point > 0)?;
    Some((text(each, "/start_segment")?, point))
}

/// Whether its own count is that of segments of the usual size.
fn counts_agree(each: &Value) -> bool {
    let ends = segment(each, "/start_segment", USUAL_SEGMENT_BYTES).zip(segment(
        each,
        "/end_segment",
        USUAL_SEGMENT_BYTES,
    ));
    let counted = number(each, "/segment_range_size");
    ends.is_some_and(|(first, last)| {
        counted.is_none_or(|counted| {
            last.number.checked_sub(first.number).map(|span| span + 1) == Some(counted)
        })
    })
}

fn history(each: &Value) -> Option<History> {
    let number = |pointer| number(each, pointer).filter(|number| *number > 0);
    Some(History {
        timeline: u32::try_from(number("/id")?).ok()?,
        parent: u32::try_from(number("/parent_id")?).ok()?,
        switch: number("/switch_point_lsn")?,
    })
}
