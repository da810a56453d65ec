//! A directory dump: a folder with a table of contents and a file for each table.

use std::io;

use super::input::{Input, Pace};
use super::members::Members;
use super::{Halt, Trouble, Verdict};
use crate::backup::shelf::{Item, Shape, Shelf};

/// Reads every file of the folder.
pub(super) fn read(
    shelf: &dyn Shelf,
    folder: &str,
    pace: &Pace,
    verdict: &mut Verdict,
) -> io::Result<()> {
    let items = shelf.list(folder)?;
    let strangers = strangers(&items);
    if strangers > 0 {
        verdict.format = "folder".into();
        let plural = if strangers == 1 { "" } else { "s" };
        let place = shelf.title();
        let words = format!(
            "is a folder with {strangers} file{plural}, none of them part of a directory dump; name the files, or `{place}/{folder}/*`"
        );
        return Err(Halt::Trouble(Trouble::NotADump, words).into());
    }
    let mut members = Members::default();
    for item in items.iter().filter(|item| item.shape == Shape::File) {
        let name = &item.name;
        let taken = Input::open(shelf, &format!("{folder}/{name}"), pace)
            .and_then(|input| members.take(name, input, verdict));
        taken.map_err(|error| in_file(name, &error))?;
    }
    members.judge(verdict)
}

/// How many files a folder has in which nothing is part of a directory dump; 0 for the folder of a dump, be it torn.
fn strangers(items: &[Item]) -> usize {
    let is_part = |item: &Item| item.name.contains(".dat") || item.name.starts_with("blob");
    if items.iter().any(is_part) {
        return 0;
    }
    let files = items.iter().filter(|item| item.shape == Shape::File);
    files.count()
}

fn in_file(name: &str, error: &io::Error) -> io::Error {
    match Halt::of(error) {
        Halt::Trouble(trouble, words) if name != "toc.dat" || trouble == Trouble::Unreadable => {
            Halt::Trouble(trouble, format!("is not whole: its file `{name}` {words}")).into()
        }
        halt => halt.into(),
    }
}
