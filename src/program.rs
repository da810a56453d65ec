//! Runs a program of others once: it is fed, heard and, past its time, killed with all that it started.
//! Takes words, input and limits; hands on how it ended and what it said.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// Of the error channel so many bytes are read.
const HEARD: usize = 4 << 10;

/// A child may leave somebody behind who holds its channels; that is not waited for any longer.
const LISTENING: Duration = Duration::from_secs(1);

/// What is run, and within which bounds. No shell reads any of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Program<'a> {
    /// Its name, or its path.
    pub name: &'a str,
    /// Its arguments.
    pub arguments: &'a [String],
    /// Added to the environment.
    pub environment: &'a [(&'a str, &'a str)],
    /// Variables it must not see.
    pub hidden: &'a [String],
    /// The folder it works in; ours when there is none.
    pub folder: Option<&'a Path>,
    /// What it reads.
    pub input: &'a [u8],
    /// How many bytes of its output are kept; with 0 nobody listens.
    pub longest: usize,
    /// How long it may take.
    pub timeout: Duration,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself.
    Exited {
        /// `None` when a signal ended it.
        code: Option<i32>,
        /// The beginning of its output.
        output: Vec<u8>,
        /// Whether there was more of it.
        is_cut: bool,
        /// The beginning of what it wrote on its error channel.
        said: String,
    },
    /// It took too long.
    TooLong,
    /// The system would not start it, and why.
    NotStarted(String),
}

impl Program<'_> {
    /// Runs it. When this is given up, the program is killed.
    pub async fn run(self) -> Ended {
        let mut child = match self.command().spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ended::NotStarted("there is no such program".into());
            }
            Err(error) => return Ended::NotStarted(error.kind().to_string()),
        };
        let group = Group(child.id());
        let ended = timeout(self.timeout, self.attend(&mut child)).await;
        match ended {
            Ok(Ok(ended)) => {
                group.leave();
                ended
            }
            Ok(Err(error)) => Ended::NotStarted(error.to_string()),
            Err(_) => {
                drop(group);
                // It has been killed; that it is gone is not worth waiting long for.
                let _ = timeout(LISTENING, child.wait()).await;
                Ended::TooLong
            }
        }
    }

    fn command(&self) -> Command {
        let piped = |needed: bool| match needed {
            true => Stdio::piped(),
            false => Stdio::null(),
        };
        let mut command = Command::new(self.name);
        command
            .args(self.arguments)
            .envs(self.environment.iter().copied())
            .stdin(piped(!self.input.is_empty()))
            .stdout(piped(self.longest > 0))
            .stderr(Stdio::piped())
            .process_group(0);
        for variable in self.hidden {
            command.env_remove(variable);
        }
        if let Some(folder) = self.folder {
            command.current_dir(folder);
        }
        command
    }

    async fn attend(&self, child: &mut Child) -> std::io::Result<Ended> {
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (mut output, mut said) = (Heard::default(), Heard::default());
        let status = {
            let talk = async {
                tokio::join!(
                    feed(stdin, self.input),
                    hear(stdout, self.longest, &mut output),
                    hear(stderr, HEARD, &mut said)
                )
            };
            tokio::pin!(talk);
            let mut is_over = false;
            let status = loop {
                tokio::select! {
                    status = child.wait() => break status?,
                    _ = &mut talk, if !is_over => is_over = true,
                }
            };
            if !is_over {
                let _ = timeout(LISTENING, &mut talk).await;
            }
            status
        };
        Ok(Ended::Exited {
            code: status.code(),
            output: output.kept,
            is_cut: output.is_cut,
            said: String::from_utf8_lossy(&said.kept).into_owned(),
        })
    }
}

/// Who does not read its input has its reasons; its exit code counts.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

#[derive(Default)]
struct Heard {
    kept: Vec<u8>,
    is_cut: bool,
}

/// Keeps the beginning, and reads the rest so that nobody waits for us.
async fn hear(channel: Option<impl AsyncRead + Unpin>, longest: usize, heard: &mut Heard) {
    let Some(mut channel) = channel else { return };
    let mut chunk = [0; HEARD];
    while let Ok(length @ 1..) = channel.read(&mut chunk).await {
        let room = longest.saturating_sub(heard.kept.len());
        heard.kept.extend_from_slice(&chunk[..length.min(room)]);
        heard.is_cut |= length > room;
    }
}

/// A process group, which is killed when it is let go.
struct Group(Option<u32>);

impl Group {
    /// Lets the group live: its leader is gone, and its number may soon be another's.
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let leader = self.0.and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(leader) = leader {
            // It may be gone already.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
