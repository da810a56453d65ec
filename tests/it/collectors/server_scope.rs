//! Facts of the whole server that need a scene of their own: encryption, lost slots, files, a standby without a slot.

use std::process::{Child, Stdio};

use super::{PATIENCE, collect, connect, value};
use crate::harness::{Authority, Postgres, eventually_async};

/// A client that stays until it is dropped.
struct Sleeper(Child);

impl Sleeper {
    fn of(postgres: &Postgres, ssl_mode: &str) -> Sleeper {
        let mut psql = postgres.command("psql");
        psql.args(["-X", "-c", "SELECT pg_sleep(600)"])
            .env("PGSSLMODE", ssl_mode)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Sleeper(psql.spawn().unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn encrypted_connections_are_told_from_open_ones() {
    let postgres = Postgres::start(18);
    let (certificate, key) = Authority::new().issue(&["localhost"]);
    for (file, text) in [("server.crt", certificate), ("server.key", key)] {
        let lines = text.trim().replace('\n', "'), ('");
        postgres.sql(
            "postgres",
            &format!("COPY (VALUES ('{lines}')) TO PROGRAM 'umask 077; cat > {file}'"),
        );
    }
    postgres.sql(
        "postgres",
        "ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf()",
    );
    eventually_async("TLS is offered", PATIENCE, || async {
        (postgres.sql("postgres", "SHOW ssl") == "on").then_some(())
    })
    .await;
    let _clients = ["require", "disable"].map(|mode| Sleeper::of(&postgres, mode));
    eventually_async("both are counted", PATIENCE, || async {
        let samples = collect(&postgres, &["encryption"], "").await;
        let of = |metric| value(&samples, metric, &[]).unwrap();
        let newest = [("version", "TLSv1.3")];
        let by_cipher = value(&samples, "pg_connections_tls_by_cipher", &newest);
        // The reader itself is the second open one.
        (of("pg_connections_tls") == 1.0
            && by_cipher == Some(1.0)
            && of("pg_connections_unencrypted") == 2.0
            && of("pg_connections_gssapi") == 0.0
            && of("pg_connections_local") == 0.0)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_slot_whose_wal_is_gone_says_so() {
    let settings = [
        "max_slot_wal_keep_size=1MB",
        "max_wal_size=32MB",
        "min_wal_size=32MB",
    ];
    let postgres = Postgres::with(18, &settings);
    postgres.sql(
        "postgres",
        "SELECT pg_create_physical_replication_slot('left_behind', true);
         SELECT pg_switch_wal();
         CHECKPOINT;
         CREATE TABLE t (n int);
         SELECT pg_switch_wal();
         CHECKPOINT",
    );
    let samples = collect(&postgres, &["replication_slots"], "").await;
    let of = |metric, label, text| {
        let labels = [("slot_name", "left_behind"), (label, text)];
        value(&samples, metric, &labels)
    };
    let status = "pg_replication_slots_wal_status";
    assert_eq!(of(status, "wal_status", "lost"), Some(1.0));
    let reason = "pg_replication_slots_invalidation_reason";
    assert_eq!(of(reason, "invalidation_reason", "wal_removed"), Some(1.0));
    let kept = "pg_replication_slots_retained_wal_bytes";
    assert_eq!(of(kept, "slot_type", "physical"), None);
}

#[tokio::test]
async fn temporary_files_are_seen_while_they_are_there() {
    let postgres = Postgres::with(15, &["work_mem=64kB"]);
    let place = [("tablespace", "pg_default")];
    let none = collect(&postgres, &["temporary_files"], "").await;
    assert_eq!(value(&none, "pg_temporary_files", &place), Some(0.0));
    let sorting = connect(&postgres, "postgres", "postgres").await;
    sorting
        .batch_execute(
            "BEGIN;
             DECLARE sorted CURSOR FOR SELECT n FROM generate_series(1, 100000) AS n ORDER BY n DESC;
             FETCH sorted",
        )
        .await
        .unwrap();
    let some = collect(&postgres, &["temporary_files"], "").await;
    assert!(value(&some, "pg_temporary_files", &place) >= Some(1.0));
    assert!(value(&some, "pg_temporary_files_bytes", &place) > Some(100_000.0));
}

#[tokio::test]
async fn a_standby_without_a_slot_shows_its_receiver_and_its_timeline() {
    let primary = Postgres::start(18);
    let standby = primary.standby();
    let samples = collect(&standby, &["wal_receiver", "timeline"], "").await;
    let receiver = [
        ("slot_name", ""),
        ("status", "streaming"),
        ("upstream_host", "127.0.0.1"),
    ];
    for metric in [
        "pg_stat_wal_receiver_flushed_lsn",
        "pg_stat_wal_receiver_received_tli",
        "pg_stat_wal_receiver_last_msg_receipt_time",
    ] {
        assert!(value(&samples, metric, &receiver).is_some(), "{metric}");
    }
    assert_eq!(value(&samples, "pg_timeline", &[]), Some(1.0));
    standby.sql("postgres", "SELECT pg_promote()");
    let promoted = collect(&standby, &["timeline"], "").await;
    assert_eq!(value(&promoted, "pg_timeline", &[]), Some(2.0));
}

/// How far WAL is archived and written, in segments of 16 MiB.
async fn archived_and_written(postgres: &Postgres) -> (f64, f64) {
    let samples = collect(postgres, &["wal_archived", "wal_position"], "").await;
    let of = |metric| value(&samples, metric, &[]).unwrap() / f64::from(16 << 20);
    (
        of("pg_wal_archived_position_bytes"),
        of("pg_wal_position_bytes"),
    )
}

#[tokio::test]
async fn what_waits_says_how_far_wal_is_archived() {
    let settings = ["archive_mode=on", "archive_command=", "autovacuum=off"];
    let postgres = Postgres::with(13, &settings);
    let waits = |name: &str| {
        let touch =
            format!("COPY (SELECT 1) TO PROGRAM 'touch pg_wal/archive_status/{name}.ready'");
        postgres.sql("postgres", &touch);
    };
    let command = |command: &str| {
        let change =
            format!("ALTER SYSTEM SET archive_command = '{command}'; SELECT pg_reload_conf()");
        postgres.sql("postgres", &change);
    };
    let (begun, written) = archived_and_written(&postgres).await;
    assert!(begun == written.floor(), "nothing waits: {begun} {written}");
    // Neither is a segment.
    waits("00000002.history");
    waits("000000010000000000000001.00000028.backup");
    assert_eq!(archived_and_written(&postgres).await.0, begun);
    for _ in 0..2 {
        postgres.sql(
            "postgres",
            "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal()",
        );
    }
    let (archived, written) = archived_and_written(&postgres).await;
    assert_eq!((archived, written.floor()), (begun, begun + 2.0));
    // The file of the timeline is there in name alone.
    postgres.sql(
        "postgres",
        "COPY (SELECT 1) TO PROGRAM 'rm pg_wal/archive_status/*.history.ready pg_wal/archive_status/*.backup.ready'",
    );
    command("true");
    eventually_async(
        "all is archived, and nothing is written beyond",
        PATIENCE,
        || async {
            let (archived, written) = archived_and_written(&postgres).await;
            postgres.sql(
                "postgres",
                "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal()",
            );
            (archived >= begun + 2.0 && archived == written).then_some(())
        },
    )
    .await;
    // Where one timeline ended, and the next goes on.
    command("");
    waits("000000010000000000000001.partial");
    assert_eq!(archived_and_written(&postgres).await.0, 1.0);
}
