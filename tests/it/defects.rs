//! What goes wrong in exporters that are in use today, and how it goes here, before the real binary.
//!
//! | defect | shown by |
//! | --- | --- |
//! | exit on a name that is no UTF-8; an empty page on a duplicate | `ten_thousand_hostile_names_end_nothing` |
//! | one locked table blocks the page | `scrape::a_locked_table_costs_its_own_series_only` |
//! | a full server loses nearly every series | `scrape::a_full_server_keeps_every_series` |
//! | a false `pg_up 0` after a restart | `scrape::a_restarted_server_is_not_said_to_be_down_once_it_is_back` |
//! | a standby that is cut off has no lag | `collectors::behaviour::the_lag_of_a_standby_cut_off_keeps_rising` |
//! | a standby without a slot shows no receiver | `a_standby_without_a_slot_shows_its_receiver` |
//! | a password in the log; a comma in it splits the address | `a_password_stays_whole_and_unseen` |
//! | a quick collector shows the time of a slow one | `a_slow_collector_keeps_its_time_to_itself` |
//! | SIGHUP ends the process; no reload over HTTP | `watch::a_reload_changes_everything_or_nothing` |
//! | names that lie about their unit | `where_a_name_lies_a_true_one_stands_beside_it` |
//! | thousands of zeros for empty databases | `an_empty_database_costs_few_series` |
//! | what a managed service withholds fails more than itself | `what_a_managed_service_withholds_costs_itself` |

use std::time::Duration;

use pgvigil::server::grants;
use regex::Regex;

use crate::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, lint, pgvigil};

const PATIENCE: Duration = Duration::from_secs(120);

/// The binary over one server.
struct Watch {
    client: reqwest::Client,
    url: String,
    daemon: Daemon,
    _scratch: Scratch,
}

impl Watch {
    /// `collect` is what stands under that key, in braces.
    fn over(url: &str, collect: &str, own: &str) -> Watch {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (scratch, port) = (Scratch::new(), free_port());
        let own = scratch.write("own.yml", own);
        let collect = collect.replace("OWN", &own.display().to_string());
        let config = format!(
            "listen: 127.0.0.1:{port}\nstate_dir: {}\ncollect: {collect}\nservers: [{{name: db, url: {url:?}}}]\n",
            scratch.path().join("state").display(),
        );
        let mut command = pgvigil();
        command
            .arg("--config")
            .arg(scratch.write("pgvigil.yml", config));
        command.env("PGVIGIL_LOG", "debug");
        Watch {
            client: reqwest::Client::new(),
            url: format!("http://127.0.0.1:{port}/metrics"),
            daemon: Daemon::spawn(command),
            _scratch: scratch,
        }
    }

    /// The page; anything but 200 is no page.
    async fn page(&self) -> Option<String> {
        let answer = self.client.get(&self.url).send().await.ok()?;
        assert_eq!(answer.status(), 200);
        answer.text().await.ok()
    }

    /// The page as soon as it says so.
    async fn page_where(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        eventually_async(what, PATIENCE, || async {
            self.page().await.filter(|page| holds(page))
        })
        .await
    }
}

/// The value of a series, written as on the page.
fn value(page: &str, series: &str) -> Option<f64> {
    let mut lines = page.lines().filter_map(|line| line.rsplit_once(' '));
    lines.find(|(name, _)| *name == series)?.1.parse().ok()
}

