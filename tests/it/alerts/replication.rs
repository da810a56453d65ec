//! A primary and its standby: slots, lags, subscriptions, and a promotion that nobody wanted.

use std::process::Command;

use super::watch::Watch;
use super::{Case, PATIENCE, lowered, real};
use crate::harness::{Daemon, Postgres, eventually};

pub(super) const CASES: &[Case] = &[
    real("PostgresqlSlotInactive/warning"),
    real("PostgresqlSlotInactive/critical"),
    lowered("PostgresqlSlotRetainsWal/warning", 1e6),
    lowered("PostgresqlSlotRetainsWal/critical", 2e6),
    real("PostgresqlSlotNearLimit/warning"),
    real("PostgresqlSlotNearLimit/critical"),
    real("PostgresqlSlotWalStatus/warning"),
    real("PostgresqlSlotWalStatus/critical"),
    real("PostgresqlSynchronousStandbyMissing/critical"),
    lowered("PostgresqlReplicationLagSeconds/warning", 1.0),
    lowered("PostgresqlReplicationLagSeconds/critical", 2.0),
    lowered("PostgresqlReplicationLagBytes/warning", 1e6),
    lowered("PostgresqlReplicationLagBytes/critical", 2e6),
    lowered("PostgresqlReplayPaused/warning", 1.0),
    lowered("PostgresqlReplayPaused/critical", 2.0),
    real("PostgresqlWalReceiverDown/critical"),
    real("PostgresqlStandbyGone/warning"),
    real("PostgresqlStandbyGone/critical"),
    real("PostgresqlSubscriptionErrors/warning"),
    real("PostgresqlSubscriptionDown/critical"),
    real("PostgresqlRoleChanged/warning"),
    real("PostgresqlTimelineChanged/info"),
    real("PostgresqlTwoPrimaries/critical"),
    real("PostgresqlDown/critical"),
];

const SETTINGS: [&str; 6] = [
    "wal_level=logical",
    "max_wal_size=1GB",
    "checkpoint_timeout=1h",
    "wal_retrieve_retry_interval=500ms",
    "max_slot_wal_keep_size=-1",
    "wal_receiver_status_interval=1s",
];

/// Those that a part of the scene is about.
fn about(part: &[&str]) -> Vec<&'static str> {
    let names = CASES.iter().map(|case| case.rule);
    names
        .filter(|rule| {
            part.iter()
                .any(|name| rule.starts_with(&format!("Postgresql{name}/")))
        })
        .collect()
}

#[test]
fn a_primary_and_its_standby() {
    let primary = Postgres::with(17, &SETTINGS);
    let standby = primary.standby();
    let servers = |primary: &Postgres| {
        format!(
            "servers:\n  - {{name: one, url: '{}'}}\n  - {{name: two, url: '{}'}}\n",
            primary.url("postgres", "postgres"),
            standby.url("postgres", "postgres")
        )
    };
    let watch = Watch::over(CASES, &servers(&primary), "", &[]);
    watch.knows("pg_replication_standbys{server=\"one\"} == 1");
    slots(&primary, &watch);
    lags(&primary, &standby, &watch);
    subscriptions(&primary, &watch);
    gone(&primary, &standby, &watch);
    promoted(&primary, &standby, &watch);
    watch.finish();
}

/// Writes so many WAL files.
fn write(primary: &Postgres, files: usize) {
    for _ in 0..files {
        primary.sql(
            "postgres",
            "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal()",
        );
    }
}

fn set(server: &Postgres, setting: &str) {
    server.sql(
        "postgres",
        &format!("ALTER SYSTEM {setting}; SELECT pg_reload_conf()"),
    );
}

fn slots(primary: &Postgres, watch: &Watch) {
    primary.sql(
        "postgres",
        "SELECT pg_create_physical_replication_slot('forgotten', true)",
    );
    write(primary, 2);
    let kept = about(&["SlotRetainsWal"]);
    watch.fires(&kept);
    watch.fires(&about(&["SlotInactive"]));
    set(primary, "SET max_slot_wal_keep_size = '32MB'");
    watch.clears(&kept);
    watch.fires(&about(&["SlotNearLimit"]));
    write(primary, 4);
    watch.fires(&["PostgresqlSlotWalStatus/warning"]);
    primary.sql("postgres", "CHECKPOINT");
    watch.fires(&["PostgresqlSlotWalStatus/critical"]);
    primary.sql("postgres", "SELECT pg_drop_replication_slot('forgotten')");
    watch.clears(&about(&["SlotNearLimit", "SlotWalStatus", "SlotInactive"]));
    set(primary, "RESET max_slot_wal_keep_size");
    let missing = about(&["SynchronousStandbyMissing"]);
    set(primary, "SET synchronous_standby_names = 'ghost'");
    watch.fires(&missing);
    set(primary, "RESET synchronous_standby_names");
    watch.clears(&missing);
}

