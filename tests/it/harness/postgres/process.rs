//! The processes of a cluster.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::send;

/// Ends the cluster of a test process that was killed, if it still runs there.
pub(in super::super) fn end_abandoned(data: &Path) {
    let status = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let id = status
        .lines()
        .next()
        .and_then(|line| line.trim().parse::<u32>().ok());
    if let Some(id) = id
        && fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|cwd| cwd == data)
    {
        for child in children(id) {
            send(child, Signal::KILL);
        }
        send(id, Signal::KILL);
    }
    release_memory(data);
}

/// A killed server leaves its small System V segment behind; its key and id are in the seventh line of its pid file.
pub(super) fn release_memory(data: &Path) {
    let status = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    if let Some(segment) = status
        .lines()
        .nth(6)
        .and_then(|line| line.split_whitespace().nth(1))
    {
        let _ = Command::new("ipcrm")
            .args(["-m", segment])
            .stderr(Stdio::null())
            .status();
    }
}

/// The processes that it started and that still live.
pub(super) fn children(parent: u32) -> Vec<u32> {
    let parent = parent.to_string();
    let is_child = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // pid (name) state parent …, where the name may hold anything.
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.split_whitespace().nth(1) == Some(&parent))
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(is_child)
        .collect()
}

/// Runs a program to its end; gives what it printed.
pub(super) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
