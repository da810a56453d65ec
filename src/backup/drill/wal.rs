//! Hands the throw-away cluster the files of WAL it asks for. The server may not read the archive itself: it runs as
//! another user, and the archive may be a bucket, or compressed; so its `restore_command` is this very program, which
//! asks the drill over a socket.

mod desk;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::ahead;
use super::failure::{Failure, refused};
use super::program::Limits;
use crate::backup::shelf::Shelf;
use crate::sample::Timestamp;
use desk::Desk;

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

    /// What was wrong with the archive, as far as recovery got to see it. `short` is how far it got, and which moment
    /// was asked for, when it did not get there.
    pub(super) fn trouble(&self, short: Option<(Timestamp, Timestamp)>) -> Option<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.trouble.is_some() {
            return asked.trouble.clone();
        }
        let gap = gap(&asked.missing, &asked.listed)?;
        let (reached, target) = short.unzip();
        Some(ahead::gap(&gap, reached, target))
    }

    /// The segment farthest on that was asked for in vain.
    pub(super) fn next(&self) -> Option<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        next(&asked.missing)
    }
}

fn next(missing: &[String]) -> Option<String> {
    let segments = missing.iter().filter(|name| name.len() == 24);
    // The same segment is asked for on each timeline, the newest first.
    let farthest = segments.max_by_key(|name| (name[8..].to_owned(), name[..8].to_owned()));
    farthest.cloned()
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
    fn what_would_come_next_is_the_farthest_that_was_asked_for() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (old, new, farther) = (
            "000000010000000000000005",
            "000000020000000000000005",
            "000000010000000000000006",
        );
        let cases: [(Vec<String>, _); 3] = [
            (names(&["00000002.history", old]), Some(old)),
            (
                names(&[farther, new, old, "00000003.history"]),
                Some(farther),
            ),
            (names(&["00000002.history"]), None),
        ];
        for (missing, expected) in cases {
            assert_eq!(next(&missing).as_deref(), expected, "{missing:?}");
        }
    }

    #[test]
    fn paths_are_quoted_for_the_shell() {
        let command = restore_command(Path::new("/a b/it's"), Path::new("/s%p"));
        assert_eq!(command, "'/a b/it'\\''s' fetch-wal '/s%%p' %f \"%p\"");
    }
}
