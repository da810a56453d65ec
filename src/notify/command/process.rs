//! One run of a program: it is fed, heard and, past its time, killed with all that it started.

use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::time::timeout;

use super::settings::Settings;

/// Of the error channel so many bytes are read.
const HEARD: usize = 4 << 10;

/// A child may leave somebody behind who holds the error channel; that is not waited for any longer.
const LISTENING: Duration = Duration::from_secs(1);

/// How a run ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself.
    Exited {
        /// `None` when a signal ended it.
        code: Option<i32>,
        /// The first line on its error channel that is not empty.
        said: String,
    },
    /// It took too long.
    TooLong,
    /// The system would not start it, and why.
    NotStarted(String),
}

/// Runs the program. When this is given up, the program is killed.
pub(super) async fn run(settings: &Settings, key: &str, input: &[u8]) -> Ended {
    let mut command = Command::new(&settings.program);
    command
        .args(&settings.arguments)
        .env("PGVIGIL_IDEMPOTENCY_KEY", key)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ended::NotStarted("there is no such program".into());
        }
        Err(error) => return Ended::NotStarted(error.kind().to_string()),
    };
    let group = Group(child.id());
    let ended = timeout(settings.timeout, attend(&mut child, input)).await;
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

async fn attend(child: &mut Child, input: &[u8]) -> std::io::Result<Ended> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut said = Vec::new();
    let status = {
        let talk = async { tokio::join!(feed(stdin, input), hear(stderr, &mut said)) };
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
    let said = String::from_utf8_lossy(&said);
    let first = said.lines().find(|line| !line.trim().is_empty());
    Ok(Ended::Exited {
        code: status.code(),
        said: first.unwrap_or_default().trim().to_owned(),
    })
}

/// Who does not read its input has its reasons; its exit code counts.
async fn feed(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input).await;
    }
}

/// Keeps the beginning, and reads the rest so that nobody waits for us.
async fn hear(stderr: Option<ChildStderr>, said: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut chunk = [0; HEARD];
    while let Ok(length @ 1..) = stderr.read(&mut chunk).await {
        let room = HEARD.saturating_sub(said.len());
        said.extend_from_slice(&chunk[..length.min(room)]);
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
