//! A custom archive, walked to its last block. It has no end marker: it is whole when everything with data has had its
//! block, each block and each compressed stream has ended, and the file ends there.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use super::archive::{Archive, Compression, Content, Contents, Entry, Shape};
use super::halt::{carried, corrupt, half_written};
use super::lz4::Frames;
use super::text::Text;
use super::{Table, Verdict};

const DATA: u8 = 1;
const LARGE_OBJECTS: u8 = 3;

/// Walks the archive.
pub(super) fn read(input: impl BufRead, verdict: &mut Verdict) -> io::Result<()> {
    let (mut archive, compression) = Archive::open(input, Shape::Custom, verdict)?;
    let contents = archive.contents(Shape::Custom, None, verdict)?;
    let mut awaited: HashMap<i64, &Entry> = contents
        .data
        .iter()
        .map(|entry| (entry.id, entry))
        .collect();
    loop {
        archive.during = "the data".into();
        match archive.next()? {
            None if awaited.is_empty() => return Ok(()),
            None => return Err(unfinished(&awaited)),
            Some(0) if awaited.is_empty() => return repeated(&mut archive, &contents, verdict),
            Some(kind @ (DATA | LARGE_OBJECTS)) => {
                let id = archive.integer()?;
                let Some(entry) = awaited.remove(&id) else {
                    return Err(corrupt(
                        "has a block of data that its table of contents does not know",
                    ));
                };
                archive.during = format!("the data of `{}`", entry.title());
                let mut blocks = Blocks {
                    archive: &mut archive,
                    compression,
                    entry,
                };
                if kind == DATA {
                    blocks.data(verdict)?
                } else {
                    blocks.large_objects(verdict)?
                }
            }
            Some(_) => {
                return Err(corrupt(
                    "has something other than a block of data after its table of contents",
                ));
            }
        }
    }
}

fn unfinished(awaited: &HashMap<i64, &Entry>) -> io::Error {
    let mut titles: Vec<String> = awaited.values().map(|entry| entry.title()).collect();
    titles.sort();
    let more = if titles.len() > 1 {
        format!(" and {} more", titles.len() - 1)
    } else {
        String::new()
    };
    half_written(format!(
        "stops before the data of `{}`{more}: it was interrupted or cut",
        titles[0]
    ))
}

/// pg_dump 16 and later, writing to a redirected standard output, appends its table of contents a second time.
fn repeated(
    archive: &mut Archive<impl BufRead>,
    first: &Contents,
    verdict: &mut Verdict,
) -> io::Result<()> {
    let second = archive.contents(Shape::Custom, Some(0), verdict)?;
    if (second.count, second.ids) != (first.count, first.ids) {
        return Err(corrupt(
            "has a second table of contents that differs from the first",
        ));
    }
    archive.finish("its second table of contents")
}

/// The data of one entry.
struct Blocks<'a, R> {
    archive: &'a mut Archive<R>,
    compression: Compression,
    entry: &'a Entry,
}

impl<R: BufRead> Blocks<'_, R> {
    fn data(&mut self, verdict: &mut Verdict) -> io::Result<()> {
        let text = self.stream()?;
        verdict.uncompressed_bytes += text.bytes;
        if self.entry.content == Content::Rows {
            verdict.tables.push(Table {
                schema: self.entry.schema.clone(),
                name: self.entry.name.clone(),
                rows: text.rows(&self.entry.title())?,
            });
        }
        Ok(())
    }

    fn large_objects(&mut self, verdict: &mut Verdict) -> io::Result<()> {
        while self.archive.integer()? != 0 {
            verdict.uncompressed_bytes += self.stream()?.bytes;
        }
        Ok(())
    }

    fn stream(&mut self) -> io::Result<Text> {
        let title = self.entry.title();
        let mut chunks = BufReader::new(Chunks::new(self.archive));
        // Nothing at all was compressed where there was nothing to compress.
        let compression = if chunks.fill_buf()?.is_empty() {
            Compression::None
        } else {
            self.compression
        };
        let text = match compression {
            Compression::None => Text::read(&mut chunks),
            Compression::Gzip => Text::read(flate2::bufread::ZlibDecoder::new(&mut chunks)),
            Compression::Lz4 => Text::read(Frames::new(&mut chunks)),
            Compression::Zstd => zstd::Decoder::with_buffer(&mut chunks).and_then(Text::read),
        };
        let text = text.map_err(|error| match carried(&error) {
            Some(_) => error,
            None => corrupt(format!(
                "is damaged: the compressed data of `{title}` is wrong ({error})"
            )),
        })?;
        if chunks.fill_buf()?.is_empty() {
            Ok(text)
        } else {
            Err(corrupt(format!(
                "is damaged: the compressed data of `{title}` ends too early"
            )))
        }
    }
}

/// The chunks of one stretch of data, as one stream; a chunk of no length ends it.
struct Chunks<'a, R> {
    archive: &'a mut Archive<R>,
    left: u64,
    ended: bool,
}

impl<'a, R> Chunks<'a, R> {
    fn new(archive: &'a mut Archive<R>) -> Self {
        Chunks {
            archive,
            left: 0,
            ended: false,
        }
    }
}

impl<R: BufRead> Read for Chunks<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended {
            let length = self.archive.integer()?;
            self.left = u64::try_from(length)
                .map_err(|_| corrupt("has an impossible length in its data"))?;
            self.ended = length == 0;
        }
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let most = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        match self.archive.read_some(&mut buffer[..most])? {
            0 => Err(self.archive.ended()),
            count => {
                self.left -= count as u64;
                Ok(count)
            }
        }
    }
}
