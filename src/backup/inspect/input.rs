//! Bytes from a shelf, at a limited rate, until stopped.

use std::cell::Cell;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::halt::Halt;
use crate::backup::shelf::Shelf;

/// How fast files may be read, and whether still to read.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second: Option<u64>,
    stop: CancellationToken,
    paid_until: Cell<Instant>,
}

/// Longest sleep between two looks at the stop token.
const NAP: Duration = Duration::from_millis(100);
/// Longest single read, so that a limited rate is even.
const PIECE: usize = 64 << 10;

impl Pace {
    /// At most so many bytes per second, until `stop`.
    pub(crate) fn limited(bytes_per_second: u64, stop: CancellationToken) -> Self {
        Pace {
            bytes_per_second: Some(bytes_per_second.max(1)),
            ..Pace::unlimited(stop)
        }
    }

    /// As fast as it goes, until `stop`.
    pub(crate) fn unlimited(stop: CancellationToken) -> Self {
        Pace {
            bytes_per_second: None,
            stop,
            paid_until: Cell::new(Instant::now()),
        }
    }

    fn spend(&self, bytes: usize) -> io::Result<()> {
        if let Some(rate) = self.bytes_per_second {
            let price = Duration::from_secs_f64(bytes as f64 / rate as f64);
            let start = self.paid_until.get().max(Instant::now());
            self.paid_until.set(start + price);
            while !self.stop.is_cancelled() {
                let wait = self
                    .paid_until
                    .get()
                    .saturating_duration_since(Instant::now());
                if wait < NAP {
                    break;
                }
                std::thread::sleep(NAP);
            }
        }
        if self.stop.is_cancelled() {
            Err(Halt::Stopped.into())
        } else {
            Ok(())
        }
    }
}

/// A file being read at a pace.
pub(super) struct Input<'p> {
    file: Box<dyn Read + Send>,
    pace: &'p Pace,
}

impl<'p> Input<'p> {
    pub(super) fn open(shelf: &dyn Shelf, name: &str, pace: &'p Pace) -> io::Result<Self> {
        let file = shelf.open(name).map_err(|error| unreadable(&error))?;
        Ok(Input { file, pace })
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(PIECE);
        let count = match self.file.read(&mut buffer[..length]) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return Err(unreadable(&error));
            }
            other => other?,
        };
        self.pace.spend(count)?;
        Ok(count)
    }
}

fn unreadable(error: &io::Error) -> io::Error {
    Halt::of(error).into()
}

/// Fills as much of a new buffer as there is, up to `limit` bytes.
pub(super) fn head(reader: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(limit as u64).read_to_end(&mut head)?;
    Ok(head)
}
