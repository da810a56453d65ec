//! A stretch of a page as it goes over the wire: plain, or a part of one gzip stream that other parts may precede and
//! follow. A second gzip member would be simpler, but browsers read only the first.

use axum::body::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A stretch of a page; cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Plain(Bytes),
    Deflated {
        /// Compressed up to a byte boundary, without looking back beyond its own beginning.
        bytes: Bytes,
        sum: crc32fast::Hasher,
        length: u32,
    },
}

impl Piece {
    /// Takes text as it is, or compresses it.
    pub(super) fn of(text: &str, gzip: bool) -> Piece {
        if gzip {
            Piece::Deflated {
                bytes: deflated(text, FlushCompress::Sync),
                sum: sum(text),
                length: text.len() as u32,
            }
        } else {
            Piece::Plain(Bytes::copy_from_slice(text.as_bytes()))
        }
    }
}

/// The pieces of a page but for its tail; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Beginning {
    parts: Vec<Bytes>,
    sum: Option<crc32fast::Hasher>,
    length: u32,
}

impl Beginning {
    /// The pieces in their order.
    pub(super) fn of(pieces: impl IntoIterator<Item = Piece>, gzip: bool) -> Beginning {
        let mut beginning = Beginning::default();
        if gzip {
            beginning.parts.push(Bytes::from_static(&HEADER));
            beginning.sum = Some(crc32fast::Hasher::new());
        }
        pieces.into_iter().for_each(|piece| beginning.push(piece));
        beginning
    }

    /// Whether the page is compressed.
    pub(super) fn is_gzip(&self) -> bool {
        self.sum.is_some()
    }

    /// The whole page with what follows, written anew each time.
    pub(super) fn end(mut self, tail: &str) -> Vec<Bytes> {
        let Some(mut sum) = self.sum.take() else {
            self.parts.push(Bytes::copy_from_slice(tail.as_bytes()));
            return self.parts;
        };
        self.parts.push(deflated(tail, FlushCompress::Finish));
        sum.update(tail.as_bytes());
        // The format keeps the length modulo 2³².
        let length = self.length.wrapping_add(tail.len() as u32);
        let end = [sum.finalize().to_le_bytes(), length.to_le_bytes()].concat();
        self.parts.push(end.into());
        self.parts
    }

    fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Plain(bytes) => self.parts.push(bytes),
            Piece::Deflated { bytes, sum, length } => {
                self.length = self.length.wrapping_add(length);
                if let Some(all) = &mut self.sum {
                    all.combine(&sum);
                }
                self.parts.push(bytes);
            }
        }
    }
}

fn sum(text: &str) -> crc32fast::Hasher {
    let mut sum = crc32fast::Hasher::new();
    sum.update(text.as_bytes());
    sum
}

fn deflated(text: &str, end: FlushCompress) -> Bytes {
    let mut bytes = Vec::with_capacity(text.len() / 8 + 64);
    let mut compress = Compress::new(Compression::fast(), false);
    loop {
        bytes.reserve(text.len() / 8 + 64);
        let rest = &text.as_bytes()[compress.total_in() as usize..];
        let outcome = compress.compress_vec(rest, &mut bytes, end);
        let room_left = bytes.len() < bytes.capacity();
        match (outcome, end) {
            (Ok(Status::StreamEnd) | Err(_), _) => break,
            (Ok(_), FlushCompress::Sync) if room_left => break,
            _ => {}
        }
    }
    bytes.shrink_to_fit();
    bytes.into()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn pieces_and_a_new_end_are_one_stream() {
        let long: String = (0..50_000)
            .map(|n| format!("line {n} of {}\n", n ^ 0x5555))
            .collect();
        let beginnings: [&[&str]; 4] = [&[], &["a"], &[&long], &["one\n", &long, "", "two\n"]];
        for texts in beginnings {
            let page = |gzip| {
                let pieces = texts.iter().map(|text| Piece::of(text, gzip));
                Beginning::of(pieces, gzip)
            };
            for tail in ["", "the end\n", &long[..99_999]] {
                let whole = texts.concat() + tail;
                assert!(page(false).end(tail).concat() == whole.as_bytes());
                let stream = page(true).end(tail).concat();
                let mut reader = flate2::bufread::GzDecoder::new(stream.as_slice());
                let mut read = String::new();
                reader.read_to_string(&mut read).unwrap();
                assert!(read == whole);
                assert!(
                    reader.into_inner().is_empty(),
                    "nothing may follow the stream"
                );
            }
        }
    }
}