fn lags(primary: &Postgres, standby: &Postgres, watch: &Watch) {
    let behind = about(&[
        "ReplicationLagSeconds",
        "ReplicationLagBytes",
        "ReplayPaused",
    ]);
    standby.sql("postgres", "SELECT pg_wal_replay_pause()");
    primary.sql(
        "postgres",
        "CREATE TABLE t AS SELECT generate_series(1, 100000) AS id",
    );
    watch.fires(&behind);
    standby.sql("postgres", "SELECT pg_wal_replay_resume()");
    watch.clears(&behind);
}

/// From one database of the primary to another.
fn subscriptions(primary: &Postgres, watch: &Watch) {
    primary.sql(
        "postgres",
        "CREATE DATABASE source; CREATE DATABASE target;",
    );
    primary.sql(
        "source",
        "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t;
         SELECT pg_create_logical_replication_slot('s', 'pgoutput')",
    );
    let conninfo = |port: u16| format!("host=127.0.0.1 port={port} user=postgres dbname=source");
    primary.sql(
        "target",
        &format!(
            "CREATE TABLE t (id int PRIMARY KEY);
             CREATE SUBSCRIPTION s CONNECTION '{}' PUBLICATION p WITH (create_slot = false, copy_data = false)",
            conninfo(primary.port())
        ),
    );
    watch.knows("pg_stat_subscription_stats_apply_error_count_total");
    primary.sql("target", "INSERT INTO t VALUES (1)");
    primary.sql("source", "INSERT INTO t VALUES (1)");
    watch.fires(&about(&["SubscriptionErrors"]));
    primary.sql("target", "DELETE FROM t");
    eventually("the row comes through", PATIENCE, || {
        (primary.sql("target", "SELECT count(*) FROM t") == "1").then_some(())
    });
    let down = about(&["SubscriptionDown"]);
    let change = |port| format!("ALTER SUBSCRIPTION s CONNECTION '{}'", conninfo(port));
    primary.sql("target", &change(1));
    watch.fires(&down);
    primary.sql("target", &change(primary.port()));
    watch.clears(&down);
    primary.sql("target", "DROP SUBSCRIPTION s");
}

/// The standby leaves while another one stays, which leaves then, too.
fn gone(primary: &Postgres, standby: &Postgres, watch: &Watch) {
    let second = receiver(primary);
    watch.knows("pg_replication_standbys{server=\"one\"} == 2");
    set(standby, "SET primary_conninfo = ''");
    watch.fires(&[
        "PostgresqlStandbyGone/warning",
        "PostgresqlWalReceiverDown/critical",
    ]);
    drop(second);
    watch.fires(&["PostgresqlStandbyGone/critical"]);
    let _second = receiver(primary);
    set(standby, "RESET primary_conninfo");
    watch.clears(&about(&["WalReceiverDown"]));
    // Both look back, and what is taken back must be looked back upon in full.
    watch.clock("+75m");
    watch.clears(&about(&["StandbyGone", "SubscriptionErrors"]));
}

/// What looks like one more standby.
fn receiver(primary: &Postgres) -> Daemon {
    let mut command: Command = primary.command("pg_receivewal");
    command.args(["--no-sync", "-d", "application_name=second", "-D"]);
    command.arg(primary.dir());
    Daemon::spawn(command)
}

fn promoted(primary: &Postgres, standby: &Postgres, watch: &Watch) {
    let changed = about(&["RoleChanged", "TimelineChanged"]);
    let (down, two) = (about(&["Down"]), about(&["TwoPrimaries"]));
    // A change is seen between two samples, and the clock has just been put forward.
    watch.knows("count_over_time(pg_timeline{server=\"two\"}[1m])");
    watch.knows("count_over_time(pg_replication_is_replica{server=\"two\"}[1m])");
    standby.sql("postgres", "SELECT pg_promote()");
    watch.fires(&[&changed[..], &two].concat());
    primary.stop();
    watch.fires(&down);
    primary.start_again();
    watch.clears(&down);

    // Two of them are no more once the wrong one is no longer watched.
    let config = std::fs::read_to_string(watch.folder().join("pgvigil.yml")).unwrap();
    let left: Vec<&str> = config
        .lines()
        .filter(|line| !line.contains("{name: one,"))
        .collect();
    watch.scratch.write("pgvigil.yml", left.join("\n"));
    watch.daemon.signal("HUP");
    eventually("the configuration is read again", PATIENCE, || {
        watch
            .daemon
            .output()
            .contains("configuration read again")
            .then_some(())
    });
    // What was last read of a server is looked at for five minutes more.
    watch.clock("+90m");
    watch.clears(&[&changed[..], &two].concat());
}
