//! lz4 frames, one after another. The decoder takes the end of the file for the end of a frame; here it is an error.

use std::io::{self, BufRead, Read};

use lz4_flex::frame::FrameDecoder;

/// All frames as one stream.
pub(super) struct Frames<R: BufRead> {
    decoder: FrameDecoder<Watched<R>>,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(reader: R) -> Self {
        let watched = Watched {
            reader,
            starved: false,
        };
        Frames {
            decoder: FrameDecoder::new(watched),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            // A frame ends with its end mark: whoever asked for more than there is was still inside one.
            let watched = self.decoder.get_mut();
            if watched.starved {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if watched.reader.fill_buf()?.is_empty() {
                return Ok(0);
            }
        }
    }
}

struct Watched<R> {
    reader: R,
    starved: bool,
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.starved |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}
