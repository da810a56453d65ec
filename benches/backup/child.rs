//! A program run to its end, and what that took.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// The most memory it held, in bytes.
    pub peak: u64,
}

/// Memory only grows towards the kernel's record of the most, so a look now and then is enough.
const LOOK: Duration = Duration::from_millis(2);

/// Runs it; it must succeed.
pub fn run(command: &mut Command) -> Cost {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let ended = child.try_wait().unwrap();
        if let Some(ended) = ended {
            assert!(ended.success(), "{command:?}: {ended}");
            return Cost {
                wall: begun.elapsed(),
                peak,
            };
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        peak = most(&text).unwrap_or_default().max(peak);
        std::thread::sleep(LOOK);
    }
}

/// The fastest of several runs: what disturbs only makes slower.
pub fn best_of(runs: usize, mut command: impl FnMut() -> Command) -> Cost {
    let costs = (0..runs).map(|_| run(&mut command()));
    costs.min_by_key(|cost| cost.wall).unwrap()
}

fn most(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
