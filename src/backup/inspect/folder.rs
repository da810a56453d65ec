//! A directory dump: a folder with a table of contents and a file for each table.

use std::io;
use std::path::Path;

use super::input::{Input, Pace};
use super::members::Members;
use super::{Halt, Trouble, Verdict};

/// Reads every file of the folder.
pub(super) fn read(folder: &Path, pace: &Pace, verdict: &mut Verdict) -> io::Result<()> {
    let strangers = strangers(folder)?;
    if strangers > 0 {
        verdict.format = "folder".into();
        let plural = if strangers == 1 { "" } else { "s" };
        let words = format!(
            "is a folder with {strangers} file{plural}, none of them part of a directory dump; name the files, or `{}/*`",
            folder.display()
        );
        return Err(Halt::Trouble(Trouble::NotADump, words).into());
    }
    let mut members = Members::default();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Never a pipe or a device, which could block for ever, and never a link, which could lead anywhere.
        if !entry.file_type()?.is_file() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let taken =
            Input::open(&entry.path(), pace).and_then(|input| members.take(&name, input, verdict));
        taken.map_err(|error| in_file(&name, &error))?;
    }
    members.judge(verdict)
}

/// How many files a folder has in which nothing is part of a directory dump; 0 for the folder of a dump, be it torn.
fn strangers(folder: &Path) -> io::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains(".dat") || name.starts_with("blob") {
            return Ok(0);
        }
        count += usize::from(entry.file_type()?.is_file());
    }
    Ok(count)
}

fn in_file(name: &str, error: &io::Error) -> io::Error {
    match Halt::of(error) {
        Halt::Trouble(trouble, words) if name != "toc.dat" || trouble == Trouble::Unreadable => {
            Halt::Trouble(trouble, format!("is not whole: its file `{name}` {words}")).into()
        }
        halt => halt.into(),
    }
}
