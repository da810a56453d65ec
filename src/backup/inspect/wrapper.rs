//! Compression around a dump, undone by what the bytes say and never by the file's name.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::Trouble;
use super::halt::{self, Halt, carried, unknowable};
use super::input::head;

/// What is inside all compression.
pub(super) struct Peeled<'r> {
    /// The first bytes of the content.
    pub(super) head: Vec<u8>,
    /// The content, from its first byte on. Reading to its end checks every wrapper's end.
    pub(super) content: Box<dyn Read + 'r>,
    /// The wrappers, outermost first.
    pub(super) wrappers: Vec<&'static str>,
    /// Whether a wrapper has a checksum over all that is inside it.
    pub(super) summed: bool,
}

/// Enough of the content to tell what it is.
const HEAD: usize = 4096;
/// A dump is compressed once or, by the guide's script, twice; more is somebody's joke.
const MOST_WRAPPERS: usize = 4;
/// xz asks for its dictionary in the header; `xz -9` needs 65 MiB.
const XZ_MEMORY_KIB: u32 = 256 << 10;

/// Takes off all compression.
pub(super) fn peel<'r>(reader: impl Read + 'r) -> io::Result<Peeled<'r>> {
    let mut content: Box<dyn Read + 'r> = Box::new(reader);
    let (mut wrappers, mut summed) = (Vec::new(), false);
    loop {
        let head = head(&mut content, HEAD)?;
        let whole = BufReader::with_capacity(64 << 10, Cursor::new(head.clone()).chain(content));
        let Some(wrapper) = Wrapper::of(&head) else {
            return Ok(Peeled {
                head,
                content: Box::new(whole),
                wrappers,
                summed,
            });
        };
        if wrappers.len() == MOST_WRAPPERS {
            return Err(unknowable("is compressed over and over"));
        }
        summed |= wrapper.is_summed(&head);
        wrappers.push(wrapper.name());
        content = wrapper.open(whole)?;
    }
}

/// A kind of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapper {
    Gzip,
    Zstd,
    Lz4,
    Xz,
    Bzip2,
}

impl Wrapper {
    /// Recognises a wrapper by its magic number.
    pub(super) fn of(head: &[u8]) -> Option<Wrapper> {
        const MAGIC: [(Wrapper, &[u8]); 5] = [
            (Wrapper::Gzip, &[0x1f, 0x8b]),
            (Wrapper::Zstd, &[0x28, 0xb5, 0x2f, 0xfd]),
            (Wrapper::Lz4, &[0x04, 0x22, 0x4d, 0x18]),
            (Wrapper::Xz, &[0xfd, b'7', b'z', b'X', b'Z', 0]),
            (Wrapper::Bzip2, b"BZh"),
        ];
        let found = MAGIC.iter().find(|(_, magic)| head.starts_with(magic));
        found.map(|(wrapper, _)| *wrapper)
    }

    /// The wrapper pg_dump means by the ending of a data file's name.
    pub(super) fn by_ending(name: &str) -> Option<Wrapper> {
        const ENDINGS: [(&str, Wrapper); 3] = [
            (".gz", Wrapper::Gzip),
            (".lz4", Wrapper::Lz4),
            (".zst", Wrapper::Zstd),
        ];
        let found = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
        found.map(|(_, wrapper)| *wrapper)
    }

    fn name(self) -> &'static str {
        match self {
            Wrapper::Gzip => "gzip",
            Wrapper::Zstd => "zstd",
            Wrapper::Lz4 => "lz4",
            Wrapper::Xz => "xz",
            Wrapper::Bzip2 => "bzip2",
        }
    }

    /// Whether the header promises a checksum of the content.
    fn is_summed(self, head: &[u8]) -> bool {
        let flags = |place: usize| head.get(place).copied().unwrap_or_default();
        match self {
            Wrapper::Gzip | Wrapper::Bzip2 => true,
            Wrapper::Zstd => flags(4) & 0b100 != 0,
            Wrapper::Lz4 => flags(4) & 0b100 != 0,
            Wrapper::Xz => flags(7) & 0x0f != 0,
        }
    }

    /// What is inside. Its end comes only after the wrapper's own end has been checked.
    pub(super) fn open<'r>(self, reader: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
        let name = self.name();
        Ok(match self {
            Wrapper::Gzip => Box::new(Layer {
                name,
                decoder: flate2::bufread::MultiGzDecoder::new(reader),
            }),
            Wrapper::Bzip2 => Box::new(Layer {
                name,
                decoder: bzip2::bufread::MultiBzDecoder::new(reader),
            }),
            Wrapper::Zstd => Box::new(Layer {
                name,
                decoder: zstd::Decoder::with_buffer(reader)?,
            }),
            Wrapper::Xz => Box::new(Layer {
                name,
                decoder: lzma_rust2::XzReader::new_mem_limit(reader, true, XZ_MEMORY_KIB),
            }),
            Wrapper::Lz4 => Box::new(Layer {
                name,
                decoder: super::lz4::Frames::new(reader),
            }),
        })
    }
}

/// A decoder whose errors say what they mean for the backup.
struct Layer<D> {
    name: &'static str,
    decoder: D,
}

impl<D: Read> Read for Layer<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| {
            let name = self.name;
            if error.kind() == io::ErrorKind::Interrupted || carried(&error).is_some() {
                error
            } else if error.kind() == io::ErrorKind::UnexpectedEof {
                let words = format!("is cut short: its {name} stream stops before its end");
                Halt::Trouble(Trouble::Truncated, words).into()
            } else if error.kind() == io::ErrorKind::OutOfMemory
                || error.to_string().contains("memory")
            {
                unknowable(format!(
                    "needs more memory to undo {name} than is allowed: {error}"
                ))
            } else {
                halt::corrupt(format!("is damaged: its {name} stream is wrong ({error})"))
            }
        })
    }
}
