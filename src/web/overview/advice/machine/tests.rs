use super::*;

/// Settings as installed on a machine of so many GiB.
fn installed(memory: Option<f64>) -> Machine {
    let settings = [
        ("archive_timeout_seconds", 0.0),
        ("autovacuum", 1.0),
        ("checkpoint_completion_target", 0.9),
        ("data_checksums", 1.0),
        ("effective_cache_size_bytes", 4.0 * GIB),
        ("effective_io_concurrency", 16.0),
        ("fsync", 1.0),
        ("full_page_writes", 1.0),
        ("idle_in_transaction_session_timeout_seconds", 600.0),
        ("log_lock_waits", 1.0),
        ("maintenance_work_mem_bytes", 64.0 * MIB),
        ("max_connections", 100.0),
        ("max_wal_size_bytes", GIB),
        ("random_page_cost", 1.1),
        ("shared_buffers_bytes", 128.0 * MIB),
        ("track_counts", 1.0),
        ("track_io_timing", 1.0),
        ("wal_buffers_bytes", 4.0 * MIB),
        ("work_mem_bytes", 4.0 * MIB),
    ];
    let each = settings.iter();
    Machine {
        server: "rachel".into(),
        settings: each
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect(),
        memory: memory.map(|gib| gib * GIB),
        checkpoints: Some((0.0, 72.0)),
        spilled: Some(0.0),
        may_lose: None,
    }
}

fn with(mut machine: Machine, changes: &[(&str, f64)]) -> Machine {
    for (name, value) in changes {
        machine.settings.insert((*name).to_owned(), *value);
    }
    machine
}

fn tuned() -> Machine {
    let changes = [
        ("shared_buffers_bytes", 4.0 * GIB),
        ("effective_cache_size_bytes", 12.0 * GIB),
        ("maintenance_work_mem_bytes", GIB),
        ("wal_buffers_bytes", 16.0 * MIB),
        ("work_mem_bytes", 32.0 * MIB),
    ];
    with(installed(Some(16.0)), &changes)
}

fn check(machine: &Machine, expected: &[(&str, Tone, &str)]) {
    let findings = machine.findings();
    let found: Vec<_> = findings
        .iter()
        .map(|finding| (&*finding.name, finding.tone, &*finding.statement))
        .collect();
    assert_eq!(found, expected, "{findings:#?}");
}

#[test]
fn a_tuned_server_is_left_alone() {
    check(&tuned(), &[]);
}

#[test]
fn what_was_never_tuned_is_measured_against_the_memory() {
    use Tone::{Info, Warning};
    let expected = [
        (
            "shared_buffers",
            Warning,
            "ALTER SYSTEM SET shared_buffers = '4GB'; -- then restart the server",
        ),
        (
            "effective_cache_size",
            Info,
            "ALTER SYSTEM SET effective_cache_size = '12GB'; SELECT pg_reload_conf();",
        ),
        (
            "maintenance_work_mem",
            Info,
            "ALTER SYSTEM SET maintenance_work_mem = '819MB'; SELECT pg_reload_conf();",
        ),
    ];
    check(&installed(Some(16.0)), &expected);
}

#[test]
fn without_the_memory_no_number_is_made_up() {
    check(&installed(None), &[("shared_buffers", Tone::Info, "")]);
}

#[test]
fn each_setting_has_its_judge() {
    use Tone::{Critical, Info, Warning};
    let cases: [(&str, f64, Tone, &str); 14] = [
        ("fsync", 0.0, Critical, "fsync = 'on'"),
        ("full_page_writes", 0.0, Critical, "full_page_writes = 'on'"),
        ("autovacuum", 0.0, Critical, "autovacuum = 'on'"),
        ("track_counts", 0.0, Critical, "track_counts = 'on'"),
        (
            "shared_buffers_bytes",
            9.0 * GIB,
            Info,
            "shared_buffers = '4GB'",
        ),
        (
            "effective_cache_size_bytes",
            32.0 * GIB,
            Info,
            "effective_cache_size = '12GB'",
        ),
        ("work_mem_bytes", GIB, Warning, "work_mem = '40MB'"),
        ("wal_buffers_bytes", 4.0 * MIB, Info, "wal_buffers = '16MB'"),
        (
            "checkpoint_completion_target",
            0.5,
            Info,
            "checkpoint_completion_target = '0.9'",
        ),
        ("random_page_cost", 4.0, Info, "random_page_cost = '1.1'"),
        (
            "effective_io_concurrency",
            1.0,
            Info,
            "effective_io_concurrency = '200'",
        ),
        (
            "idle_in_transaction_session_timeout_seconds",
            0.0,
            Info,
            "= '10min'",
        ),
        ("track_io_timing", 0.0, Info, "track_io_timing = 'on'"),
        ("data_checksums", 0.0, Info, "pg_checksums --enable"),
    ];
    for (name, value, tone, statement) in cases {
        let findings = with(tuned(), &[(name, value)]).findings();
        let [finding] = &findings[..] else {
            panic!("{name}: {findings:#?}");
        };
        assert_eq!(finding.tone, tone, "{name}");
        assert!(finding.statement.contains(statement), "{finding:?}");
    }
}

#[test]
fn sessions_that_the_memory_cannot_hold_should_be_fewer() {
    let machine = with(
        tuned(),
        &[("max_connections", 5_000.0), ("work_mem_bytes", 4.0 * MIB)],
    );
    let findings = machine.findings();
    assert_eq!(findings[0].name, "max_connections");
    assert!(findings[0].statement.contains("'1024'"), "{findings:#?}");
}

#[test]
fn checkpoints_that_are_forced_ask_for_more_wal_and_spilled_sorts_for_more_memory() {
    let machine = Machine {
        checkpoints: Some((40.0, 10.0)),
        spilled: Some(GIB),
        ..with(tuned(), &[("work_mem_bytes", 4.0 * MIB)])
    };
    let expected = [
        (
            "work_mem",
            Tone::Info,
            "ALTER SYSTEM SET work_mem = '40MB'; SELECT pg_reload_conf();",
        ),
        (
            "max_wal_size",
            Tone::Warning,
            "ALTER SYSTEM SET max_wal_size = '2048MB'; SELECT pg_reload_conf();",
        ),
    ];
    check(&machine, &expected);
}

#[test]
fn archive_timeout_is_measured_against_what_may_be_lost() {
    let of = |timeout: f64, may_lose: Option<f64>| {
        let machine = Machine {
            may_lose,
            ..with(tuned(), &[("archive_timeout_seconds", timeout)])
        };
        let findings = machine.findings();
        let statements = findings.into_iter().map(|finding| finding.statement);
        statements.collect::<String>()
    };
    let set = |value: &str| {
        format!("ALTER SYSTEM SET archive_timeout = '{value}'; SELECT pg_reload_conf();")
    };
    let cases = [
        (0.0, None, String::new()),
        (0.0, Some(300.0), set("60s")),
        (150.0, Some(300.0), String::new()),
        (300.0, Some(300.0), set("60s")),
        (300.0, Some(3600.0), String::new()),
        (60.0, Some(60.0), set("12s")),
    ];
    for (timeout, may_lose, statement) in cases {
        assert_eq!(of(timeout, may_lose), statement, "{timeout} {may_lose:?}");
    }
}
