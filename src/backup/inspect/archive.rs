//! The header and the table of contents of pg_dump's archives (archive versions 1.12 to 1.16, written by pg_dump 10 to
//! 18). Takes a stream; hands on what the archive says it holds.

mod numbers;

use std::io::{self, BufRead};

use super::Verdict;
use super::halt::{corrupt, unknowable};
use crate::backup::Proof;
use crate::sample::Timestamp;

/// An archive being read.
pub(super) struct Archive<R> {
    input: R,
    integer_size: usize,
    offset_size: usize,
    version: (u8, u8),
    /// What stands at this place, for the message when it ends here.
    pub(super) during: String,
}

/// How the data inside a custom archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Lz4,
    Zstd,
}

/// Which of the two shapes a table of contents has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One file that holds the data too.
    Custom,
    /// Data in files of their own, in a folder or a tar archive.
    Files,
}

/// What the table of contents promises.
pub(super) struct Contents {
    /// Entries, with or without data.
    pub(super) count: i64,
    /// A fingerprint of their ids, in order.
    pub(super) ids: u64,
    /// The entries that have data.
    pub(super) data: Vec<Entry>,
    /// Large objects that are entries of their own, as they were until pg_dump 16.
    pub(super) large_objects: usize,
}

/// Something in the dump that has data.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) content: Content,
    /// The file that holds the data.
    pub(super) file: String,
}

/// What kind of data an entry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A table's rows, as COPY writes them.
    Rows,
    /// A table's rows as INSERT statements, or anything else.
    Other,
    /// Large objects.
    LargeObjects,
    /// The definition of one large object, without its data.
    LargeObject,
}

const MOST_ENTRIES: i64 = 50_000_000;
/// Tables with rows; what is beyond cannot be judged in bounded memory.
const MOST_DATA: usize = 2_000_000;

impl<R: BufRead> Archive<R> {
    /// Reads the header into the verdict.
    pub(super) fn open(
        input: R,
        shape: Shape,
        verdict: &mut Verdict,
    ) -> io::Result<(Self, Compression)> {
        let mut archive = Archive {
            input,
            integer_size: 4,
            offset_size: 8,
            version: (0, 0),
            during: "the header".into(),
        };
        if archive.bytes::<5>()? != *b"PGDMP" {
            return Err(corrupt(
                "has a table of contents that does not begin with `PGDMP`",
            ));
        }
        let [major, minor, _revision] = archive.bytes()?;
        if major != 1 || !(12..=16).contains(&minor) {
            return Err(unknowable(format!(
                "is of archive version {major}.{minor}, which is not known here"
            )));
        }
        archive.version = (major, minor);
        let [integer_size, offset_size, format] = archive.bytes()?;
        (archive.integer_size, archive.offset_size) = (integer_size.into(), offset_size.into());
        if !(1..=8).contains(&integer_size) || !(1..=8).contains(&offset_size) {
            return Err(corrupt("has a damaged header"));
        }
        match (shape, format) {
            (Shape::Custom, 1) | (Shape::Files, 3 | 5) => {}
            (Shape::Custom, 3 | 5) => {
                return Err(unknowable(
                    "is the table of contents of a directory dump; its data lies beside it",
                ));
            }
            _ => return Err(corrupt("has a damaged header")),
        }
        let compression = archive.compression()?;
        verdict.made = Some(archive.made()?);
        verdict.database = archive.string()?;
        verdict.server_version = archive.string()?;
        verdict.dumper_version = archive.string()?;
        verdict.proof = Proof::Opened;
        Ok((archive, compression))
    }

