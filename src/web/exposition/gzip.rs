//! One gzip stream of a part that is cached and a tail that is new in every answer.
//! A second gzip member would be simpler, but browsers read only the first.

use axum::body::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

/// A compressed beginning that anything may follow.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    /// The gzip header and the compressed text up to a byte boundary.
    pub(super) bytes: Bytes,
    sum: crc32fast::Hasher,
    length: u32,
}

impl Beginning {
    /// Compresses the cached part.
    pub(super) fn of(text: &str) -> Beginning {
        const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let mut bytes = HEADER.to_vec();
        deflate(&mut bytes, text, FlushCompress::Sync);
        let mut sum = crc32fast::Hasher::new();
        sum.update(text.as_bytes());
        Beginning {
            bytes: bytes.into(),
            sum,
            length: text.len() as u32,
        }
    }

    /// Compresses what follows, and closes the stream.
    pub(super) fn end(&self, tail: &str) -> Bytes {
        let mut bytes = Vec::new();
        deflate(&mut bytes, tail, FlushCompress::Finish);
        let mut sum = self.sum.clone();
        sum.update(tail.as_bytes());
        bytes.extend(sum.finalize().to_le_bytes());
        // The format keeps the length modulo 2³².
        bytes.extend(self.length.wrapping_add(tail.len() as u32).to_le_bytes());
        bytes.into()
    }
}

fn deflate(bytes: &mut Vec<u8>, text: &str, end: FlushCompress) {
    let mut compress = Compress::new(Compression::fast(), false);
    loop {
        bytes.reserve(text.len() / 4 + 64);
        let rest = &text.as_bytes()[compress.total_in() as usize..];
        let outcome = compress.compress_vec(rest, bytes, end);
        let room_left = bytes.len() < bytes.capacity();
        match (outcome, end) {
            (Ok(Status::StreamEnd) | Err(_), _) => return,
            (Ok(_), FlushCompress::Sync) if room_left => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_cached_beginning_and_a_new_end_are_one_stream() {
        let long: String = (0..50_000)
            .map(|n| format!("line {n} of {}\n", n ^ 0x5555))
            .collect();
        for text in ["", "a", &long] {
            let beginning = Beginning::of(text);
            for tail in ["", "the end\n", &long[..99_999]] {
                let stream = [beginning.bytes.clone(), beginning.end(tail)].concat();
                let mut reader = flate2::bufread::GzDecoder::new(stream.as_slice());
                let mut read = String::new();
                reader.read_to_string(&mut read).unwrap();
                assert!(read == format!("{text}{tail}"));
                assert!(
                    reader.into_inner().is_empty(),
                    "nothing may follow the stream"
                );
            }
        }
    }
}
