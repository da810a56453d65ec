//! Decides from a server's facts what runs there, and says in words why the rest does not.

use std::sync::Arc;
use std::time::Duration;

use super::{Cadence, Collector, Reason, Role, Scope, Settings};
use crate::server::{Facts, Lane, quoted};

/// What runs on one server, in the order of the catalogue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The collectors that run.
    pub runs: Vec<Run>,
    /// Those that do not.
    pub omitted: Vec<Omission>,
}

/// One collector as it runs on one server.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The collector, to turn its answer into samples with.
    pub collector: Arc<Collector>,
    /// The statement for this server's version, with the settings filled in.
    pub sql: Arc<str>,
    /// How often it is read.
    pub interval: Duration,
    /// The most the statement may take.
    pub timeout: Duration,
    /// Which connection reads it; database scope is always slow.
    pub lane: Lane,
    /// The databases to read it in; empty for server scope, which is read in the configured one.
    pub databases: Vec<String>,
}

/// A collector that does not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Omission {
    /// The collector.
    pub collector: Arc<Collector>,
    /// Why.
    pub reason: Reason,
}

/// Plans what runs on a server with these facts.
pub fn plan(collectors: &[Arc<Collector>], facts: &Facts, settings: &Settings) -> Plan {
    let mut plan = Plan::default();
    for collector in collectors {
        match admit(collector, facts, settings) {
            Ok(run) => plan.runs.push(run),
            Err(reason) => plan.omitted.push(Omission {
                collector: collector.clone(),
                reason,
            }),
        }
    }
    plan
}

fn admit(collector: &Arc<Collector>, facts: &Facts, settings: &Settings) -> Result<Run, Reason> {
    let named = |names: &[String]| names.iter().any(|name| **name == *collector.name);
    if named(&settings.disable) {
        return Err(Reason::Disabled);
    }
    if !collector.enabled && !named(&settings.enable) {
        return Err(Reason::NotEnabled);
    }
    let major = facts.major();
    let query = collector.query(major).ok_or_else(|| Reason::Version {
        since: collector
            .queries
            .iter()
            .map(|query| query.since)
            .min()
            .unwrap_or_default(),
        major,
    })?;
    match (collector.on, facts.standby) {
        (Role::Primary, true) | (Role::Standby, false) => return Err(Reason::Role(collector.on)),
        _ => {}
    }
    if let Some(name) = collector
        .extension
        .iter()
        .find(|name| !facts.extensions.contains(*name))
    {
        return Err(Reason::Extension {
            name: name.clone(),
            database: facts.database.clone(),
        });
    }
    if let Some(missing) = &collector.privilege
        && !facts.superuser
        && !facts.privileges.contains(&missing.role)
    {
        let grant = format!("GRANT {} TO {}", missing.role, quoted(&facts.user));
        return Err(Reason::Privilege {
            missing: missing.clone(),
            grant,
        });
    }
    Ok(run(collector, &query.sql, facts, settings))
}

fn run(collector: &Arc<Collector>, sql: &str, facts: &Facts, settings: &Settings) -> Run {
    let changes = settings.changes(&collector.name);
    let declared = match collector.interval {
        Cadence::Times(times) => settings.interval * times,
        Cadence::Every(interval) => interval,
    };
    let (lane, databases) = match collector.scope {
        Scope::Server => (collector.lane, Vec::new()),
        Scope::Database => (Lane::Visit, facts.databases.clone()),
    };
    Run {
        collector: collector.clone(),
        sql: with_parameters(sql, settings).into(),
        interval: changes.interval.unwrap_or(declared),
        timeout: changes
            .timeout
            .or(collector.timeout)
            .unwrap_or(settings.timeout),
        lane,
        databases,
    }
}

