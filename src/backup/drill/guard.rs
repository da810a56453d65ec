//! What stands before each program of a drill: this very program, under another name. It takes the network away, becomes
//! the user who runs the cluster, asks the kernel to end it when the thread of the drill is gone, and becomes the program.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{Gid, Uid};
use rustix::thread::{UnshareFlags, set_thread_gid, set_thread_groups, set_thread_uid};

use super::folder::Owner;

/// The name of the guard among the subcommands.
pub(crate) const GUARD: &str = "guard";

/// What the guard ends with when a program cannot be run.
pub(crate) const NOT_RUN: u8 = 127;

/// What a guard sees to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Orders {
    /// The process that the program must not outlive.
    pub(crate) parent: u32,
    /// Who runs it: a user and a group, when they are not ours.
    pub(crate) owner: Owner,
    /// Whether it is a server, which ends its own processes when it is told to.
    pub(crate) is_server: bool,
    /// Whether it has no network.
    pub(crate) is_alone: bool,
}

impl Orders {
    /// As the guard reads them from its arguments.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![GUARD.into(), format!("--parent={}", self.parent)];
        if let Some((user, group)) = self.owner {
            words.extend([format!("--user={user}"), format!("--group={group}")]);
        }
        for (name, is_so) in [("--server", self.is_server), ("--alone", self.is_alone)] {
            words.extend(is_so.then(|| name.into()));
        }
        words
    }
}

/// Becomes another program, of the lowest priority.
///
/// # Errors
/// Why it cannot; nothing is returned otherwise.
pub(crate) fn become_guarded(orders: &Orders, words: &[OsString]) -> io::Error {
    if let Err(error) = prepare(orders) {
        return error;
    }
    // It may have ended before it was asked for.
    let is_ours = rustix::process::getppid()
        .is_some_and(|id| id.as_raw_nonzero().get() as u32 == orders.parent);
    let Some((program, arguments)) = words.split_first().filter(|_| is_ours) else {
        return io::Error::other("is started by drills alone");
    };
    let _ = rustix::process::nice(19);
    // Its absence is no reason not to drill.
    let _ = Command::new("ionice")
        .args(["-t", "-c", "3"])
        .args(words)
        .exec();
    Command::new(program).args(arguments).exec()
}

fn prepare(orders: &Orders) -> io::Result<()> {
    if orders.is_alone {
        leave_network()?;
    }
    if let Some((user, group)) = orders.owner {
        set_thread_groups(&[])?;
        set_thread_gid(Gid::from_raw(group))?;
        set_thread_uid(Uid::from_raw(user))?;
    }
    let farewell = if orders.is_server {
        Signal::QUIT
    } else {
        Signal::KILL
    };
    // Last, because whoever changes its user loses it.
    Ok(set_parent_process_death_signal(Some(farewell))?)
}

/// From here on there is a network without any address, not even this machine's own. Sockets in folders are still reached.
fn leave_network() -> io::Result<()> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    if user.is_root() {
        return unshare(UnshareFlags::NEWNET);
    }
    // Who is not root may do so where it is root, and is itself again as soon as another program runs.
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET)?;
    let (user, group) = (user.as_raw(), group.as_raw());
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

#[expect(
    deprecated,
    reason = "it is sound without `FILES`, and its successor is unsafe to call"
)]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    Ok(rustix::thread::unshare(flags)?)
}
