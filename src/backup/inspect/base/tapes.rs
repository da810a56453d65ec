//! A base backup as tar files: each member is summed as it passes and held against the manifest.

use std::io::{self, Read};

use super::manifest::{Manifest, Promise};
use super::wal::Inside;
use super::{Awaited, CONTROL, LABEL, short, summed, take_control, take_label, wrong_sum};
use crate::backup::inspect::halt::{Halt, corrupt};
use crate::backup::inspect::input::{Input, head};
use crate::backup::inspect::sum::Sum;
use crate::backup::inspect::{Reading, Verdict, tape, within, wrapper};
use crate::backup::shelf::{Item, Shape, Shelf};

pub(super) fn read(
    shelf: &dyn Shelf,
    folder: &str,
    items: &[Item],
    manifest: Manifest,
    reading: &Reading,
    verdict: &mut Verdict,
) -> io::Result<bool> {
    let (needed, mut inside) = (manifest.wal.clone(), Inside::default());
    let mut awaited = Awaited::of(manifest);
    for item in items.iter().filter(|item| item.shape == Shape::File) {
        let Some(place) = Place::of(&item.name) else {
            continue;
        };
        verdict.stored_bytes += item.bytes;
        let input = Input::open(shelf, &within(folder, &item.name), reading.pace);
        let mut members = Members {
            place,
            awaited: &mut awaited,
            inside: &mut inside,
            verdict,
        };
        let taken = input.and_then(wrapper::peel).and_then(|peeled| {
            tape::walk(peeled.content, |path, bytes, content| {
                members.take(path, bytes, content)
            })
        });
        taken.map_err(|error| in_file(&item.name, &error))?;
    }
    awaited.judge()?;
    inside.judge(&needed, verdict)?;
    Ok(summed(awaited.has_unsummed, verdict))
}

/// Which part of the data directory a tar file holds.
pub(super) enum Place {
    Base,
    /// A tablespace, by the number of its link.
    Tablespace(u32),
    Wal,
}

impl Place {
    pub(super) fn of(name: &str) -> Option<Place> {
        let (stem, ending) = name.split_once(".tar")?;
        let is_known = ["", ".gz", ".lz4", ".zst", ".bz2", ".xz"].contains(&ending);
        match stem {
            _ if !is_known => None,
            "base" => Some(Place::Base),
            "pg_wal" => Some(Place::Wal),
            number => number.parse().ok().map(Place::Tablespace),
        }
    }
}

struct Members<'a> {
    place: Place,
    awaited: &'a mut Awaited,
    inside: &'a mut Inside,
    verdict: &'a mut Verdict,
}

impl Members<'_> {
    fn take(&mut self, path: &str, bytes: u64, content: &mut dyn Read) -> io::Result<()> {
        let path = match self.place {
            Place::Base => path.to_owned(),
            Place::Tablespace(number) => format!("pg_tblspc/{number}/{path}"),
            Place::Wal => {
                self.inside.take(path, bytes);
                return Ok(());
            }
        };
        if let Some(below) = path.strip_prefix("pg_wal/") {
            self.inside.take(below, bytes);
        }
        let Some(promise) = self.awaited.take(&path, bytes)? else {
            return Ok(());
        };
        let start = check(&path, &promise, content)?;
        match path.as_str() {
            LABEL => take_label(start.as_slice(), self.verdict),
            CONTROL => {
                take_control(&start, self.verdict);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Holds a member against its checksum; gives its first bytes.
fn check(path: &str, promise: &Promise, content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let start = head(&mut &mut *content, 4096)?;
    let Some((algorithm, expected)) = &promise.sum else {
        return Ok(start);
    };
    let sum = summed_after(Sum::begin(*algorithm), &start, content)?;
    if sum.hex().eq_ignore_ascii_case(expected) {
        Ok(start)
    } else {
        Err(wrong_sum(path))
    }
}

/// Sums what has been read and all that follows.
pub(super) fn summed_after(mut sum: Sum, start: &[u8], content: &mut dyn Read) -> io::Result<Sum> {
    sum.add(start);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(sum),
            Ok(count) => sum.add(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn in_file(name: &str, error: &io::Error) -> io::Error {
    match Halt::of(error) {
        Halt::Trouble(trouble, words)
            if !words.starts_with("holds") && !words.contains("its file") =>
        {
            let words = format!("is not whole: its file `{}` {words}", short(name));
            Halt::Trouble(trouble, words).into()
        }
        Halt::Unknowable(words) => corrupt(format!("has a file `{}` that {words}", short(name))),
        halt => halt.into(),
    }
}
