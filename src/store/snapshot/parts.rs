//! The parts of a payload: numbers of as few bytes as they need, times, texts.

use std::str;

use super::SnapshotError;
use crate::sample::Timestamp;

/// Appends a number, seven bits to a byte, the lowest first.
pub(super) fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends a time.
pub(super) fn put_time(bytes: &mut Vec<u8>, at: Timestamp) {
    bytes.extend_from_slice(&at.0.to_le_bytes());
}

/// Appends a text.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// What has not been read yet.
pub(super) struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    /// All of a payload.
    pub(super) fn of(payload: &'a [u8]) -> Self {
        Parts(payload)
    }

    /// So many bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], SnapshotError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(TOO_SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<u64, SnapshotError> {
        let mut number = 0;
        for place in 0..10 {
            let byte = u64::from(self.byte()?);
            number |= (byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(SnapshotError::Damaged("a number is too long"))
    }

    /// A number of things that follow, each of `least` bytes or more: never more than what is left can hold.
    pub(super) fn count(&mut self, least: usize) -> Result<usize, SnapshotError> {
        let number = self.number()?;
        let most = (self.0.len() / least) as u64;
        (number <= most).then_some(number as usize).ok_or(TOO_SHORT)
    }

    /// A byte.
    pub(super) fn byte(&mut self) -> Result<u8, SnapshotError> {
        Ok(self.take(1)?[0])
    }

    /// A time.
    pub(super) fn time(&mut self) -> Result<Timestamp, SnapshotError> {
        let bytes = self.take(8)?.first_chunk().ok_or(TOO_SHORT)?;
        Ok(Timestamp(i64::from_le_bytes(*bytes)))
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<&'a str, SnapshotError> {
        let length = self.count(1)?;
        let bytes = self.take(length)?;
        str::from_utf8(bytes).map_err(|_| SnapshotError::Damaged("a text is no text"))
    }

    /// The end.
    pub(super) fn end(self) -> Result<(), SnapshotError> {
        match self.0 {
            [] => Ok(()),
            _ => Err(SnapshotError::Damaged(
                "a section is longer than what it holds",
            )),
        }
    }
}

const TOO_SHORT: SnapshotError = SnapshotError::Damaged("a section is shorter than what it holds");
