//! What stands around PostgreSQL: PgBouncer, the nodes of Patroni, certificates, and the clock of the machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::watch::Watch;
use super::{Case, clients, lowered, real};
use crate::harness::{Answer, Authority, HttpSink, PgBouncer, Postgres, Scratch};

pub(super) const CASES: &[Case] = &[
    real("PostgresqlClockSkew/warning"),
    real("PostgresqlClockSkew/critical"),
    real("PostgresqlCertificateExpires/warning"),
    real("PostgresqlCertificateExpires/critical"),
    real("PgbouncerDown/critical"),
    real("PgbouncerClientsWaiting/warning"),
    lowered("PgbouncerWaitLong/warning", 1.0),
    lowered("PgbouncerWaitLong/critical", 2.0),
    real("PgbouncerPoolNearlyFull/warning"),
    real("PgbouncerClientsHigh/warning"),
    real("PgbouncerClientsHigh/critical"),
    real("PgbouncerDatabasePaused/warning"),
    real("PatroniDown/critical"),
    real("PatroniNoLeader/critical"),
    real("PatroniSeveralLeaders/critical"),
    real("PatroniStoreNotSeen/critical"),
    real("PatroniFailsafeMode/warning"),
    real("PatroniMemberNotRunning/warning"),
    real("PatroniReplicaNotStreaming/warning"),
    real("PatroniPaused/warning"),
    real("PatroniPendingRestart/info"),
];

fn about(part: &str) -> Vec<&'static str> {
    let names = CASES.iter().map(|case| case.rule);
    names.filter(|rule| rule.starts_with(part)).collect()
}

#[test]
fn certificates_and_clocks() {
    let postgres = Postgres::start(15);
    let authority = Authority::new();
    let show = |(certificate, key): (String, String)| {
        postgres.write_file("server.crt", certificate);
        postgres.write_file("server.key", key);
        postgres.sql(
            "postgres",
            "ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf()",
        );
    };
    show(authority.issue_until(&["127.0.0.1"], in_two_days()));
    let scratch = Scratch::new();
    scratch.write("clock", "-1m");
    let url = postgres
        .url("postgres", "postgres")
        .replace("disable", "require");
    let config = format!("servers: [{{name: rachel, url: '{url}'}}]");
    let cases = &CASES[..4];
    let watch = Watch::in_folder(scratch, cases, &config, "", &[]);
    watch.fires(&about("Postgresql"));
    watch.clock("+0");
    watch.clears(&about("PostgresqlClockSkew"));
    show(authority.issue(&["127.0.0.1"]));
    // A session that is open keeps the certificate it was shown.
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgvigil'";
    postgres.sql("postgres", end);
    watch.clears(&about("PostgresqlCertificateExpires"));
    watch.finish();
}

fn in_two_days() -> (i32, u8, u8) {
    let now = SystemTime::now() + Duration::from_secs(2 * 86_400);
    let seconds = now.duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let day = jiff::Timestamp::from_second(seconds)
        .unwrap()
        .to_zoned_datetime(jiff::tz::TimeZone::UTC);
    (day.year().into(), day.month() as u8, day.day() as u8)
}

