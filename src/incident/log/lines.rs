//! Events as lines of text and back: a checksum and JSON each. The first line says in which format the others are, and
//! which version wrote them.
//!
//! A later version may add kinds of events that an earlier one can do without: these are passed over. What an earlier
//! version must not misread gets a new format, which it refuses.

use std::io;

use serde::{Deserialize, Serialize};

use crate::incident::Event;

/// The format that is written, and the latest that is read. Logs without a first line that says so are of format 1 too.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    version: String,
}

/// What was read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Lines {
    /// The events, in their order.
    pub(super) events: Vec<Event>,
    /// How many bytes at the end belong to no whole line.
    pub(super) torn: usize,
    /// How many events were of kinds that are not known here.
    pub(super) foreign: usize,
}

/// Why nothing was read.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// This line cannot be right, and lines after it are.
    Damaged(usize, String),
    /// This version wrote it in a later format.
    Newer(String),
}

/// The first line.
pub(super) fn head() -> io::Result<String> {
    line(&Head {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// A line for each event.
pub(super) fn encode(events: &[Event]) -> io::Result<String> {
    events.iter().map(line).collect()
}

/// The events in a log. A broken line before a whole one is an error; at the end it was never finished.
pub(super) fn decode(bytes: &[u8]) -> Result<Lines, Fault> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let whole = lines.iter().rposition(|line| json_of(line).is_some());
    let (kept, torn) = lines.split_at(whole.map_or(0, |last| last + 1));
    let mut read = Lines {
        torn: torn.iter().map(|line| line.len()).sum(),
        ..Lines::default()
    };
    let head = kept.first().copied().and_then(json_of);
    let head: Option<Head> = head.and_then(|json| serde_json::from_str(json).ok());
    if let Some(newer) = head.as_ref().filter(|head| head.format > FORMAT) {
        return Err(Fault::Newer(newer.version.clone()));
    }
    let after = usize::from(head.is_some());
    for (place, line) in kept.iter().enumerate().skip(after) {
        match event_of(line).map_err(|cause| Fault::Damaged(place + 1, cause))? {
            Event::Foreign => read.foreign += 1,
            event => read.events.push(event),
        }
    }
    Ok(read)
}

fn line(content: &impl Serialize) -> io::Result<String> {
    let json = serde_json::to_string(content)?;
    let sum = crc32fast::hash(json.as_bytes());
    Ok(format!("{sum:08x} {json}\n"))
}

fn event_of(line: &[u8]) -> Result<Event, String> {
    let json = json_of(line).ok_or("its checksum is wrong")?;
    serde_json::from_str(json)
        .map_err(|error| format!("another version of pgvigil wrote it: {error}"))
}

fn json_of(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (sum, json) = line.split_once(' ')?;
    (u32::from_str_radix(sum, 16).ok()? == crc32fast::hash(json.as_bytes())).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Timestamp;

    fn text(lines: &[serde_json::Value]) -> Vec<u8> {
        let lines = lines.iter().map(|content| line(content).unwrap());
        lines.collect::<String>().into_bytes()
    }

    fn joined() -> Event {
        Event::Receivers {
            at: Timestamp(1),
            names: vec!["oncall".into()],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let written = head().unwrap() + &encode(&[joined(), joined()]).unwrap();
        let read = decode(written.as_bytes()).unwrap();
        assert_eq!(read.events, [joined(), joined()]);
        // As it was before there was a first line.
        let bare = encode(&[joined()]).unwrap();
        assert_eq!(decode(bare.as_bytes()).unwrap().events, [joined()]);
        assert_eq!(decode(b"").unwrap(), Lines::default());
    }

    #[test]
    fn of_a_later_version_the_unknown_is_passed_over_and_a_new_format_refused() {
        let later =
            |format: u32| serde_json::json!({"format": format, "version": "9.1", "more": 1});
        let known = serde_json::to_value(joined()).unwrap();
        let unknown = serde_json::json!({"event": "escalated", "incident": "a-1"});
        let read = decode(&text(&[later(1), unknown.clone(), known.clone()])).unwrap();
        assert_eq!((read.events, read.foreign), (vec![joined()], 1));
        let refused = decode(&text(&[later(2), unknown, known.clone()]));
        assert_eq!(refused, Err(Fault::Newer("9.1".into())));
        let maimed = serde_json::json!({"event": "silenced", "id": 5});
        let Err(Fault::Damaged(2, cause)) = decode(&text(&[later(1), maimed, known])) else {
            panic!("a known event that cannot be read is no unknown one");
        };
        assert!(cause.contains("another version"), "{cause}");
    }
}
