//! The rows of one table as COPY writes them: one newline a row, then `\.` and two empty lines.

use std::io::{self, Read};

use super::halt::{corrupt, half_written};

/// What was seen of a stretch of text, without keeping it.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    /// Its length.
    pub(super) bytes: u64,
    lines: u64,
    has_nul: bool,
    tail: Vec<u8>,
}

const END: &[u8] = b"\\.\n\n\n";

impl Text {
    /// Reads to the end.
    pub(super) fn read(mut reader: impl Read) -> io::Result<Self> {
        let (mut text, mut buffer) = (Text::default(), vec![0; 64 << 10]);
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(text),
                Ok(count) => text.add(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.has_nul |= piece.contains(&0);
        let keep = piece.len().saturating_sub(END.len());
        self.tail.extend_from_slice(&piece[keep..]);
        let surplus = self.tail.len().saturating_sub(END.len());
        self.tail.drain(..surplus);
    }

    /// The number of rows, once it is sure that they are text and end as COPY ends.
    pub(super) fn rows(&self, table: &str) -> io::Result<u64> {
        if self.has_nul {
            Err(corrupt(format!(
                "has a hole of zero bytes in the rows of `{table}`"
            )))
        } else if self.tail != END {
            Err(half_written(format!(
                "stops in the rows of `{table}`, before the line that ends them"
            )))
        } else {
            Ok(self.lines - 3)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_only_when_they_end() {
        let cases: [(&str, Option<u64>); 6] = [
            ("\\.\n\n\n", Some(0)),
            ("1\ta\n2\tb\n\\.\n\n\n", Some(2)),
            ("1\ta\n2\tb\n\\.\n\n", None),
            ("1\ta\0\n\\.\n\n\n", None),
            ("", None),
            ("\n", None),
        ];
        for (text, rows) in cases {
            let seen = Text::read(text.as_bytes()).unwrap();
            assert_eq!(seen.rows("t").ok(), rows, "{text:?}");
        }
    }
}
