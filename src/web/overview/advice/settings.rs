//! Settings of each server, read from the store.

use std::collections::BTreeMap;

use super::machine::{Machine, SETTINGS};
use super::{Desk, Finding, Topic};
use crate::backup::USUAL_OBJECTIVE;
use crate::web::overview::Tone;
use crate::web::overview::facts::values;

const PREFIX: &str = "pg_settings_";

pub(super) fn settings(desk: &Desk) -> Topic {
    let machines = machines(desk);
    let silent = machines.values().filter(|machine| machine.memory.is_none());
    let silent = silent.map(|machine| {
        format!(
            "{}: the memory of its machine, so nothing is said of the settings that follow from it; write it as `memory` beside the server's `url`",
            machine.server
        )
    });
    let unknown = desk.unknown("settings").into_iter().chain(silent).collect();
    let mut findings: Vec<Finding> = machines.values().flat_map(Machine::findings).collect();
    findings.extend(waiting(desk));
    Topic {
        id: "settings",
        title: "Settings",
        meaning: "What PostgreSQL is installed with fits a small machine; these differ from what its documentation and experience advise.",
        doubt: "A start, not a law: measure before and after, one change at a time. The machine's memory is this machine's where the server is reached by a socket or a loopback address: behind a tunnel, or in a container with a limit of its own, it is another. pgvigil does not see the disks. Settings that are words, such as synchronous_commit or wal_level, are not looked at. In a managed service they are set in its console, not by ALTER SYSTEM.",
        findings,
        unknown,
        ..Topic::default()
    }
}

fn machines(desk: &Desk) -> BTreeMap<String, Machine> {
    let mut machines: BTreeMap<String, Machine> = BTreeMap::new();
    let names = SETTINGS.join("|");
    for element in desk.elements(&format!("{{__name__=~\"{PREFIX}(?:{names})\"}}")) {
        let server = element.labels.get("instance").to_owned();
        let name = element
            .labels
            .metric()
            .trim_start_matches(PREFIX)
            .to_owned();
        let machine = machines.entry(server.clone()).or_default();
        machine.server = server;
        machine.settings.insert(name, element.value);
    }
    let read = |expression: &str| values(desk.store, expression, "instance", desk.now);
    let memory = read("max by (instance) (pgvigil_server_memory_bytes)");
    let asked = read(
        "sum by (instance) (increase(pg_stat_bgwriter_checkpoints_req_total[6h])) \
         or sum by (instance) (increase(pg_stat_checkpointer_num_requested_total[6h]))",
    );
    let on_time = read(
        "sum by (instance) (increase(pg_stat_bgwriter_checkpoints_timed_total[6h])) \
         or sum by (instance) (increase(pg_stat_checkpointer_num_timed_total[6h]))",
    );
    let spilled = read("sum by (instance) (increase(pg_stat_database_temp_bytes[1h]))");
    let usual = USUAL_OBJECTIVE.as_secs();
    // The usual where no source that shows the archive was promised anything.
    let may_lose = read(&format!(
        "min by (instance) (pg_backup_recovery_point_objective_seconds and pg_backup_wal_behind_segments) \
         or min by (instance) (0 * pg_wal_archived_position_bytes + {usual})"
    ));
    let archiving = read("max by (instance) (pg_wal_archived_position_bytes)");
    for (server, machine) in &mut machines {
        machine.may_lose = may_lose.get(server).copied();
        machine.may_lose = machine.may_lose.filter(|_| archiving.contains_key(server));
        machine.memory = memory.get(server).copied();
        machine.checkpoints = asked.get(server).copied().zip(on_time.get(server).copied());
        machine.spilled = spilled.get(server).copied();
    }
    machines
}

/// What was changed and waits for a restart.
fn waiting(desk: &Desk) -> Vec<Finding> {
    let settings = desk.elements("pg_pending_restart_setting");
    let each = settings.iter().map(|element| Finding {
        server: element.labels.get("instance").to_owned(),
        name: element.labels.get("name").to_owned(),
        what: "changed, but the new value waits for a restart".into(),
        tone: Tone::Info,
        ..Finding::default()
    });
    each.collect()
}
