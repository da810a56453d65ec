//! What the first bytes of a dump tell, where nobody has read it to its end yet.

use std::io::{self, BufReader};

use super::archive::{Archive, Shape};
use super::{Kind, Verdict, tape, within, wrapper};
use crate::backup::shelf::{self, Shelf};

/// Reads a dump no further than it has to, to know its format and the versions it names; nothing where it is none.
pub(crate) fn beginning(shelf: &dyn Shelf, name: &str) -> Option<Verdict> {
    let is_folder = shelf.stand(name).ok()?.shape == shelf::Shape::Folder;
    let file = match is_folder {
        true => within(name, "toc.dat"),
        false => name.to_owned(),
    };
    let peeled = wrapper::peel(shelf.open(&file).ok()?).ok()?;
    let (kind, content) = (Kind::of(&peeled.head), BufReader::new(peeled.content));
    let mut verdict = Verdict::listed(kind.name());
    match kind {
        Kind::Custom if is_folder => {
            verdict.format = "directory dump".into();
            Archive::open(content, Shape::Files, &mut verdict).ok()?;
        }
        Kind::Custom => {
            Archive::open(content, Shape::Custom, &mut verdict).ok()?;
        }
        // Its first member is the table of contents, and there it ends.
        Kind::Tape => {
            let _ = tape::walk(content, |_, _, member| {
                Archive::open(BufReader::new(member), Shape::Files, &mut verdict)?;
                Err(io::ErrorKind::Interrupted.into())
            });
            verdict.dumper_version.as_ref()?;
        }
        Kind::Plain => {}
        _ => return None,
    }
    Some(verdict)
}
