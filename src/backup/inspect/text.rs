//! The rows of one table as COPY writes them: one line a row, each of as many columns, then `\.` and two empty lines.

use std::io::{self, Read};

use super::halt::{corrupt, half_written};

/// What was seen of a stretch of text, without keeping it.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    /// Its length.
    pub(super) bytes: u64,
    has_nul: bool,
    line: Line,
    rows: Rows,
    /// Empty lines after the end of the rows; nothing while that has not come.
    empty_lines: Option<u64>,
    has_more: bool,
}

/// The line being read.
#[derive(Debug, Clone, Default)]
struct Line {
    start: Vec<u8>,
    tabs: u64,
}

/// Rows of one table, counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// How many.
    pub(super) count: u64,
    tabs: Option<u64>,
    is_uneven: bool,
}

impl Rows {
    /// Takes one row by the number of its tabs, of which there is one between two columns and none inside a value.
    pub(super) fn add(&mut self, tabs: u64) {
        self.count += 1;
        self.is_uneven |= *self.tabs.get_or_insert(tabs) != tabs;
    }

    /// The number of rows, unless they cannot be of one table.
    pub(super) fn counted(&self, table: &str) -> io::Result<u64> {
        if self.is_uneven {
            Err(corrupt(format!(
                "has rows of different widths in `{table}`: bytes were changed or lost"
            )))
        } else {
            Ok(self.count)
        }
    }
}

const END: &[u8] = b"\\.";

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
        self.has_nul |= piece.contains(&0);
        let mut lines = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = lines.next() {
            let room = (END.len() + 1).saturating_sub(self.line.start.len());
            self.line
                .start
                .extend_from_slice(&part[..room.min(part.len())]);
            self.line.tabs += part.iter().filter(|byte| **byte == b'\t').count() as u64;
            if lines.peek().is_some() {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        match &mut self.empty_lines {
            Some(empty) if self.line.start.is_empty() => *empty += 1,
            Some(_) => self.has_more = true,
            None if self.line.start == END => self.empty_lines = Some(0),
            None => self.rows.add(self.line.tabs),
        }
        self.line.start.clear();
        self.line.tabs = 0;
    }

    /// The number of rows, once it is sure that they are text and end as COPY ends.
    pub(super) fn rows(&self, table: &str) -> io::Result<u64> {
        let ended = self.empty_lines == Some(2) && self.line.start.is_empty();
        if self.has_nul {
            Err(corrupt(format!(
                "has a hole of zero bytes in the rows of `{table}`"
            )))
        } else if self.has_more || self.empty_lines > Some(2) {
            Err(corrupt(format!(
                "goes on after the end of the rows of `{table}`"
            )))
        } else if !ended {
            Err(half_written(format!(
                "stops in the rows of `{table}`, before the line that ends them"
            )))
        } else {
            self.rows.counted(table)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_only_when_they_end() {
        let cases: [(&[u8], Option<u64>); 11] = [
            (b"\\.\n\n\n", Some(0)),
            (b"1\ta\n2\tb\n\\.\n\n\n", Some(2)),
            (b"\n\n\\.\n\n\n", Some(2)),
            (b"\\\\.\n\\.\n\n\n", Some(1)),
            (b"1\ta\n2\tb\n\\.\n\n", None),
            (b"1\ta\n2\tb\n\\.\n\n\n\n", None),
            (b"1\ta\n2\tb\n\\.\n3\tc\n\n", None),
            (b"1\ta\n2 b\n\\.\n\n\n", None),
            (b"1\ta\0\n\\.\n\n\n", None),
            (b"", None),
            (b"\n", None),
        ];
        for (text, rows) in cases {
            let seen = Text::read(text).ok();
            assert_eq!(seen.and_then(|seen| seen.rows("t").ok()), rows, "{text:?}");
            let mut in_pieces = Text::default();
            text.iter().for_each(|byte| in_pieces.add(&[*byte]));
            assert_eq!(in_pieces.rows("t").ok(), rows, "{text:?} byte by byte");
        }
    }
}
