//! Hands the throw-away cluster the files of WAL it asks for. The server may not read the archive itself: it runs as
//! another user, and the archive may be a bucket, or compressed; so its `restore_command` is this very program, which
//! asks the drill over a socket.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::failure::{Failure, refused};
use super::program::{Limits, Program};
use crate::backup::inspect;
use crate::backup::shelf::{Shape, Shelf};
use crate::backup::wal::WalName;

/// The name of the asking program among the subcommands.
pub(crate) const FETCH: &str = "fetch-wal";

/// Where files of WAL come from.
#[derive(Debug)]
pub(super) enum Archive {
    /// Places where they lie.
    Shelves(Vec<Box<dyn Shelf>>),
    /// A program that brings them, and the data directory that they are for.
    Command(Vec<String>, String),
}

/// Answers until it is dropped.
#[derive(Debug)]
pub(super) struct Waiter {
    socket: PathBuf,
    is_over: Arc<AtomicBool>,
    asked: Arc<Mutex<Asked>>,
    thread: Option<JoinHandle<()>>,
}

/// What was asked for in vain, and what was there and of no use.
#[derive(Debug, Default)]
struct Asked {
    missing: Vec<String>,
    listed: Vec<String>,
    trouble: Option<String>,
    given: u64,
}

impl Waiter {
    /// Begins to answer. `aside` is a file to prepare each answer in.
    pub(super) fn start(
        socket: &Path,
        archive: Archive,
        aside: PathBuf,
        limits: &Limits,
    ) -> Result<Waiter, Failure> {
        let open = || -> io::Result<UnixListener> {
            let listener = UnixListener::bind(socket)?;
            fs::set_permissions(socket, fs::Permissions::from_mode(0o666))?;
            Ok(listener)
        };
        let listener = open().map_err(refused("cannot hand on WAL"))?;
        let (is_over, asked) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(Mutex::new(Asked::default())),
        );
        let mut desk = Desk {
            archive,
            aside,
            limits: limits.clone(),
            asked: asked.clone(),
            listing: BTreeMap::new(),
        };
        let over = is_over.clone();
        let thread = std::thread::spawn(move || {
            desk.list();
            for stream in listener.incoming() {
                if over.load(Ordering::Acquire) {
                    return;
                }
                // Whoever hangs up gets nothing; the server takes that for a file that is missing, and asks again.
                let _ = stream.and_then(|stream| desk.answer(stream));
            }
        });
        Ok(Waiter {
            socket: socket.into(),
            is_over,
            asked,
            thread: Some(thread),
        })
    }

    /// How many files were handed on.
    pub(super) fn given(&self) -> u64 {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .given
    }

    /// What was wrong with the archive, as far as recovery got to see it.
    pub(super) fn trouble(&self) -> Option<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.trouble.is_some() {
            return asked.trouble.clone();
        }
        let gap = gap(&asked.missing, &asked.listed)?;
        Some(format!(
            "WAL segment `{gap}` is missing although later ones are there; what came after it cannot be recovered"
        ))
    }
}

/// A segment that was asked for and is not there while a later one of its timeline is.
fn gap(missing: &[String], listed: &[String]) -> Option<String> {
    let is_segment = |name: &&String| name.len() == 24;
    let has_later = |name: &&String| {
        listed
            .iter()
            .any(|other| other.len() == 24 && other[..8] == name[..8] && other > *name)
    };
    let mut gaps = missing.iter().filter(is_segment).filter(has_later);
    gaps.next().cloned()
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        // Wakes it.
        let _ = UnixStream::connect(&self.socket);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where a file lies: the place of its shelf in the list, and its name there.
type Lies = (usize, String);

struct Desk {
    archive: Archive,
    aside: PathBuf,
    limits: Limits,
    asked: Arc<Mutex<Asked>>,
    /// What each file is called where it lies.
    listing: BTreeMap<String, Lies>,
}

impl Desk {
    fn list(&mut self) {
        let Archive::Shelves(shelves) = &self.archive else {
            return;
        };
        let mut listing = BTreeMap::new();
        for (place, shelf) in shelves.iter().enumerate() {
            for item in shelf
                .list("")
                .into_iter()
                .flatten()
                .filter(|item| item.shape == Shape::File)
            {
                if let Some((name, _)) = WalName::parse(&item.name) {
                    listing
                        .entry(name.to_string())
                        .or_insert((place, item.name));
                }
            }
        }
        self.asked().listed = listing.keys().cloned().collect();
        self.listing = listing;
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&mut self, mut stream: UnixStream) -> io::Result<()> {
        let mut name = String::new();
        BufReader::new((&stream).take(LONGEST_NAME)).read_line(&mut name)?;
        let name = name.trim_end();
        let is_wal = WalName::parse(name)
            .is_some_and(|(wal, is_packed)| !is_packed && wal.to_string() == name);
        if !is_wal || !self.bring(name) {
            self.asked().missing.push(name.to_owned());
            return stream.write_all(b"0");
        }
        self.asked().given += 1;
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
                self.asked().trouble = Some(format!(
                    "file `{called}` of the WAL archive cannot be read: {error}"
                ));
                false
            }
        }
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
    let words = super::tool::fill(words, &values);
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

/// `0123456789ABCDEF01234567.01234567.backup` is the longest that is asked for.
const LONGEST_NAME: u64 = 64;

/// Asks for a file of WAL and writes it where the server wants it.
///
/// # Errors
/// When there is none, or it cannot be written.
pub(crate) fn fetch(socket: &Path, name: &str, path: &Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(format!("{name}\n").as_bytes())?;
    let mut mark = [0];
    stream.read_exact(&mut mark)?;
    if mark != *b"1" {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut content = Vec::new();
    stream.read_to_end(&mut content)?;
    if content.pop() != Some(b'1') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    fs::write(path, content)
}

/// The `restore_command` that asks over a socket.
pub(super) fn restore_command(program: &Path, socket: &Path) -> String {
    let word = |path: &Path| {
        let path = path.display().to_string().replace('%', "%%");
        format!("'{}'", path.replace('\'', "'\\''"))
    };
    format!("{} {FETCH} {} %f \"%p\"", word(program), word(socket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_told_from_the_end() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let (two, three, other) = (
            "000000010000000000000002",
            "000000010000000000000003",
            "000000020000000000000003",
        );
        let cases = [
            (names(&[three]), names(&[two]), None),
            (names(&[two]), names(&[three]), Some(two)),
            (names(&[two]), names(&[other]), None),
            (names(&["00000002.history"]), names(&[three]), None),
            (names(&[]), names(&[]), None),
        ];
        for (missing, listed, expected) in cases {
            assert_eq!(
                gap(&missing, &listed).as_deref(),
                expected,
                "{missing:?} {listed:?}"
            );
        }
    }

    #[test]
    fn paths_are_quoted_for_the_shell() {
        let command = restore_command(Path::new("/a b/it's"), Path::new("/s%p"));
        assert_eq!(command, "'/a b/it'\\''s' fetch-wal '/s%%p' %f \"%p\"");
    }
}