/// Every `${NAME}` is known and its value a number: both were seen to when the file was read.
fn with_parameters(sql: &str, settings: &Settings) -> String {
    let mut filled = sql.to_owned();
    for name in super::settings::PARAMETERS {
        if let Some(value) = settings.parameter(name) {
            filled = filled.replace(&format!("${{{name}}}"), &value);
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::super::{Override, load};
    use super::*;
    use crate::document::{Reader, parse};

    fn settings(text: &str) -> Settings {
        let reader = Reader::new(None);
        let read = reader.read(&parse("x.yml", text).unwrap(), Settings::read);
        assert_eq!(reader.problems(), []);
        read
    }

    fn primary(major: u32) -> Facts {
        Facts {
            version: major * 10_000 + 4,
            user: "Ops \"1\"".into(),
            privileges: ["pg_read_all_stats", "pg_monitor"].map(String::from).into(),
            database: "app".into(),
            databases: vec!["app".into(), "Odd Name".into()],
            ..Facts::default()
        }
    }

    fn planned(facts: &Facts, written: &str) -> Plan {
        plan(&load(&[]).unwrap(), facts, &settings(written))
    }

    fn reason(facts: &Facts, written: &str, name: &str) -> Option<String> {
        let omitted = planned(facts, written).omitted;
        let found = omitted
            .iter()
            .find(|omission| &*omission.collector.name == name);
        found.map(|omission| omission.reason.to_string())
    }

    #[test]
    fn each_omission_says_why() {
        let standby = Facts {
            standby: true,
            ..primary(18)
        };
        let stranger = Facts {
            privileges: Default::default(),
            ..primary(18)
        };
        let superuser = Facts {
            superuser: true,
            ..stranger.clone()
        };
        let extended = Facts {
            extensions: ["pg_buffercache".into()].into(),
            ..primary(18)
        };
        let buffers = "enable: [buffercache_summary]";
        let cases = [
            (
                &primary(18),
                "disable: [locks]",
                "locks",
                "disabled by `collect.disable`",
            ),
            (&primary(18), "", "locks", ""),
            (
                &primary(18),
                "",
                "buffercache_summary",
                "off by default; name it in `collect.enable`",
            ),
            (
                &primary(18),
                buffers,
                "buffercache_summary",
                "extension `pg_buffercache` is not installed in database `app`",
            ),
            (&extended, buffers, "buffercache_summary", ""),
            (
                &primary(15),
                "",
                "checkpointer",
                "needs PostgreSQL 17 or later; this is 15",
            ),
            (
                &primary(12),
                "",
                "locks",
                "needs PostgreSQL 13 or later; this is 12",
            ),
            (&primary(17), "", "checkpointer", ""),
            (&primary(18), "", "wal_receiver", "runs on standbys only"),
            (&standby, "", "wal_receiver", ""),
            (
                &stranger,
                "",
                "wal",
                "without it the WAL directory may not be listed; mend with `GRANT pg_monitor TO \"Ops \"\"1\"\"\"`",
            ),
            (&superuser, "", "wal", ""),
        ];
        for (facts, written, name, expected) in cases {
            assert_eq!(
                reason(facts, written, name).unwrap_or_default(),
                expected,
                "{name}: {written}"
            );
        }
    }

    #[test]
    fn runs_follow_settings_and_scope() {
        let written = "interval: 10s\ntimeout: 3s\nlong_query: 90s500ms\noverride: {locks: {interval: 1m, timeout: 1s}}";
        let plan = planned(&primary(15), written);
        let run = |name: &str| {
            plan.runs
                .iter()
                .find(|run| &*run.collector.name == name)
                .unwrap()
        };
        let seconds = |run: &Run| (run.interval.as_secs(), run.timeout.as_secs());
        assert_eq!(seconds(run("activity")), (10, 3));
        assert_eq!(seconds(run("locks")), (60, 1));
        assert_eq!(seconds(run("table_sizes")), (200, 30));
        assert_eq!(run("table_sizes").lane, Lane::Visit);
        assert_eq!(run("table_sizes").databases, ["app", "Odd Name"]);
        assert_eq!(run("database_sizes").lane, Lane::Visit);
        assert!(run("database_sizes").databases.is_empty());
        assert!(run("sessions").sql.contains("query_age > 90.5"));
        assert!(plan.runs.iter().all(|run| !run.sql.contains("${")));
        assert!(!run("indexes").sql.contains("last_idx_scan"));
    }

    #[test]
    fn a_name_that_does_not_exist_is_a_mistake() {
        let reader = Reader::new(None);
        let root = parse(
            "x.yml",
            "disable: [lock]\ninterval: 0\noverride: {tabels: {}, locks: {interval: 0}}",
        )
        .unwrap();
        let read = reader.read(&root, Settings::read);
        assert_eq!(read.changes("tabels"), Override::default());
        let problems: Vec<String> = reader
            .problems()
            .iter()
            .map(|problem| problem.to_string())
            .collect();
        assert_eq!(
            problems,
            [
                "x.yml:1:10: disable: there is no collector `lock`\n  hint: `pgvigil explain` lists the collectors",
                "x.yml:2:11: interval: must be longer than zero",
                "x.yml:3:11: override: there is no collector `tabels`\n  hint: `pgvigil explain` lists the collectors",
                "x.yml:3:42: override.locks.interval: must be longer than zero",
            ]
        );
    }
}
