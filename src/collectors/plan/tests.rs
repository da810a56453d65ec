use super::super::{Override, load};
use super::*;
use crate::document::{Reader, parse};
use crate::server::ExtensionVersion;

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
        extensions: [("pg_buffercache".into(), Extension::default())].into(),
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
    assert!(
        plan.runs
            .iter()
            .all(|run| !run.statement(&[]).contains("${"))
    );
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
            "x.yml:2:11: interval: is shorter than a second\n  hint: write `1s` or more",
            "x.yml:3:11: override: there is no collector `tabels`\n  hint: `pgvigil explain` lists the collectors",
            "x.yml:3:42: override.locks.interval: is shorter than a second\n  hint: write `1s` or more",
        ]
    );
}

const STATEMENTS: &str = "
name: texts
doc: Texts.
extension: texts
queries:
  - {until: 14, extension: '1.8', sql: SELECT 1 AS n}
  - {since: 14, until: 14, extension: '1.10', sql: 'SELECT 2 AS n FROM ${extension}.texts'}
  - {since: 15, sql: SELECT 3 AS n}
metrics: {texts: {from: n, help: Texts.}}
";

#[test]
fn the_statement_follows_the_version_of_the_extension() {
    let collectors = load(&[("texts.yml".into(), STATEMENTS.into())]).unwrap();
    let asked = |major: u32, version: &str| {
        let extension = Extension {
            version: version.parse::<ExtensionVersion>().unwrap(),
            schema: "Odd".into(),
        };
        let facts = Facts {
            extensions: [("texts".into(), extension)].into(),
            ..primary(major)
        };
        let plan = plan(&collectors[collectors.len() - 1..], &facts, &settings(""));
        let sql = plan.runs.first().map(|run| run.sql.to_string());
        sql.unwrap_or_else(|| plan.omitted[0].reason.to_string())
    };
    assert_eq!(asked(13, "1.10"), "SELECT 1 AS n");
    assert_eq!(asked(14, "1.9"), "SELECT 1 AS n");
    assert_eq!(asked(14, "1.11"), "SELECT 2 AS n FROM \"Odd\".texts");
    assert_eq!(asked(15, "1.0"), "SELECT 3 AS n");
    assert_eq!(
        asked(14, "1.7"),
        "extension `texts` is too old at version 1.7; mend with `ALTER EXTENSION texts UPDATE`"
    );
}
