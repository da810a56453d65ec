//! Every database of a server over one extra connection: none is missing silently, and a hundred keep their series.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use reqwest::Client;

use super::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, pgvigil};

const PATIENCE: Duration = Duration::from_secs(90);

/// Makes the documented role.
fn grant(postgres: &Postgres, major: u32) {
    let mut grants = pgvigil();
    grants.args(["grants", "mon", "--major", &major.to_string()]);
    let printed = grants.output().unwrap().stdout;
    postgres.sql("postgres", &String::from_utf8(printed).unwrap());
}

/// The page of a daemon that watches one server as that role.
struct Page {
    url: String,
    client: Client,
    _daemon: Daemon,
    _scratch: Scratch,
}

impl Page {
    fn of(postgres: &Postgres, settings: &str) -> Page {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (scratch, listen) = (Scratch::new(), format!("127.0.0.1:{}", free_port()));
        let config = format!(
            "listen: {listen}\nstate_dir: {}\n{settings}",
            scratch.join("state").display()
        );
        let config = config.replace("URL", &postgres.url("mon", "postgres"));
        let mut command: Command = pgvigil();
        let file = scratch.write("pgvigil.yml", config);
        command.arg("--config").arg(file);
        Page {
            url: format!("http://{listen}/metrics"),
            client: Client::new(),
            _daemon: Daemon::spawn(command),
            _scratch: scratch,
        }
    }

    /// The lines of the page that begin with one of these, until it answers.
    async fn lines(&self, beginnings: &[&str]) -> Vec<String> {
        let Ok(answer) = self.client.get(&self.url).send().await else {
            return Vec::new();
        };
        let text = answer.text().await.unwrap_or_default();
        let ours = |line: &&str| {
            beginnings
                .iter()
                .any(|beginning| line.starts_with(beginning))
        };
        text.lines().filter(ours).map(str::to_owned).collect()
    }

    async fn shows(&self, lines: &[&str]) {
        eventually_async(&format!("the page shows {lines:#?}"), PATIENCE, || async {
            let page = self.lines(&["pgvigil_database"]).await;
            let all = lines
                .iter()
                .all(|line| page.iter().any(|shown| shown == line));
            all.then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_is_counted_and_named() {
    let postgres = Postgres::start(15);
    for name in ["revoked", "full", "shut", "hidden", "open"] {
        postgres.sql("postgres", &format!("CREATE DATABASE \"{name}\""));
    }
    grant(&postgres, 15);
    postgres.sql(
        "postgres",
        "REVOKE CONNECT ON DATABASE revoked FROM PUBLIC; ALTER DATABASE \"full\" CONNECTION LIMIT 0;
         ALTER DATABASE shut ALLOW_CONNECTIONS false",
    );
    let page = Page::of(
        &postgres,
        "servers: [{url: 'URL', databases: {exclude: [hid*]}}]\ncollect: {interval: 1s}\n",
    );
    page.shows(&[
        r#"pgvigil_database_up{database="revoked"} 0"#,
        r#"pgvigil_database_up{database="full"} 0"#,
        r#"pgvigil_database_up{database="shut"} 0"#,
        r#"pgvigil_database_up{database="open"} 1"#,
        r#"pgvigil_database_up{database="postgres"} 1"#,
        r#"pgvigil_databases{state="watched"} 2"#,
        r#"pgvigil_databases{state="refused"} 3"#,
        r#"pgvigil_databases{state="excluded"} 1"#,
    ])
    .await;
    let hidden = page
        .lines(&[r#"pgvigil_database_up{database="hidden""#])
        .await;
    assert!(hidden.is_empty(), "{hidden:?}");
    postgres.sql("postgres", "GRANT CONNECT ON DATABASE revoked TO mon");
    page.shows(&[r#"pgvigil_database_up{database="revoked"} 1"#])
        .await;
}

const DATABASES: usize = 100;

/// When each database's tables were last read.
fn last_read(lines: &[String]) -> Vec<f64> {
    let of_tables = lines.iter().filter(|line| {
        line.starts_with("pgvigil_collector_last_success") && line.contains(r#"collector="tables""#)
    });
    of_tables
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_databases_keep_their_series_for_ten_cycles() {
    let postgres = Postgres::start(18);
    postgres.sql("template1", "CREATE TABLE t (id int PRIMARY KEY)");
    let create = "SELECT format('CREATE DATABASE d%s STRATEGY file_copy', n) FROM generate_series(2, 100) n \\gexec";
    postgres.sql("postgres", create);
    grant(&postgres, 18);
    let page = Page::of(
        &postgres,
        "servers: [{url: 'URL'}]
collect:
  interval: 2s
  load_budget: off
  override: {tables: {interval: 2s}, sequences: {interval: 2s}}
  disable: [indexes, table_io, table_sizes, index_faults, table_bloat, index_bloat, foreign_keys, primary_keys,
            unused_indexes, functions, freeze_ages, autovacuum_queue]\n",
    );
    let beginnings = [
        "pg_stat_user_tables_",
        "pg_sequences_left_out",
        "pg_database_",
        "pg_settings_",
        "pgvigil_collector_success",
        "pgvigil_collector_last_success",
        "pgvigil_database",
    ];
    let (mut since, mut first) = (0.0, BTreeSet::new());
    for cycle in 0..10 {
        let what = format!("every database is read, cycle {cycle}");
        let lines = eventually_async(&what, PATIENCE, || async {
            let lines = page.lines(&beginnings).await;
            let read = last_read(&lines);
            (read.len() == DATABASES && read.iter().all(|at| *at > since)).then_some(lines)
        })
        .await;
        since = last_read(&lines).into_iter().fold(since, f64::max);
        let series: BTreeSet<String> = lines
            .iter()
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect();
        if cycle == 0 {
            let up = series
                .iter()
                .filter(|name| name.starts_with("pgvigil_database_up"));
            assert_eq!(up.count(), DATABASES);
            first.clone_from(&series);
        }
        let changed: Vec<&String> = first.symmetric_difference(&series).collect();
        assert!(changed.is_empty(), "cycle {cycle}: {changed:?}");
        let ours = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mon'";
        let sessions: usize = postgres.sql("postgres", ours).parse().unwrap();
        assert!(sessions <= 2, "{sessions} connections");
    }
}
