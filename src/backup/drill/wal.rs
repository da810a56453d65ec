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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::ending::farness;
use super::failure::{Failure, refused};
use super::program::Limits;
use crate::backup::shelf::Shelf;
use crate::backup::wal::WalName;
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

/// What was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Files that were asked for in vain.
    pub(super) missing: Vec<String>,
    /// What there is where files can be listed.
    pub(super) listed: Vec<String>,
    /// What was there and of no use.
    pub(super) trouble: Option<Failure>,
    /// How many files were handed on.
    pub(super) given: u64,
    /// The segment farthest on that was handed on.
    pub(super) last: Option<String>,
    /// The newest timeline whose history was handed on.
    pub(super) timeline: u32,
}

impl Asked {
    fn give(&mut self, name: &str) {
        self.given += 1;
        match WalName::parse(name) {
            Some((WalName::Segment(_), _)) => {
                let is_farther = |last: &String| farness(last) < farness(name);
                if self.last.as_ref().is_none_or(is_farther) {
                    self.last = Some(name.into());
                }
            }
            Some((WalName::History(timeline), _)) => self.timeline = self.timeline.max(timeline),
            _ => {}
        }
    }
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

    /// What was asked for so far.
    pub(super) fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    fn paths_are_quoted_for_the_shell() {
        let command = restore_command(Path::new("/a b/it's"), Path::new("/s%p"));
        assert_eq!(command, "'/a b/it'\\''s' fetch-wal '/s%%p' %f \"%p\"");
    }
}
