//! `backup_manifest`: every file of a base backup with its size and checksum, and the WAL without which it is nothing.
//! Takes a stream; hands on what the manifest promises, once its own checksum is right.

mod lines;

use std::collections::HashMap;
use std::io::{self, Read};

use serde::{Deserialize, Deserializer};

use crate::backup::inspect::halt::{corrupt, half_written, unknowable};
use crate::backup::inspect::sum::Algorithm;
use crate::backup::moment::Said;
use crate::backup::wal::position;
use crate::sample::Timestamp;
use lines::Lines;

/// What a manifest promises.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) system_identifier: Option<u64>,
    /// Files by their path in the data directory.
    pub(super) files: HashMap<Box<str>, Promise>,
    pub(super) wal: Vec<Range>,
    /// When the oldest and the newest of its files were last written, which is not after the backup ended.
    pub(super) written: Option<(Timestamp, Timestamp)>,
}

/// What is promised of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Promise {
    pub(super) bytes: u64,
    /// The checksum in hexadecimal digits, where there is one.
    pub(super) sum: Option<(Algorithm, Box<str>)>,
}

/// A stretch of WAL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) timeline: u32,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// More files cannot be judged in bounded memory.
const MOST_FILES: usize = 2_000_000;

impl Manifest {
    /// Reads it to its end.
    pub(super) fn read(reader: impl Read) -> io::Result<Manifest> {
        let mut lines = Lines::new(reader);
        let parsed: Result<Text, _> = serde_json::from_reader(io::BufReader::new(&mut lines));
        // Whatever the parser thought of it, what the reader saw counts more.
        if let Some(halt) = lines.failed.take() {
            return Err(halt.into());
        }
        let text = parsed.map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => {
                half_written("has a `backup_manifest` that stops before its end")
            }
            _ => corrupt(format!("has a damaged `backup_manifest` ({error})")),
        })?;
        let sum = lines.finish()?;
        if !sum.eq_ignore_ascii_case(&text.sum) {
            return Err(corrupt(
                "has a `backup_manifest` that does not agree with its own checksum",
            ));
        }
        text.judge()
    }
}

/// The JSON as it is written.
#[derive(Deserialize)]
struct Text {
    #[serde(rename = "PostgreSQL-Backup-Manifest-Version")]
    version: u64,
    #[serde(rename = "System-Identifier")]
    system_identifier: Option<u64>,
    #[serde(rename = "Files", deserialize_with = "files")]
    files: Files,
    #[serde(rename = "WAL-Ranges", default)]
    wal: Vec<RangeText>,
    #[serde(rename = "Manifest-Checksum")]
    sum: String,
}

#[derive(Deserialize)]
struct FileText {
    #[serde(rename = "Path")]
    path: Option<String>,
    /// A path that is no UTF-8, in hexadecimal digits.
    #[serde(rename = "Encoded-Path")]
    encoded: Option<String>,
    #[serde(rename = "Size")]
    bytes: u64,
    #[serde(rename = "Last-Modified", default)]
    modified: Box<str>,
    #[serde(rename = "Checksum-Algorithm")]
    algorithm: Option<String>,
    #[serde(rename = "Checksum")]
    sum: Option<Box<str>>,
}

#[derive(Deserialize)]
struct RangeText {
    #[serde(rename = "Timeline")]
    timeline: u32,
    #[serde(rename = "Start-LSN")]
    start: String,
    #[serde(rename = "End-LSN")]
    end: String,
}

impl Text {
    fn judge(self) -> io::Result<Manifest> {
        if !(1..=2).contains(&self.version) {
            return Err(unknowable(format!(
                "has a manifest of version {}, which is not known here",
                self.version
            )));
        }
        let ranges = self.wal.iter().map(|range| {
            Some(Range {
                timeline: range.timeline,
                start: position(&range.start)?,
                end: position(&range.end)?,
            })
        });
        let wal: Option<Vec<Range>> = ranges.collect();
        match (self.files, wal) {
            (Files::Known(files, written), Some(wal)) => Ok(Manifest {
                system_identifier: self.system_identifier,
                files,
                wal,
                written: written.and_then(moments),
            }),
            (Files::TooMany, _) => Err(unknowable("holds more files than can be judged")),
            (Files::Strange(words), _) => Err(corrupt(words)),
            (_, None) => Err(corrupt("has a manifest with an impossible position of WAL")),
        }
    }
}

/// The list of files, made small while it is read.
enum Files {
    /// With the first and the last of the times at which they were written, all of which are in one zone and of one
    /// length.
    Known(HashMap<Box<str>, Promise>, Option<(Box<str>, Box<str>)>),
    TooMany,
    Strange(String),
}

fn files<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Files, D::Error> {
    struct Each;
    impl<'de> serde::de::Visitor<'de> for Each {
        type Value = Files;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of files")
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Files, A::Error> {
            let mut files = Files::Known(HashMap::new(), None);
            while let Some(file) = list.next_element::<FileText>()? {
                files = files.with(file);
            }
            Ok(files)
        }
    }
    deserializer.deserialize_seq(Each)
}

