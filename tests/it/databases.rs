//! Every database of a server over one extra connection: none is missing silently, and a hundred keep their series.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use pgvigil::collectors::{Settings, load};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::Sample;
use pgvigil::scrape::once;
use pgvigil::server::{self, Server};
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
    daemon: Daemon,
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
            daemon: Daemon::spawn(command),
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
    let of_revoked = r#",database="revoked"}"#;
    eventually_async(
        "what may not be entered is no failure",
        PATIENCE,
        || async {
            let verdicts = ["pgvigil_collector_success", "pgvigil_collector_denied"];
            let verdicts = page.lines(&verdicts).await;
            let of_revoked = verdicts.iter().filter(|line| line.contains(of_revoked));
            let verdicts: Vec<&String> = of_revoked.collect();
            assert!(
                !verdicts
                    .iter()
                    .any(|line| line.starts_with("pgvigil_collector_success")),
                "{verdicts:?}"
            );
            (verdicts.len() > 5).then_some(())
        },
    )
    .await;
    let log = page.daemon.output();
    assert_eq!(
        log.matches("`GRANT CONNECT ON DATABASE revoked TO mon`")
            .count(),
        1,
        "{log}"
    );
    postgres.sql("postgres", "GRANT CONNECT ON DATABASE revoked TO mon");
    page.shows(&[r#"pgvigil_database_up{database="revoked"} 1"#])
        .await;
}

/// Ten cycles over every database, each of one visit to each, within the role's limit of three connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_databases_keep_their_series_for_ten_cycles() {
    let postgres = Postgres::start(18);
    postgres.sql("template1", "CREATE TABLE t (id smallserial PRIMARY KEY)");
    let create = "SELECT format('CREATE DATABASE d%s STRATEGY file_copy', n) FROM generate_series(2, 100) n \\gexec";
    postgres.sql("postgres", create);
    grant(&postgres, 18);
    postgres.sql("postgres", "GRANT pg_read_all_data TO mon");
    let names = [
        "tables",
        "sequences",
        "databases",
        "roles",
        "pending_restart",
    ];
    let catalogue: Vec<_> = load(&[])
        .unwrap()
        .into_iter()
        .filter(|collector| names.contains(&&*collector.name))
        .collect();
    assert_eq!(catalogue.len(), names.len());
    let settings = Reader::new(None).read(&parse("x.yml", "").unwrap(), Settings::read);
    let url = postgres.url("mon", "postgres");
    let server = Server::new(server::Settings::from_url(&url).unwrap(), PATIENCE);
    let mut first = BTreeSet::new();
    for cycle in 0..10 {
        let mut series = BTreeSet::new();
        for reading in once(&server, &catalogue, &settings).await.unwrap() {
            let source = reading.source;
            let samples = reading
                .outcome
                .unwrap_or_else(|failure| panic!("{source}: {}", failure.words));
            let named = |sample: Sample| format!("{}{}", sample.family.name, sample.labels);
            series.extend(samples.into_iter().map(named));
        }
        if cycle == 0 {
            let used = series
                .iter()
                .filter(|name| name.starts_with("pg_sequence_used_ratio"));
            assert_eq!(used.count(), 99, "one in each database made from template1");
            first.clone_from(&series);
        }
        let changed: Vec<&String> = first.symmetric_difference(&series).collect();
        assert!(changed.is_empty(), "cycle {cycle}: {changed:?}");
        let ours = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mon'";
        let sessions: usize = postgres.sql("postgres", ours).parse().unwrap();
        assert!(sessions <= 2, "{sessions} connections");
    }
}