    fn compression(&mut self) -> io::Result<Compression> {
        if self.version < (1, 15) {
            let level = self.integer()?;
            return match level {
                0 => Ok(Compression::None),
                -1..=9 => Ok(Compression::Gzip),
                _ => Err(corrupt("has a damaged header")),
            };
        }
        match self.byte()? {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip),
            2 => Ok(Compression::Lz4),
            3 => Ok(Compression::Zstd),
            _ => Err(corrupt("has a damaged header")),
        }
    }

    fn made(&mut self) -> io::Result<Timestamp> {
        let mut parts = [0; 7];
        for part in &mut parts {
            *part = self.integer()?;
        }
        let [second, minute, hour, day, month, year, _summer] = parts;
        // A leap second is written as 60.
        let fields = [year + 1900, month + 1, day, hour, minute, second.min(59)];
        civil(fields).ok_or_else(|| corrupt("has no possible date in its header"))
    }

    /// Reads the table of contents; `sign` when its first byte has already been taken.
    pub(super) fn contents(
        &mut self,
        shape: Shape,
        sign: Option<u8>,
        verdict: &mut Verdict,
    ) -> io::Result<Contents> {
        self.during = "the table of contents".into();
        let count = match sign {
            Some(sign) => self.integer_after(sign)?,
            None => self.integer()?,
        };
        if !(0..=MOST_ENTRIES).contains(&count) {
            return Err(corrupt("has a damaged table of contents"));
        }
        let mut contents = Contents {
            count,
            ids: 0,
            data: Vec::new(),
            large_objects: 0,
        };
        for _ in 0..count {
            let (entry, has_data) = self.entry(shape, verdict)?;
            contents.ids = (contents.ids ^ entry.id as u64)
                .wrapping_mul(0x0000_0100_0000_01b3)
                .rotate_left(23);
            contents.large_objects += usize::from(entry.content == Content::LargeObject);
            if has_data {
                contents.data.push(entry);
            }
            if contents.data.len() > MOST_DATA {
                return Err(unknowable("holds more tables than can be judged"));
            }
        }
        Ok(contents)
    }

    fn entry(&mut self, shape: Shape, verdict: &mut Verdict) -> io::Result<(Entry, bool)> {
        let id = self.integer()?;
        let has_data = self.integer()? != 0;
        self.skip_strings(2)?;
        let name = self.string()?.unwrap_or_default();
        let description = self.string()?.unwrap_or_default();
        let _section = self.integer()?;
        self.skip_strings(2)?;
        let has_copy = self.skip_string()?;
        let schema = self.string()?.unwrap_or_default();
        self.skip_strings(1)?;
        if self.version >= (1, 14) {
            self.skip_strings(1)?;
        }
        if self.version >= (1, 16) {
            let _kind_of_relation = self.integer()?;
        }
        verdict.owned_by(&self.string()?.unwrap_or_default());
        self.skip_strings(1)?;
        while self.skip_string()? {}
        let file = match shape {
            Shape::Files => self.string()?.unwrap_or_default(),
            Shape::Custom => {
                let _state = self.byte()?;
                self.skip(self.offset_size as u64)?;
                String::new()
            }
        };
        let content = match description.as_str() {
            "TABLE DATA" if has_copy => Content::Rows,
            "BLOBS" => Content::LargeObjects,
            "BLOB" => Content::LargeObject,
            _ => Content::Other,
        };
        let entry = Entry {
            id,
            schema,
            name,
            content,
            file,
        };
        Ok((entry, has_data))
    }
}

impl Entry {
    /// The name for a message.
    pub(super) fn title(&self) -> String {
        match self.content {
            Content::LargeObjects => "large objects".into(),
            _ if self.schema.is_empty() => self.name.clone(),
            _ => format!("{}.{}", self.schema, self.name),
        }
    }
}

fn civil([year, month, day, hour, minute, second]: [i64; 6]) -> Option<Timestamp> {
    let small = |number: i64| i8::try_from(number).ok();
    let date =
        jiff::civil::Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let moment = jiff::tz::TimeZone::UTC
        .to_timestamp(date.to_datetime(time))
        .ok()?;
    Some(Timestamp(moment.as_millisecond()))
}