#[test]
fn a_pool_that_is_too_small() {
    let postgres = Postgres::with(15, &["client_connection_check_interval=200ms"]);
    let pgbouncer = PgBouncer::before(&postgres);
    let config = format!(
        "pgbouncers: [{{name: pool, url: '{}'}}]",
        pgbouncer.url("mon", "")
    );
    let cases = &CASES[4..12];
    let watch = Watch::over(cases, &config, "", &[]);
    let paused = about("PgbouncerDatabasePaused");
    let console = |what: &str| {
        let psql = postgres
            .command("psql")
            .args(["-X", "-c", what, &pgbouncer.url("postgres", "pgbouncer")])
            .output();
        let psql = psql.unwrap();
        assert!(
            psql.status.success(),
            "{}",
            String::from_utf8_lossy(&psql.stderr)
        );
    };
    console("PAUSE app");
    watch.fires(&paused);
    console("RESUME app");
    watch.clears(&paused);

    // Twenty are served, eight wait, and with the watch itself there are thirty clients but one.
    let crowd = clients(
        &postgres,
        &pgbouncer.url("postgres", "postgres"),
        28,
        "SELECT pg_sleep(600);\n",
    );
    let busy = [
        "PgbouncerClientsWaiting",
        "PgbouncerWaitLong",
        "PgbouncerPoolNearlyFull",
        "PgbouncerClientsHigh",
    ];
    let busy: Vec<&str> = busy.iter().flat_map(|part| about(part)).collect();
    watch.fires(&busy);
    drop(crowd);
    watch.clears(&busy);
    pgbouncer.freeze();
    watch.fires(&about("PgbouncerDown"));
    pgbouncer.thaw();
    watch.clears(&about("PgbouncerDown"));
    watch.finish();
}

/// What the API of a node answers, whatever it is asked.
fn node(name: &str, flags: &str, member: &str) -> Answer {
    let seen = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 100_000;
    let body = format!(
        r#"{{"state": "running", "patroni": {{"version": "4.0.4", "scope": "demo", "name": "{name}"}},
            "postmaster_start_time": "2026-01-01 00:00:00+00:00", "server_version": 170004, "timeline": 1, {flags}
            "members": [{{"name": "one", "role": "leader", "state": "running", "timeline": 1}},
                        {{"name": "two", "role": "replica", "state": "{member}", "timeline": 1, "lag": 0}}],
            "dcs_last_seen": {seen}}}"#
    );
    let body = if flags.contains("old") {
        body.replace(&seen.to_string(), &(seen - 200_000).to_string())
    } else {
        body
    };
    Answer::new(200, &[("Content-Type", "application/json")], &body)
}

const LEADS: &str = r#""role": "primary", "xlog": {"location": 1000},"#;
const FOLLOWS: &str = r#""role": "replica", "replication_state": "streaming", "xlog": {"received_location": 1000, "replayed_location": 1000},"#;

#[test]
fn a_cluster_without_its_leader() {
    let (one, two) = (HttpSink::start(), HttpSink::start());
    let well = || {
        one.usually(node("one", LEADS, "streaming"));
        two.usually(node("two", FOLLOWS, "streaming"));
    };
    well();
    let config = format!(
        "patronis:\n  - {{name: one, url: '{}'}}\n  - {{name: two, url: '{}'}}\n",
        one.url(),
        two.url()
    );
    let watch = Watch::over(&CASES[12..], &config, "", &[]);
    watch.knows("patroni_postgres_streaming");
    let part =
        |names: &[&str]| -> Vec<&str> { names.iter().flat_map(|name| about(name)).collect() };

    let lost = r#""cluster_unlocked": true, "failsafe_mode_is_active": true, "pause": true, "pending_restart": true, "old": 1,"#;
    one.usually(node("one", &format!("{LEADS}{lost}"), "stopped"));
    two.usually(node(
        "two",
        &format!(
            "{}{lost}",
            FOLLOWS.replace("streaming", "in archive recovery")
        ),
        "stopped",
    ));
    let without = part(&[
        "PatroniNoLeader",
        "PatroniFailsafeMode",
        "PatroniPaused",
        "PatroniPendingRestart",
        "PatroniStoreNotSeen",
        "PatroniMemberNotRunning",
        "PatroniReplicaNotStreaming",
    ]);
    watch.fires(&without);
    well();
    watch.clears(&without);

    two.usually(node("two", LEADS, "running"));
    watch.fires(&part(&["PatroniSeveralLeaders"]));
    well();
    watch.clears(&part(&["PatroniSeveralLeaders"]));
    two.usually(Answer::new(500, &[], ""));
    watch.fires(&part(&["PatroniDown"]));
    well();
    watch.clears(&part(&["PatroniDown"]));
    watch.finish();
}
