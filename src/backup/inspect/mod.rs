//! Reads a backup once, from its first byte to its last, and says how far it is good.
//! Takes a shelf and a name; hands on a [`Verdict`]. No server and no tool is needed, and memory does not grow with the file.

mod archive;
mod custom;
mod folder;
mod halt;
mod input;
mod lz4;
mod members;
mod plain;
mod sealed;
mod tape;
mod text;
mod verdict;
mod wrapper;

use std::io::{self, BufReader, Read};

use super::Proof;
use super::shelf::{Shape, Shelf};
use halt::{Halt, half_written, unknowable};
pub(crate) use input::Pace;
pub use verdict::{Table, Trouble, Verdict};

/// Reads the file or folder to its end; `None` when stopped on the way.
pub(crate) fn inspect(shelf: &dyn Shelf, name: &str, pace: &Pace) -> Option<Verdict> {
    let mut verdict = Verdict::listed("unknown");
    let halt = match read(shelf, name, pace, &mut verdict) {
        Ok(summed) => {
            verdict.proof = if summed { Proof::Summed } else { Proof::Whole };
            verdict.tables.sort();
            return Some(verdict);
        }
        Err(error) => Halt::of(&error),
    };
    match halt {
        Halt::Stopped => return None,
        Halt::Unknowable(words) => verdict.remark = Some(words),
        Halt::Lost(words) => {
            (verdict.remark, verdict.is_provisional) = (Some(words), true);
        }
        Halt::Trouble(trouble, words) => {
            verdict.trouble = Some(trouble);
            verdict.problem = Some(words);
        }
    }
    verdict.tables.sort();
    Some(verdict)
}

/// The content of a file without its compression, read as fast as it comes. An error's words are those of a verdict.
pub(crate) fn content(shelf: &dyn Shelf, name: &str) -> io::Result<Box<dyn Read>> {
    let peeled = wrapper::peel(shelf.open(name)?)?;
    Ok(peeled.content)
}

/// Whether every byte agreed with a checksum.
fn read(shelf: &dyn Shelf, name: &str, pace: &Pace, verdict: &mut Verdict) -> io::Result<bool> {
    let item = shelf.stand(name)?;
    match item.shape {
        Shape::Folder => {
            verdict.format = "directory dump".into();
            return folder::read(shelf, name, pace, verdict).map(|()| false);
        }
        Shape::Other => return Err(unknowable("is neither a file nor a folder")),
        Shape::File => {}
    }
    if item.bytes == 0 {
        return Err(Halt::Trouble(Trouble::Empty, "is empty: 0 bytes".into()).into());
    }
    let peeled = wrapper::peel(input::Input::open(shelf, name, pace)?)?;
    let content = BufReader::with_capacity(64 << 10, peeled.content);
    let kind = Kind::of(&peeled.head);
    let inside = peeled
        .wrappers
        .iter()
        .rev()
        .map(|wrapper| format!(" in {wrapper}"));
    verdict.format = format!("{}{}", kind.name(), inside.collect::<String>());
    match kind {
        Kind::Custom => custom::read(content, verdict)?,
        Kind::Tape => tape::read(content, verdict)?,
        Kind::Plain => plain::read(content, verdict)?,
        Kind::Sealed(how) => {
            return Err(unknowable(format!(
                "is encrypted ({how}) and cannot be opened here"
            )));
        }
        Kind::Nothing => {
            let words = format!(
                "holds nothing: a sound {} file, but the dump never began",
                peeled.wrappers.join(" in ")
            );
            return Err(Halt::Trouble(Trouble::NothingInside, words).into());
        }
        Kind::Beginning => {
            return Err(half_written(
                "stops in its first lines: the dump was interrupted or cut",
            ));
        }
        Kind::Unknown => {
            return Err(Halt::Trouble(
                Trouble::NotADump,
                "does not begin like any dump of pg_dump".into(),
            )
            .into());
        }
    }
    Ok(peeled.summed)
}

/// What is inside all compression.
enum Kind {
    Custom,
    Tape,
    Plain,
    Sealed(&'static str),
    Nothing,
    Beginning,
    Unknown,
}

impl Kind {
    fn of(head: &[u8]) -> Kind {
        if head.is_empty() {
            Kind::Nothing
        } else if head.starts_with(b"PGDMP") {
            Kind::Custom
        } else if tape::is_tape(head) {
            Kind::Tape
        } else if plain::is_plain(head) {
            Kind::Plain
        } else if b"PGDMP".starts_with(head) || plain::is_beginning(head) {
            Kind::Beginning
        } else {
            sealed::how(head).map_or(Kind::Unknown, Kind::Sealed)
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Kind::Custom => "custom archive",
            Kind::Tape => "tar archive",
            Kind::Plain => "plain dump",
            Kind::Sealed(_) => "encrypted file",
            Kind::Nothing => "nothing",
            Kind::Beginning => "beginning of a dump",
            Kind::Unknown => "unknown content",
        }
    }
}