impl Files {
    fn with(self, mut file: FileText) -> Files {
        let Files::Known(mut files, written) = self else {
            return self;
        };
        let modified = std::mem::take(&mut file.modified);
        let written = match written {
            None => Some((modified.clone(), modified)),
            Some((oldest, newest)) if modified < oldest => Some((modified, newest)),
            Some((oldest, newest)) => Some((oldest, newest.max(modified))),
        };
        if files.len() == MOST_FILES {
            return Files::TooMany;
        }
        match file.promise() {
            Ok((path, promise)) => match files.insert(path.clone(), promise) {
                None => Files::Known(files, written),
                Some(_) => Files::Strange(format!("has a manifest that names `{path}` twice")),
            },
            Err(words) => Files::Strange(words),
        }
    }
}

impl FileText {
    fn promise(self) -> Result<(Box<str>, Promise), String> {
        let encoded = self.encoded.as_deref().and_then(decoded);
        let Some(path) = self.path.or(encoded) else {
            return Err("has a manifest with a file that has no name".into());
        };
        let strange = |what: &str| format!("has a manifest with {what} of `{path}`");
        let sum = match (self.algorithm.as_deref().map(algorithm), self.sum) {
            (None, None) => None,
            (Some(Some(algorithm)), Some(sum)) if sum.len() == algorithm.digits() => {
                Some((algorithm, sum))
            }
            _ => return Err(strange("an impossible checksum")),
        };
        let promise = Promise {
            bytes: self.bytes,
            sum,
        };
        Ok((path.into(), promise))
    }
}

fn moments((oldest, newest): (Box<str>, Box<str>)) -> Option<(Timestamp, Timestamp)> {
    Some((Said::parse(&oldest)?.at(), Said::parse(&newest)?.at()))
}

fn algorithm(name: &str) -> Option<Algorithm> {
    const NAMES: [(&str, Algorithm); 5] = [
        ("CRC32C", Algorithm::Crc32c),
        ("SHA224", Algorithm::Sha224),
        ("SHA256", Algorithm::Sha256),
        ("SHA384", Algorithm::Sha384),
        ("SHA512", Algorithm::Sha512),
    ];
    let found = NAMES
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known));
    found.map(|(_, algorithm)| *algorithm)
}

/// A listing shows a name that is no UTF-8 with replacement characters, and so does this.
fn decoded(hex: &str) -> Option<String> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::inspect::sum::Sum;

    const MANIFEST: &str = r#"{ "PostgreSQL-Backup-Manifest-Version": 1,
"Files": [
{ "Path": "backup_label", "Size": 225, "Last-Modified": "2026-11-23 08:08:12 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "a098b9a7" },
{ "Encoded-Path": "62ff", "Size": 1, "Last-Modified": "2026-11-23 08:08:12 GMT" }
],
"WAL-Ranges": [
{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120" }
],
"#;

    fn summed(body: &str) -> String {
        let mut sum = Sum::begin(Algorithm::Sha256);
        sum.add(body.as_bytes());
        format!("{body}\"Manifest-Checksum\": \"{}\"}}\n", sum.hex())
    }

    #[test]
    fn what_is_promised_is_read() {
        let manifest = Manifest::read(summed(MANIFEST).as_bytes()).unwrap();
        assert_eq!(manifest.files["backup_label"].bytes, 225);
        assert_eq!(manifest.files["b\u{fffd}"].sum, None);
        let range = Range {
            timeline: 1,
            start: 0x0200_0028,
            end: 0x0200_0120,
        };
        assert_eq!(manifest.wal, [range]);
    }

    #[test]
    fn nothing_may_be_changed_or_lost() {
        let whole = summed(MANIFEST);
        for length in 0..whole.len() {
            assert!(
                Manifest::read(&whole.as_bytes()[..length]).is_err(),
                "{length}"
            );
        }
        for place in 0..whole.len() - 1 {
            let mut bytes = whole.clone().into_bytes();
            bytes[place] ^= 4;
            assert!(Manifest::read(&bytes[..]).is_err(), "{place}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_reason() {
        let cases = [
            (
                MANIFEST.replace("Version\": 1", "Version\": 9"),
                "version 9",
            ),
            (MANIFEST.replace("0/2000028", "x"), "impossible position"),
            (
                MANIFEST.replace("a098b9a7", "a0"),
                "impossible checksum of `backup_label`",
            ),
            (MANIFEST.replace("CRC32C", "MD4"), "impossible checksum"),
            (
                MANIFEST.replace("Encoded-Path\": \"62ff", "Path\": \"backup_label"),
                "twice",
            ),
            (
                MANIFEST.replace("\"Encoded-Path\": \"62ff\", ", ""),
                "no name",
            ),
            (MANIFEST.replace("\"Files\"", "\"Folders\""), "damaged"),
            (format!("{}{MANIFEST}", " ".repeat(2 << 20)), "endless line"),
        ];
        for (text, words) in cases {
            let error = Manifest::read(summed(&text).as_bytes()).unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
    }
}
