//! What the figures of every benchmark depend on.

use std::fs;

/// How many processors there are, and which.
pub fn processors() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "))
        .map(|(_, model)| model)
        .collect();
    format!("{} x {}", models.len(), models.first().unwrap_or(&"?"))
}

/// How many processes wanted to run, on average, in the last minute.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}
