//! A tar archive: pg_dump's own, or one made of a directory dump. It ends with two blocks of zeros.

use std::io::{self, Read};

use super::halt::{corrupt, half_written, unknowable};
use super::members::Members;
use super::{Proof, Verdict, base};

const BLOCK: usize = 512;

/// Whether these first bytes are those of a tar archive.
pub(super) fn is_tape(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// Reads every member; whether all of them agree with checksums that are inside too.
pub(super) fn read(input: impl Read, verdict: &mut Verdict) -> io::Result<bool> {
    let (mut members, mut base, mut is_first) = (Members::default(), None, true);
    walk(input, |path, bytes, content| {
        if std::mem::take(&mut is_first) && base::is_first(path) {
            base = Some(base::Loose::default());
        }
        match &mut base {
            Some(base) => base.take(path, bytes, content, verdict),
            None => members.take(
                path.rsplit('/').next().unwrap_or_default(),
                content,
                verdict,
            ),
        }
    })?;
    if let Some(base) = base {
        return base.judge(verdict);
    }
    if members.has_parts() {
        return members.judge(verdict).map(|()| false);
    }
    verdict.proof = Proof::Opened;
    Err(unknowable(
        "is a sound tar archive, but not one of pg_dump or pg_basebackup: its members are not judged",
    ))
}

/// Shows every file in the archive by its path and size, then makes sure that the archive ends as it should.
pub(super) fn walk(
    mut input: impl Read,
    mut each: impl FnMut(&str, u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut size_ahead = None;
    while let Some(header) = header(&mut input)? {
        let size = match size_ahead.take() {
            Some(size) => size,
            None => header
                .entry_size()
                .map_err(|_| corrupt("has a damaged tar header"))?,
        };
        let path = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        let path = path.trim_start_matches("./");
        let mut content = Member {
            input: &mut input,
            left: size,
            name: path,
        };
        if header.entry_type().is_pax_local_extensions() {
            size_ahead = size_in_extension(&mut content)?;
        } else if header.entry_type().is_file() {
            each(path, size, &mut content)?;
        }
        io::copy(&mut content, &mut io::sink())?;
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        io::copy(
            &mut Member {
                input: &mut input,
                left: padding,
                name: "the padding",
            },
            &mut io::sink(),
        )?;
    }
    end(&mut input)
}

/// The next header; nothing at the first block of zeros.
fn header(input: &mut impl Read) -> io::Result<Option<tar::Header>> {
    let mut block = [0; BLOCK];
    fill(input, &mut block)?;
    if block == [0; BLOCK] {
        return Ok(None);
    }
    let header = tar::Header::from_byte_slice(&block);
    // The sum takes its own field for spaces.
    let sum: u32 = (block.iter().enumerate())
        .map(|(place, byte)| {
            if (148..156).contains(&place) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    match header.cksum() {
        Ok(written) if written == sum => Ok(Some(header.clone())),
        _ => Err(corrupt("has a damaged tar header")),
    }
}

fn end(input: &mut impl Read) -> io::Result<()> {
    let mut block = [0; BLOCK];
    fill(input, &mut block)?;
    loop {
        if block.iter().any(|byte| *byte != 0) {
            return Err(corrupt("goes on after the end of its tar archive"));
        }
        match input.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(count) => block[count..].fill(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => block.fill(0),
            Err(error) => return Err(error),
        }
    }
}

fn fill(input: &mut impl Read, block: &mut [u8]) -> io::Result<()> {
    input.read_exact(block).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            half_written("stops before the end of its tar archive: it was interrupted or cut")
        }
        _ => error,
    })
}

/// The true size of the member that follows, where its own header has no room for it.
fn size_in_extension(content: &mut impl Read) -> io::Result<Option<u64>> {
    let mut text = Vec::new();
    content.take(64 << 10).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let size = text.lines().find_map(|line| line.split_once(" size="));
    Ok(size.and_then(|(_, size)| size.parse().ok()))
}

/// One member's bytes; its end before its time is an error.
struct Member<'a, R> {
    input: &'a mut R,
    left: u64,
    name: &'a str,
}

impl<R: Read> Read for Member<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        match self.input.read(&mut buffer[..most])? {
            0 => Err(half_written(format!(
                "stops in `{}`: it was interrupted or cut",
                self.name
            ))),
            count => {
                self.left -= count as u64;
                Ok(count)
            }
        }
    }
}
