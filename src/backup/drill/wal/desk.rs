//! Looks a file of WAL up in its archive and hands it on.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Archive, Asked};
use crate::backup::archive::is_part;
use crate::backup::drill::failure::Failure;
use crate::backup::drill::program::{Limits, Program};
use crate::backup::drill::tool;
use crate::backup::inspect;
use crate::backup::shelf::{Item, Shape};
use crate::backup::user::not_ours;
use crate::backup::wal::WalName;

/// `0123456789ABCDEF01234567.01234567.backup` is the longest that is asked for.
const LONGEST_NAME: u64 = 64;

/// Where a file lies: the place of its shelf in the list, and its name there.
pub(super) type Lies = (usize, String);

/// Who answers.
pub(super) struct Desk {
    pub(super) archive: Archive,
    pub(super) aside: PathBuf,
    pub(super) limits: Limits,
    pub(super) asked: Arc<Mutex<Asked>>,
    /// What each file is called where it lies.
    pub(super) listing: BTreeMap<String, Lies>,
}

impl Desk {
    /// Looks where each file lies.
    pub(super) fn list(&mut self) {
        let Archive::Shelves(shelves) = &self.archive else {
            return;
        };
        let mut listing = BTreeMap::new();
        let mut take = |place: usize, folder: &str, item: &Item| {
            let wal = WalName::parse(&item.name).filter(|_| item.shape == Shape::File);
            if let Some((name, _)) = wal {
                let called = inspect::within(folder, &item.name);
                listing.entry(name.to_string()).or_insert((place, called));
            }
        };
        for (place, shelf) in shelves.iter().enumerate() {
            for item in shelf.list("").unwrap_or_default() {
                take(place, ".", &item);
                if item.shape == Shape::Folder && is_part(&item.name) {
                    let inner = shelf.list(&item.name).unwrap_or_default();
                    inner
                        .iter()
                        .for_each(|inner| take(place, &item.name, inner));
                }
            }
        }
        self.asked().listed = listing.keys().cloned().collect();
        self.listing = listing;
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request.
    pub(super) fn answer(&mut self, mut stream: UnixStream) -> io::Result<()> {
        let mut name = String::new();
        BufReader::new((&stream).take(LONGEST_NAME)).read_line(&mut name)?;
        let name = name.trim_end();
        let is_wal = WalName::parse(name)
            .is_some_and(|(wal, is_packed)| !is_packed && wal.to_string() == name);
        if !is_wal || !self.bring(name) {
            self.asked().missing.push(name.to_owned());
            return stream.write_all(b"0");
        }
        self.asked().give(name);
        let mut content = File::open(&self.aside)?;
        stream.write_all(b"1")?;
        io::copy(&mut content, &mut stream)?;
        // What comes after tells a whole answer from one that was cut.
        stream.write_all(b"1")
    }

    /// Prepares a file; whether it is there.
    fn bring(&mut self, name: &str) -> bool {
        let _ = fs::remove_file(&self.aside);
        if let Archive::Command(words, data) = &self.archive {
            return command(words, name, data, &self.aside, &self.limits);
        }
        let (place, called) = match self.listing.get(name).cloned() {
            Some(lies) => lies,
            None => {
                // It may have come a moment ago.
                self.list();
                match self.listing.get(name).cloned() {
                    Some(lies) => lies,
                    None => return false,
                }
            }
        };
        let Archive::Shelves(shelves) = &self.archive else {
            return false;
        };
        let copy = || -> io::Result<()> {
            let mut content = inspect::content(shelves[place].as_ref(), &called)?;
            io::copy(&mut content, &mut File::create(&self.aside)?).map(|_| ())
        };
        match copy() {
            Ok(()) => true,
            Err(error) => {
                self.asked().trouble = Some(unreadable(&called, &error));
                false
            }
        }
    }
}

/// That we may not read a file is no word against it.
fn unreadable(called: &str, error: &io::Error) -> Failure {
    let what = format!("file `{called}` of the WAL archive cannot be read");
    match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::Impossible(format!("{what}: {}", not_ours())),
        _ => Failure::Bad(format!("{what}: {error}")),
    }
}

fn command(words: &[String], name: &str, data: &str, aside: &Path, limits: &Limits) -> bool {
    let directory = aside.with_extension("brought");
    let path = directory.join(name);
    let locks = aside.with_extension("locks");
    let texts = [&path, &directory, &locks].map(|path| path.display().to_string());
    let values = [
        ("file", name),
        ("path", &texts[0]),
        ("directory", &texts[1]),
        ("locks", &texts[2]),
        ("folder", data),
    ];
    let words = tool::fill(words, &values);
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    let _ = fs::create_dir(&directory);
    let program = Program::new(Path::new(program), None)
        .with_our_environment()
        .args(arguments);
    let ran = program.run(limits, &aside.with_extension("log"));
    ran.is_ok_and(|(status, _)| status.success()) && fs::rename(&path, aside).is_ok()
}
