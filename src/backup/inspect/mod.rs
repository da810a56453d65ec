//! Reads a backup once, from its first byte to its last, and says how far it is good.
//! Takes a shelf and a name; hands on a [`Verdict`]. No server and no tool is needed, and memory does not grow with the file.

mod archive;
pub(crate) mod base;
mod beginning;
pub(crate) mod beside;
mod custom;
mod folder;
mod halt;
mod input;
mod lz4;
mod members;
mod plain;
mod progress;
mod sealed;
mod sum;
mod tape;
mod text;
mod verdict;
mod weigh;
mod wrapper;

use std::io::{self, BufReader, Read};

use super::Proof;
use super::shelf::{Shape, Shelf};
use super::wal::LONGEST_TEXT;
pub(crate) use beginning::beginning;
use halt::{Halt, half_written, unknowable};
use input::Input;
pub(crate) use input::Pace;
pub(crate) use progress::Progress;
pub use verdict::{Needed, Table, Trouble, Verdict};

/// How something is read, and what is known beside it.
pub(crate) struct Reading<'a> {
    /// How fast, and whether still.
    pub(crate) pace: &'a Pace,
    /// What was read before a restart.
    pub(crate) progress: &'a Progress,
    /// The file on the same shelf that may hold its checksum.
    pub(crate) beside: Option<&'a str>,
    /// Whether it has to be compared with a copy elsewhere, which takes its MD5.
    pub(crate) is_compared: bool,
}

/// Reads the file or folder to its end; `None` when stopped on the way.
pub(crate) fn inspect(shelf: &dyn Shelf, name: &str, reading: &Reading) -> Option<Verdict> {
    let mut verdict = Verdict::listed("unknown");
    let halt = match read(shelf, name, reading, &mut verdict) {
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

/// What an error of a shelf means for whoever reads a file there, in words.
pub(crate) fn why(error: &io::Error) -> String {
    Halt::of(error).to_string()
}

/// Whether every byte agreed with a checksum.
fn read(
    shelf: &dyn Shelf,
    name: &str,
    reading: &Reading,
    verdict: &mut Verdict,
) -> io::Result<bool> {
    let item = shelf.stand(name)?;
    match item.shape {
        Shape::Folder => return read_folder(shelf, name, reading, verdict),
        Shape::Other => return Err(unknowable("is neither a file nor a folder")),
        Shape::File => {}
    }
    if item.bytes == 0 {
        return Err(Halt::Trouble(Trouble::Empty, "is empty: 0 bytes".into()).into());
    }
    let expected = match reading.beside {
        Some(file) => beside::expected(shelf, file, name, reading.pace)?,
        None => None,
    };
    let passing = weigh::passing(expected.as_ref(), reading);
    let input = Input::open(shelf, name, reading.pace)?.passing(passing.clone());
    match read_file(input, verdict).map_err(|error| Halt::of(&error)) {
        Err(halt @ (Halt::Trouble(..) | Halt::Stopped)) => Err(halt.into()),
        outcome => {
            let passing =
                weigh::to_the_end(shelf, name, &item, (passing, expected.as_ref()), reading)?;
            weigh::weigh(outcome, expected.as_ref(), &passing, reading, verdict)
        }
    }
}

fn read_folder(
    shelf: &dyn Shelf,
    folder: &str,
    reading: &Reading,
    verdict: &mut Verdict,
) -> io::Result<bool> {
    let items = shelf.list(if folder == "." { "" } else { folder })?;
    if let Some(form) = base::Form::of(&items) {
        return base::read(shelf, folder, (form, &items), reading, verdict);
    }
    verdict.format = "directory dump".into();
    folder::read(shelf, folder, reading.pace, verdict).map(|()| false)
}

/// Where something lies in a folder; the folder `.` is the shelf itself.
pub(crate) fn within(folder: &str, name: &str) -> String {
    match folder {
        "." => name.into(),
        folder => format!("{folder}/{name}"),
    }
}

/// The whole of a short text, such as `.history`, whatever it is compressed with; nothing when it cannot be read.
pub(crate) fn text(shelf: &dyn Shelf, name: &str, pace: &Pace) -> Option<String> {
    let peeled = Input::open(shelf, name, pace).and_then(wrapper::peel);
    let text =
        peeled.and_then(|mut peeled| input::head(&mut peeled.content, LONGEST_TEXT as usize));
    Some(String::from_utf8_lossy(&text.ok()?).into_owned())
}

fn read_file(input: Input, verdict: &mut Verdict) -> io::Result<bool> {
    let peeled = wrapper::peel(input)?;
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
        Kind::Tape => return Ok(tape::read(content, verdict)? || peeled.summed),
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
