//! The numbers and strings an archive is made of. A length in the file is never trusted with memory.

use std::io::{self, BufRead, Read};

use super::Archive;
use crate::backup::inspect::halt::{corrupt, half_written};

/// Longest string kept; names are far shorter, definitions are skipped.
const LONGEST_KEPT: u64 = 4096;
/// PostgreSQL cannot hold a longer one.
const LONGEST_STRING: i64 = 1 << 30;

impl<R: BufRead> Archive<R> {
    /// A byte, or nothing at the end.
    pub(in crate::backup::inspect) fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.input.fill_buf()?.first().copied();
        self.input.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// Refuses anything but the end.
    pub(in crate::backup::inspect) fn finish(&mut self, after: &str) -> io::Result<()> {
        match self.next()? {
            None => Ok(()),
            Some(_) => Err(corrupt(format!("goes on after {after}"))),
        }
    }

    /// A byte that must be there.
    pub(in crate::backup::inspect) fn byte(&mut self) -> io::Result<u8> {
        self.next()?.ok_or_else(|| self.ended())
    }

    /// An integer: a sign byte, then the magnitude.
    pub(in crate::backup::inspect) fn integer(&mut self) -> io::Result<i64> {
        let sign = self.byte()?;
        self.integer_after(sign)
    }

    pub(super) fn integer_after(&mut self, sign: u8) -> io::Result<i64> {
        let mut magnitude: u64 = 0;
        for place in 0..self.integer_size {
            magnitude |= u64::from(self.byte()?) << (8 * place);
        }
        match i64::try_from(magnitude) {
            Ok(magnitude) if sign == 0 => Ok(magnitude),
            Ok(magnitude) if sign == 1 => Ok(-magnitude),
            _ => Err(corrupt(format!(
                "has an impossible number in {}",
                self.during
            ))),
        }
    }

    /// Up to `limit` bytes that follow.
    pub(in crate::backup::inspect) fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }

    /// It ends where more was promised.
    pub(in crate::backup::inspect) fn ended(&self) -> io::Error {
        half_written(format!(
            "stops in {}: it was interrupted or cut",
            self.during
        ))
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    pub(super) fn string(&mut self) -> io::Result<Option<String>> {
        let Some(length) = self.length()? else {
            return Ok(None);
        };
        let mut kept = Vec::new();
        (&mut self.input)
            .take(length.min(LONGEST_KEPT))
            .read_to_end(&mut kept)?;
        self.skip(length - kept.len() as u64)?;
        Ok(Some(String::from_utf8_lossy(&kept).into_owned()))
    }

    pub(super) fn skip_strings(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            self.skip_string()?;
        }
        Ok(())
    }

    /// Whether there was a string at all.
    pub(super) fn skip_string(&mut self) -> io::Result<bool> {
        match self.length()? {
            Some(length) => self.skip(length).map(|()| true),
            None => Ok(false),
        }
    }

    fn length(&mut self) -> io::Result<Option<u64>> {
        match self.integer()? {
            length @ 0..=LONGEST_STRING => Ok(Some(length as u64)),
            -1 => Ok(None),
            _ => Err(corrupt(format!(
                "has an impossible length in {}",
                self.during
            ))),
        }
    }

    pub(super) fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.input).take(length), &mut io::sink())?;
        if skipped == length {
            Ok(())
        } else {
            Err(self.ended())
        }
    }
}
