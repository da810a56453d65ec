//! Child processes that end with the test.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A running child process; SIGTERM, then SIGKILL on drop.
pub struct Daemon {
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Daemon {
    /// Starts it without input and keeps what it prints.
    pub fn spawn(mut command: Command) -> Daemon {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {:?}: {error}", command.get_program()));
        let output = Arc::default();
        let readers = vec![
            collect(child.stdout.take().unwrap(), &output),
            collect(child.stderr.take().unwrap(), &output),
        ];
        Daemon {
            child,
            output,
            readers,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far, standard output and error together.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    /// Its exit code (128 + the signal that ended it), or `None` when it still runs at the deadline.
    pub fn wait(&mut self, deadline: Duration) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.drain();
                return status
                    .code()
                    .or_else(|| status.signal().map(|signal| 128 + signal));
            }
            if start.elapsed() >= deadline {
                return None;
            }
            std::thread::sleep(super::PAUSE);
        }
    }

    /// Lets the readers reach the end of what was printed; a grandchild may keep the pipes open, so not for ever.
    fn drain(&self) {
        let start = Instant::now();
        while !self.readers.iter().all(JoinHandle::is_finished)
            && start.elapsed() < Duration::from_secs(2)
        {
            std::thread::sleep(super::PAUSE);
        }
    }

    /// Sends `TERM`, `INT`, `HUP`, `KILL`, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        send(self.id(), signal(name));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.wait(Duration::ZERO).is_some() {
            return;
        }
        self.signal("CONT");
        self.signal("TERM");
        if self.wait(Duration::from_secs(5)).is_none() {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

fn collect(mut stream: impl Read + Send + 'static, output: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            output.lock().unwrap().extend_from_slice(&buffer[..read]);
        }
    })
}

fn signal(name: &str) -> Signal {
    match name {
        "TERM" => Signal::TERM,
        "INT" => Signal::INT,
        "HUP" => Signal::HUP,
        "QUIT" => Signal::QUIT,
        "KILL" => Signal::KILL,
        "STOP" => Signal::STOP,
        "CONT" => Signal::CONT,
        other => panic!("no such signal: {other}"),
    }
}

/// Signals a process that may be gone already.
pub(super) fn send(id: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(id as i32) {
        let _ = kill_process(pid, signal);
    }
}
