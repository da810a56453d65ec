//! Parts of answers. Fields of JSON differ between versions of the tools: what is missing or of another form is not there.

use serde_json::Value;

use super::words;
use crate::backup::History;
use crate::backup::wal::{Segment, USUAL_SEGMENT_BYTES};
use crate::sample::Timestamp;

/// A whole number, which some tools write as text.
pub(super) fn number(value: &Value, pointer: &str) -> Option<u64> {
    match value.pointer(pointer)? {
        Value::Number(number) => number.as_u64().or_else(|| {
            let number = number.as_f64()?;
            (number >= 0.0 && number < u64::MAX as f64).then_some(number as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A text that is not empty.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    let text = value.pointer(pointer)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

/// A text that is to be shown.
pub(super) fn shown(value: &Value, pointer: &str) -> Option<String> {
    text(value, pointer)
        .map(words::shown)
        .filter(|text| !text.is_empty())
}

/// A moment in seconds since the epoch.
pub(super) fn moment(value: &Value, pointer: &str) -> Option<Timestamp> {
    let seconds = i64::try_from(number(value, pointer)?).ok()?;
    seconds.checked_mul(1000).map(Timestamp)
}

/// The members of a list.
pub(super) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A position in WAL, such as `0/15000060`.
pub(super) fn position(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let part = |digits: &str| u32::from_str_radix(digits, 16).ok();
    Some(u64::from(part(high)?) << 32 | u64::from(part(low)?))
}

/// The size of a segment under which each name is that of the segment in which its position lies: the usual one, if that
/// is possible.
pub(super) fn segment_bytes(known: &[(&str, u64)]) -> u64 {
    let fits = |bytes: &u64| {
        known.iter().all(|(name, position)| {
            Segment::parse(name, *bytes).is_some_and(|segment| segment.number == position / bytes)
        })
    };
    let possible = (20..=30).map(|power| 1 << power);
    let mut fitting = std::iter::once(USUAL_SEGMENT_BYTES)
        .chain(possible)
        .filter(fits);
    fitting.next().unwrap_or(USUAL_SEGMENT_BYTES)
}

/// Where a timeline began: the last line of its history.
pub(super) fn history(timeline: u32, text: &str) -> Option<History> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut words = lines.next_back()?.split_whitespace();
    Some(History {
        timeline,
        parent: words.next()?.parse().ok()?,
        switch: position(words.next()?)?,
    })
}
