//! What the kernel says of processes: their memory and their processor time.

use std::fs;

/// A line of `/proc/PID/status`, in MB.
pub fn memory(pid: u32, line: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes = value.and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap() * 1024.0 / 1e6
}

/// Seconds of processor time that a process has used.
pub fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    Usage::of(&stat).map_or(0.0, |usage| usage.own as f64 / TICKS)
}

/// Seconds that a postmaster and its children have used, those that have ended included and `but` left out.
pub fn cpu_of_all(postmaster: u32, but: u32) -> f64 {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let usages = processes
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|stat| Usage::of(&stat));
    let ticks: u64 = usages
        .filter(|usage| usage.pid != but)
        .map(|usage| match usage {
            Usage { pid, .. } if pid == postmaster => usage.own + usage.ended_children,
            Usage { parent, .. } if parent == postmaster => usage.own,
            _ => 0,
        })
        .sum();
    ticks as f64 / TICKS
}

/// The kernel counts in hundredths of a second on every architecture we know.
const TICKS: f64 = 100.0;

struct Usage {
    pid: u32,
    parent: u32,
    own: u64,
    ended_children: u64,
}

impl Usage {
    fn of(stat: &str) -> Option<Usage> {
        let (head, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let sum = |places: [usize; 2]| -> u64 {
            let numbers = places.map(|place| fields.get(place)?.parse::<u64>().ok());
            numbers.into_iter().flatten().sum()
        };
        Some(Usage {
            pid: head.split(' ').next()?.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            own: sum([11, 12]),
            ended_children: sum([13, 14]),
        })
    }
}
