//! The file: one line per event, a checksum and JSON. What is half-written at its end is cut; what is damaged before
//! that is refused. One process per directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Event;

/// Above this size, and eight times the size it was last made small to, the log is made small again.
const LARGE: u64 = 4 << 20;

/// How long the lock of a directory may take to be let go.
const HANDOVER: Duration = Duration::from_secs(1);

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("`{}` is in use by process {owner}", dir.display())]
    InUse {
        /// The state directory.
        dir: PathBuf,
        /// The other's process id.
        owner: String,
    },
    /// A line cannot be right, and lines after it are.
    #[error("`{}` is damaged in line {line}: {cause}", path.display())]
    Damaged {
        /// The log.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// The log is there but cannot be read.
    #[error("cannot read `{}`: {cause}", path.display())]
    Unreadable {
        /// The log.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl OpenError {
    /// The way out.
    pub fn hint(&self) -> String {
        match self {
            OpenError::InUse { .. } => {
                "stop the other process, or set another `state_dir` for this one".into()
            }
            OpenError::Damaged { path, .. } => format!(
                "put back a copy of it, or move it away with `mv {0} {0}.damaged`: then what is firing is announced anew, \
                 and what ended meanwhile is not announced at all",
                path.display()
            ),
            OpenError::Unreadable { .. } => {
                "make it readable for the user that pgvigil runs as".into()
            }
        }
    }
}

/// The open log of one state directory.
#[derive(Debug)]
pub(super) struct Log {
    dir: PathBuf,
    lock: Option<File>,
    file: Option<File>,
    length: u64,
    small: u64,
}

impl Log {
    /// Takes the directory for this process and reads what is in the log, with a warning for each oddity.
    pub(super) fn open(dir: &Path) -> Result<(Log, Vec<Event>, Vec<String>), OpenError> {
        let mut log = Log {
            dir: dir.to_owned(),
            lock: None,
            file: None,
            length: 0,
            small: 0,
        };
        let mut warnings = Vec::new();
        if let Err(error) = log.take() {
            if error.kind() == io::ErrorKind::WouldBlock {
                return Err(log.in_use());
            }
            warnings.push(format!(
                "cannot write to the state directory `{}`: {error}; incidents are kept in memory only",
                dir.display()
            ));
        }
        let events = log.read(&mut warnings)?;
        Ok((log, events, warnings))
    }

    /// Adds the events and waits until they are on the disk.
    pub(super) fn append(&mut self, events: &[Event]) -> io::Result<()> {
        let lines = encode(events)?;
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("the log is not open"));
        };
        let written = file
            .write_all(lines.as_bytes())
            .and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line may be on the disk; the whole file is written anew before the next append.
            self.file = None;
        } else {
            self.length += lines.len() as u64;
        }
        written
    }

    /// Whether it has grown enough to be made small.
    pub(super) fn is_large(&self) -> bool {
        self.length > LARGE.max(8 * self.small)
    }

    /// Replaces the whole log: written aside, then renamed, so that a crash leaves the old or the new one.
    pub(super) fn rewrite(&mut self, events: &[Event]) -> io::Result<()> {
        self.take()?;
        let lines = encode(events)?;
        let aside = self.dir.join("incidents.log.new");
        let mut file = File::create(&aside)?;
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, self.path())?;
        self.file = Some(file);
        self.length = lines.len() as u64;
        self.small = self.length;
        File::open(&self.dir)?.sync_all()
    }

    /// The file.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.join("incidents.log")
    }

    fn lock_path(&self) -> PathBuf {
        self.dir.join("incidents.lock")
    }

    fn take(&mut self) -> io::Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        fs::create_dir_all(&self.dir)?;
        let mut options = OpenOptions::new();
        let mut lock = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.lock_path())?;
        lock_soon(&lock)?;
        lock.set_len(0)?;
        // Only for the message to a second process; the lock itself is the system's.
        write!(lock, "{}", std::process::id())?;
        self.lock = Some(lock);
        Ok(())
    }

    fn in_use(&self) -> OpenError {
        let owner = fs::read_to_string(self.lock_path()).unwrap_or_default();
        OpenError::InUse {
            dir: self.dir.clone(),
            owner,
        }
    }

    fn read(&self, warnings: &mut Vec<String>) -> Result<Vec<Event>, OpenError> {
        let path = self.path();
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(OpenError::Unreadable { path, cause }),
        }
        let (events, torn) = decode(&bytes).map_err(|(line, cause)| OpenError::Damaged {
            path: path.clone(),
            line,
            cause,
        })?;
        if torn > 0 {
            warnings.push(format!(
                "`{}` ended in {torn} bytes of a half-written line, which were cut off; the event in it was never acted on",
                path.display()
            ));
        }
        Ok(events)
    }
}

fn encode(events: &[Event]) -> io::Result<String> {
    let mut lines = String::new();
    for event in events {
        let json = serde_json::to_string(event)?;
        lines.push_str(&format!(
            "{:08x} {json}\n",
            crc32fast::hash(json.as_bytes())
        ));
    }
    Ok(lines)
}

/// The events, and how many bytes at the end belong to no whole line. A broken line before a whole one is an error.
fn decode(bytes: &[u8]) -> Result<(Vec<Event>, usize), (usize, String)> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let whole = lines.iter().rposition(|line| json_of(line).is_some());
    let (kept, torn) = lines.split_at(whole.map_or(0, |last| last + 1));
    let numbered = kept.iter().enumerate();
    let events = numbered.map(|(place, line)| event_of(line).map_err(|cause| (place + 1, cause)));
    Ok((
        events.collect::<Result<_, _>>()?,
        torn.iter().map(|line| line.len()).sum(),
    ))
}

fn event_of(line: &[u8]) -> Result<Event, String> {
    let json = json_of(line).ok_or("its checksum is wrong")?;
    serde_json::from_str(json)
        .map_err(|error| format!("another version of pgvigil wrote it: {error}"))
}

fn json_of(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (sum, json) = line.split_once(' ')?;
    (u32::from_str_radix(sum, 16).ok()? == crc32fast::hash(json.as_bytes())).then_some(json)
}

/// Takes the lock, and waits for one that is just being let go: by a process that ends, or by a child that was forked
/// while it was held and is about to become another program.
fn lock_soon(lock: &File) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if start.elapsed() < HANDOVER => {
                std::thread::sleep(Duration::from_millis(20));
            }
            result => return Ok(result?),
        }
    }
}
