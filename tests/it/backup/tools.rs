//! Sources that are tools: what goes wrong with asking them, by stand-ins; and the tools themselves.

mod barman;
mod pgbackrest;
mod stand_in;

use std::process::Command;

use pgvigil::backup::{Backup, Facts, Sighting};

use super::watched::Watched;

pub use barman::Home as BarmanHome;

/// What a source showed last.
fn facts(watched: &Watched, source: &str) -> Option<Facts> {
    let records = watched.records.all();
    let record = records
        .iter()
        .find(|record| record.settings.name == source)?;
    Some(record.facts.clone())
}

fn sighting(watched: &Watched, source: &str) -> Option<Sighting> {
    facts(watched, source)?.sighting
}

fn backups(facts: &Facts) -> &[Backup] {
    let sighting = facts.sighting.as_ref();
    sighting.map_or(&[], |sighting| &sighting.backups)
}

fn complaints(facts: &Facts) -> &[String] {
    let sighting = facts.sighting.as_ref();
    sighting.map_or(&[], |sighting| &sighting.complaints)
}

/// Runs a program to its end; gives what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}\n{said}");
    said
}

/// Whether a process lives and is not merely waited for.
fn is_alive(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = status
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next());
    !matches!(state, None | Some('Z'))
}
