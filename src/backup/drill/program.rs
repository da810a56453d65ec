//! Programs that end with the drill, whatever ends it: each is a process group with a deadline, started through a guard.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, refused};
use super::folder::Owner;
use super::guard::{NOT_RUN, Orders};

const NAP: Duration = Duration::from_millis(10);
/// How long a server may take to end its processes before it is killed.
const FAREWELL: Duration = Duration::from_secs(6);
/// Of what a program said, so much of its end is kept.
const MOST_SAID: u64 = 64 << 10;

/// How long a drill may go on.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    pub(super) stop: CancellationToken,
}

impl Limits {
    /// Whether it may still.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.stop.is_cancelled() {
            return Err(Failure::Stopped);
        }
        if Instant::now() >= self.deadline {
            let timeout = crate::document::format_duration(self.timeout);
            return Err(Failure::Bad(format!(
                "was not finished within `timeout`, {timeout}, and was ended"
            )));
        }
        Ok(())
    }

    /// Waits a moment, if there may be one.
    pub(super) fn nap(&self) -> Result<(), Failure> {
        self.check()?;
        std::thread::sleep(NAP);
        Ok(())
    }
}

/// A program to run.
pub(super) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: PathBuf,
    orders: Orders,
}

impl Program {
    /// One that ends at once when the drill does.
    pub(super) fn new(path: &Path, owner: Owner) -> Program {
        let environment = [("PATH", PATH), ("LC_ALL", "C"), ("TZ", "UTC")];
        Program {
            path: path.into(),
            arguments: Vec::new(),
            environment: environment
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            folder: "/".into(),
            orders: Orders {
                parent: std::process::id(),
                owner,
                is_server: false,
                is_alone: false,
            },
        }
    }

    /// A server, which is told to end its own processes first.
    pub(super) fn serving(mut self) -> Program {
        self.orders.is_server = true;
        self
    }

    /// Whether it has no network.
    pub(super) fn alone(mut self, is_alone: bool) -> Program {
        self.orders.is_alone = is_alone;
        self
    }

    pub(super) fn arg(mut self, argument: impl AsRef<OsStr>) -> Program {
        self.arguments.push(argument.as_ref().into());
        self
    }

    pub(super) fn args<A: AsRef<OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Program {
        let arguments = arguments.into_iter();
        self.arguments
            .extend(arguments.map(|argument| argument.as_ref().into()));
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.environment.push((name.into(), value.as_ref().into()));
        self
    }

    pub(super) fn folder(mut self, folder: &Path) -> Program {
        self.folder = folder.into();
        self
    }

    /// Runs it with our own environment, but for what is told to us alone: a tool finds there where its backups are.
    pub(super) fn with_our_environment(mut self) -> Program {
        let is_ours = |name: &OsString| {
            let name = name.to_string_lossy();
            name.starts_with("PGVIGIL_")
                || name == "DATABASE_URL"
                || name.starts_with("DATA_SOURCE_")
        };
        self.environment
            .extend(std::env::vars_os().filter(|(name, _)| !is_ours(name)));
        self
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Starts it; what it says goes to a file.
    pub(super) fn start(self, log: &Path) -> Result<Running, Failure> {
        let name = self.name();
        let open = || -> io::Result<(File, File)> {
            let file = File::options().create(true).append(true).open(log)?;
            Ok((file.try_clone()?, file))
        };
        let (output, errors) =
            open().map_err(refused(format!("cannot write what `{name}` says")))?;
        // What is linked here stays what runs now when its file is replaced, and is reached by whoever we are.
        let mut command = Command::new("/proc/self/exe");
        command
            .args(self.orders.words())
            .arg("--")
            .arg(&self.path)
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment)
            .current_dir(&self.folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let child = command
            .spawn()
            .map_err(refused(format!("cannot run `{name}`")))?;
        Ok(Running {
            child,
            name,
            log: log.into(),
        })
    }

    /// Runs it to its end; gives whether it succeeded, and what it said.
    pub(super) fn run(self, limits: &Limits, log: &Path) -> Result<(ExitStatus, String), Failure> {
        let _ = std::fs::remove_file(log);
        let mut running = self.start(log)?;
        loop {
            match running.ended()? {
                Some(status) => return Ok((status, running.said())),
                None => limits.nap()?,
            }
        }
    }

    /// Runs it to its end, and takes failure for the backup's.
    pub(super) fn succeed(self, limits: &Limits, log: &Path) -> Result<String, Failure> {
        let name = self.name();
        match self.run(limits, log)? {
            (status, said) if status.success() => Ok(said),
            (status, said) => Err(blame(&name, status, &said)),
        }
    }
}

/// Where tools of the system are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What this machine lacks is no word against the backup.
const LACKING: [&str; 10] = [
    "is not available",
    "could not open extension control file",
    "could not access file",
    "unsupported version",
    "invalid value for parameter \"default_tablespace\"",
    "No space left on device",
    "ICU is not supported in this build",
    "is not recognized by setlocale",
    "incompatible with operating system",
    "could not load library",
];

fn blame(name: &str, status: ExitStatus, said: &str) -> Failure {
    let words = match first_error(said) {
        Some(line) => format!("`{name}` says: {line}"),
        None => format!("`{name}` ended with {status}"),
    };
    if status.code() == Some(i32::from(NOT_RUN))
        || LACKING.iter().any(|lacking| said.contains(lacking))
    {
        Failure::Impossible(format!("{words}; this machine lacks what the backup needs"))
    } else {
        Failure::Bad(words)
    }
}

/// The line that says what is wrong, short enough to be told.
pub(super) fn first_error(said: &str) -> Option<String> {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let marked = |mark: &'static str| lines().find(move |line| line.contains(mark));
    let line = marked("FATAL:")
        .or_else(|| marked("PANIC:"))
        .or_else(|| marked("rror:"))
        .or_else(|| marked("ERROR:"));
    let line = line.or_else(|| lines().next_back())?;
    // psql names the file, whose folder says nothing to anybody.
    let line = line.split_once("/ours/").map_or(line, |(_, rest)| rest);
    Some(line.chars().filter(|c| !c.is_control()).take(300).collect())
}

/// A running program; it and its group are gone when this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Running {
    /// How it has ended, when it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        self.child
            .try_wait()
            .map_err(refused(format!("cannot wait for `{}`", self.name)))
    }

    /// The end of what it said.
    pub(super) fn said(&self) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(MOST_SAID)))?;
            let mut bytes = Vec::new();
            file.take(MOST_SAID).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        read().unwrap_or_default()
    }

    /// Asks a server to end at once, and its processes with it; what is left then is killed.
    pub(super) fn quit(&mut self) {
        self.send(Signal::QUIT);
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < FAREWELL {
            std::thread::sleep(NAP);
        }
    }

    fn send(&self, signal: Signal) {
        if let Some(group) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.send(Signal::KILL);
        let _ = self.child.wait();
    }
}