fn count(page: &str, beginning: &str) -> usize {
    page.lines()
        .filter(|line| line.starts_with(beginning))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_hostile_names_end_nothing() {
    let postgres = Postgres::with(18, &["max_locks_per_transaction=1024"]);
    let hostile = r#"format(E'%s "%s" \\ {a="b"} # HELP\n# TYPE \t é 🐘 %%s $1 ''--', prefix, n)"#;
    let roles = format!(
        "DO $do$ DECLARE prefix text := 'r'; BEGIN FOR n IN 1..9000 LOOP EXECUTE format('CREATE ROLE %I', {hostile}); END LOOP; END $do$"
    );
    let tables = format!(
        "DO $do$ DECLARE prefix text := 't'; BEGIN FOR n IN 1..1000 LOOP EXECUTE format('CREATE TABLE %I (n int)', {hostile}); END LOOP; END $do$"
    );
    postgres.sql("postgres", &roles);
    postgres.sql("postgres", &tables);
    postgres.sql(
        "postgres",
        "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;\nCREATE DATABASE cafe",
    );
    postgres.sql(
        "bytes",
        "UPDATE pg_database SET datname = ('caf' || chr(233))::name WHERE datname = 'cafe'",
    );
    let twice = "name: twice\ndoc: Two rows of the same labels.\nlabels: [name]\n\
                 queries: [{sql: \"SELECT 'a' AS name, n AS value FROM generate_series(1, 3) AS n\"}]\n\
                 metrics: {twice: {from: value, help: The same series three times.}}\n";
    let url = postgres.url("postgres", "postgres");
    let watch = Watch::over(&url, "{interval: 1s, timeout: 30s, include: [OWN]}", twice);
    let dropped = |page: &str, collector: &str| {
        let series = format!("pgvigil_collector_dropped_series{{collector=\"{collector}\"}}");
        value(page, &series)
    };
    let page = watch
        .page_where(
            "all names are there, and what is wrong is counted",
            |page| {
                count(page, "pg_roles_connection_limit{rolname=\"r \\\"") == 9000
                    && count(page, "pg_stat_user_tables_n_live_tup{") >= 1000
                    && count(page, "twice{") == 1
                    && dropped(page, "twice") == Some(2.0)
                    && dropped(page, "databases") > Some(0.0)
            },
        )
        .await;
    lint(&page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_without_a_slot_shows_its_receiver() {
    let primary = Postgres::start(15);
    let standby = primary.standby();
    assert_eq!(standby.sql("postgres", "SHOW primary_slot_name"), "");
    let watch = Watch::over(&standby.url("postgres", "postgres"), "{interval: 1s}", "");
    watch
        .page_where("the receiver is there", |page| {
            let labels = "{status=\"streaming\",upstream_host=\"127.0.0.1\"}";
            value(page, &format!("pg_stat_wal_receiver_received_tli{labels}")) == Some(1.0)
                && value(page, &format!("pg_stat_wal_receiver_flushed_lsn{labels}")) > Some(0.0)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_stays_whole_and_unseen() {
    let postgres = Postgres::start(15);
    let password = "a,b:c@d/e=f?g#h";
    postgres.sql(
        "postgres",
        &format!("CREATE ROLE mon LOGIN PASSWORD '{password}'; GRANT pg_monitor TO mon"),
    );
    let hba = postgres.sql("postgres", "SHOW hba_file");
    std::fs::write(
        hba,
        "host all mon 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n",
    )
    .unwrap();
    postgres.sql("postgres", "SELECT pg_reload_conf()");
    let port = postgres.port();
    let escaped = "a,b%3Ac%40d%2Fe%3Df%3Fg%23h";
    let good = [
        format!("postgresql://mon:{escaped}@127.0.0.1:{port}/postgres"),
        format!("host=127.0.0.1 port={port} user=mon dbname=postgres password='{password}'"),
    ];
    let closed = free_port();
    let bad = [
        format!("postgresql://mon:{escaped}@127.0.0.1:{closed}/postgres"),
        format!("host=127.0.0.1 port={closed} user=mon dbname=postgres password='{password}'"),
        format!("host=127.0.0.1 port={port} user=nobody dbname=postgres password='{password}'"),
    ];
    for (url, up) in good
        .iter()
        .map(|url| (url, "1"))
        .chain(bad.iter().map(|url| (url, "0")))
    {
        let watch = Watch::over(url, "{interval: 1s}", "");
        let said = format!("\npg_up {up}\n");
        let page = watch
            .page_where("pg_up is known", |page| page.contains(&said))
            .await;
        for text in [page, watch.daemon.output()] {
            for secret in [password, escaped, "b:c", "b%3A"] {
                assert!(!text.contains(secret), "{url}: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_collector_keeps_its_time_to_itself() {
    let postgres = Postgres::start(15);
    let slow = "name: slow\ndoc: Takes long.\ninterval: 1s\nqueries: [{sql: \"SELECT 1 AS one FROM pg_sleep(3)\"}]\n\
                metrics: {slow: {from: one, help: One.}}\n";
    let url = postgres.url("postgres", "postgres");
    let watch = Watch::over(&url, "{interval: 1s, timeout: 10s, include: [OWN]}", slow);
    let of = Regex::new(r#"(?m)^pg_scrape_collector_duration_seconds\{collector="(\w+)"\} (\S+)$"#)
        .unwrap();
    // Every other collector on the same connection is read after it or before it, and waits.
    watch
        .page_where("only the slow one is slow", |page| {
            let times: Vec<(&str, f64)> = of
                .captures_iter(page)
                .map(|found| (found.get(1).unwrap().as_str(), found[2].parse().unwrap()))
                .collect();
            let all = times.len() > 20 && times.iter().any(|(name, _)| *name == "slow");
            all && times
                .iter()
                .all(|(name, took)| (*name == "slow") == (*took >= 3.0))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_name_lies_a_true_one_stands_beside_it() {
    /// A name that lies, the true one, and how many units of the first make one of the second.
    const PAIRS: [(&str, &str, f64, std::ops::RangeInclusive<u32>); 10] = [
        (
            "pg_database_wraparound_age_datfrozenxid_seconds",
            "pg_database_xid_age",
            1.0,
            13..=18,
        ),
        (
            "pg_database_wraparound_age_datminmxid_seconds",
            "pg_database_multixact_age",
            1.0,
            13..=18,
        ),
        (
            "pg_stat_bgwriter_checkpoint_write_time_total",
            "pg_stat_bgwriter_checkpoint_write_seconds_total",
            1000.0,
            13..=16,
        ),
        (
            "pg_stat_bgwriter_checkpoint_sync_time_total",
            "pg_stat_bgwriter_checkpoint_sync_seconds_total",
            1000.0,
            13..=16,
        ),
        (
            "pg_stat_bgwriter_stats_reset_total",
            "pg_stat_bgwriter_stats_reset_timestamp_seconds",
            1.0,
            13..=18,
        ),
        (
            "pg_stat_checkpointer_write_time_total",
            "pg_stat_checkpointer_write_seconds_total",
            1000.0,
            17..=18,
        ),
        (
            "pg_stat_checkpointer_sync_time_total",
            "pg_stat_checkpointer_sync_seconds_total",
            1000.0,
            17..=18,
        ),
        (
            "pg_stat_checkpointer_stats_reset_total",
            "pg_stat_checkpointer_stats_reset_timestamp_seconds",
            1.0,
            17..=18,
        ),
        (
            "pg_stat_database_blk_read_time",
            "pg_stat_database_blk_read_seconds_total",
            1000.0,
            13..=18,
        ),
        (
            "pg_stat_database_blk_write_time",
            "pg_stat_database_blk_write_seconds_total",
            1000.0,
            13..=18,
        ),
    ];
    for major in [15, 18] {
        let postgres = Postgres::start(major);
        postgres.sql(
            "postgres",
            "CREATE TABLE t AS SELECT generate_series(1, 100000) AS n; CHECKPOINT",
        );
        let watch = Watch::over(&postgres.url("postgres", "postgres"), "{interval: 1s}", "");
        let pairs = PAIRS.iter().filter(|(.., majors)| majors.contains(&major));
        for (lying, true_name, factor, _) in pairs {
            watch
                .page_where(true_name, |page| {
                    let lines = page.lines().filter_map(|line| line.strip_prefix(lying));
                    let mut pairs = lines.filter_map(|rest| {
                        let (labels, told) = rest.rsplit_once(' ')?;
                        Some((
                            told.parse::<f64>().ok()?,
                            value(page, &format!("{true_name}{labels}"))?,
                        ))
                    });
                    let (told, truth) = pairs.next().unwrap_or((0.0, f64::NAN));
                    (told - truth * factor).abs() <= told.abs() * 1e-9
                })
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_costs_few_series() {
    let postgres = Postgres::start(18);
    let watch = Watch::over(&postgres.url("postgres", "postgres"), "{interval: 1s}", "");
    let zeros = Regex::new(
        r#"(?m)^pg_(?:stat_activity_count|stat_activity_max_tx_duration|locks_count)\{.*datname="empty_.* 0$"#,
    )
    .unwrap();
    let create = "SELECT format('CREATE DATABASE empty_%s TEMPLATE template0', n) FROM generate_series(1, 4) AS n \\gexec";
    postgres.sql("postgres", create);
    let five = watch
        .page_where("the new ones are there", |page| {
            (1..=4).all(|n| page.contains(&format!("pg_locks_count{{datname=\"empty_{n}\"")))
        })
        .await;
    // Six states and nine modes; templates have none.
    let each = zeros.find_iter(&five).count() as f64 / 4.0;
    assert!(
        (9.0..=15.0).contains(&each),
        "{each} zeros for an empty database"
    );
    assert!(!five.contains("datname=\"template0\",mode"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_managed_service_withholds_costs_itself() {
    let postgres = Postgres::start(15);
    postgres.sql("postgres", &grants("mon", Some(15)));
    postgres.sql(
        "postgres",
        "CREATE DATABASE rdsadmin;
         REVOKE CONNECT ON DATABASE rdsadmin FROM PUBLIC;
         REVOKE EXECUTE ON FUNCTION pg_ls_waldir() FROM pg_monitor;
         SET allow_system_table_mods = on;
         ALTER FUNCTION pg_ls_archive_statusdir() RENAME TO withheld;",
    );
    let watch = Watch::over(&postgres.url("mon", "postgres"), "{interval: 1s}", "");
    let failing =
        Regex::new(r#"(?m)^pg_scrape_collector_success\{collector="(\w+)"\} 0$"#).unwrap();
    let page = watch
        .page_where("everything has been tried", |page| {
            let success = "pg_scrape_collector_success{collector=\"table_io\"}";
            value(page, "pgvigil_collector_denied{collector=\"wal\"}") == Some(1.0)
                && value(page, success) == Some(1.0)
        })
        .await;
    let failing: Vec<&str> = failing
        .captures_iter(&page)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    assert!(failing.is_empty(), "{failing:?}");
    let log = watch.daemon.output();
    assert!(
        log.contains(
            "permission denied for function pg_ls_waldir; mend with `GRANT pg_monitor TO mon`"
        ),
        "{log}"
    );
    // It is a database of the service's own: known by its size, and nobody's to enter.
    assert!(
        !page.contains("database=\"rdsadmin\"") && !log.contains("database.name=\"rdsadmin\""),
        "{log}"
    );
}
