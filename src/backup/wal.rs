//! The names of WAL files, and what an archive of them holds. Positions are bytes since the beginning of WAL.

mod chain;
mod held;
mod text;
mod way;

use std::fmt;

pub use chain::{Chain, Gap};
pub(super) use chain::{gaps, in_both, reach};
pub(super) use held::{Held, segment_bytes};
pub use text::Label;
pub(super) use text::{LONGEST_TEXT, position};
pub(super) use way::Way;

use crate::sample::Timestamp;

/// The size of a segment unless initdb was told otherwise.
pub(super) const USUAL_SEGMENT_BYTES: u64 = 16 << 20;

/// A segment of WAL, by timeline and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment {
    /// The timeline it was written on.
    pub timeline: u32,
    /// Its number on any timeline: it begins `number * size of a segment` bytes after the beginning of WAL.
    pub number: u64,
}

impl Segment {
    /// Reads the 24 hexadecimal digits of a segment's name; `None` for anything else, and for a number that cannot be
    /// with segments of this size.
    pub fn parse(name: &str, segment_bytes: u64) -> Option<Segment> {
        let digits = |part: &str| {
            let is_hex = part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
            is_hex.then(|| u32::from_str_radix(part, 16).ok()).flatten()
        };
        if name.len() != 24 || !name.is_ascii() {
            return None;
        }
        let timeline = digits(&name[..8])?;
        let (log, low) = (
            u64::from(digits(&name[8..16])?),
            u64::from(digits(&name[16..])?),
        );
        let per_log = per_log(segment_bytes);
        (low < per_log).then_some(Segment {
            timeline,
            number: log * per_log + low,
        })
    }

    /// The segment in which a position lies.
    pub fn at(timeline: u32, position: u64, segment_bytes: u64) -> Segment {
        Segment {
            timeline,
            number: position / segment_bytes,
        }
    }

    /// The position of its first byte.
    pub fn start(self, segment_bytes: u64) -> u64 {
        self.number * segment_bytes
    }

    /// The position after its last byte.
    pub fn end(self, segment_bytes: u64) -> u64 {
        (self.number + 1) * segment_bytes
    }

    /// Its file name.
    pub fn name(self, segment_bytes: u64) -> String {
        let per_log = per_log(segment_bytes);
        let (log, low) = (self.number / per_log, self.number % per_log);
        format!("{:08X}{log:08X}{low:08X}", self.timeline)
    }
}

fn per_log(segment_bytes: u64) -> u64 {
    (1 << 32) / segment_bytes.max(1)
}

/// What the name of a file in an archive says it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WalName {
    /// A whole segment: its 24 digits, for what they mean depends on the size of segments.
    Segment(String),
    /// The beginning of a segment, kept when a timeline ended in it.
    Partial(String),
    /// What a base backup left behind: the segment in which it began, and the whole name.
    Label(String, String),
    /// Where a timeline began.
    History(u32),
}

/// What compression and encryption append.
const ENDINGS: [&str; 7] = [".gz", ".lz4", ".zst", ".bz2", ".xz", ".gpg", ".br"];

impl WalName {
    /// Reads a file's name, and whether it is compressed or encrypted; `None` when it is no name of WAL. Names may carry
    /// a checksum (`-` and hexadecimal digits) and any number of endings.
    pub fn parse(file: &str) -> Option<(WalName, bool)> {
        let (mut stem, mut is_packed) = (file, false);
        while let Some(inner) = ENDINGS.iter().find_map(|ending| stem.strip_suffix(ending)) {
            (stem, is_packed) = (inner, true);
        }
        if let Some((name, sum)) = stem.split_once('-')
            && sum.len() >= 32
            && sum.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            stem = name;
        }
        let is_segment = |text: &str| is_digits(text, 24);
        let name = match stem.split_once('.') {
            None if is_segment(stem) => WalName::Segment(stem.into()),
            Some((segment, "partial")) if is_segment(segment) => WalName::Partial(segment.into()),
            Some((timeline, "history")) if is_digits(timeline, 8) => {
                WalName::History(u32::from_str_radix(timeline, 16).ok()?)
            }
            Some((segment, rest)) if is_segment(segment) => {
                let offset = rest.strip_suffix(".backup")?;
                is_digits(offset, 8).then(|| WalName::Label(segment.into(), stem.into()))?
            }
            _ => return None,
        };
        Some((name, is_packed))
    }
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
}

impl fmt::Display for WalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WalName::Segment(name) => f.write_str(name),
            WalName::Partial(name) => write!(f, "{name}.partial"),
            WalName::Label(_, whole) => f.write_str(whole),
            WalName::History(timeline) => write!(f, "{timeline:08X}.history"),
        }
    }
}

/// A file of a WAL archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalFile {
    /// What it is.
    pub name: WalName,
    /// Stored size.
    pub bytes: u64,
    /// When it came.
    pub modified: Timestamp,
    /// Whether its size says nothing about what is inside.
    pub is_packed: bool,
}

/// A WAL archive, as a source lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wal {
    /// Its files, in no particular order.
    pub files: Vec<WalFile>,
    /// Where its timelines began, as far as that could be read.
    pub histories: Vec<History>,
}

/// Where a timeline branched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// The timeline.
    pub timeline: u32,
    /// The one it came from.
    pub parent: u32,
    /// The position of the switch.
    pub switch: u64,
}
