//! The texts of statements, by the real binary: normalised, cut between characters, each fetched once.

use std::fs;

use regex::Regex;

use super::PATIENCE;
use crate::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, pgvigil};

/// The identifiers that the statements in the server's log asked the texts of.
fn fetched(log: &str) -> Vec<String> {
    let fetch = Regex::new(r"pg_stat_statements\(true\)\s+WHERE queryid IN \((.*?)\)").unwrap();
    let lists = fetch.captures_iter(log);
    lists
        .flat_map(|list| {
            let identifiers = list[1].split(", ").map(|one| one.replace('\'', ""));
            identifiers.collect::<Vec<_>>()
        })
        .collect()
}

fn readings(log: &str) -> usize {
    log.matches(".pg_stat_statements(false)").count()
}

async fn check(major: u32) {
    let postgres = Postgres::with(major, &["log_statement=all"]);
    postgres.sql(
        "postgres",
        &format!(
            "CREATE EXTENSION pg_stat_statements; CREATE TABLE t (n int);
             {}",
            format!("SELECT\n\t count(*)\n  FROM t /* {} */;", "ä".repeat(200)).repeat(50)
        ),
    );
    let (scratch, port) = (Scratch::new(), free_port());
    let config = format!(
        "listen: 127.0.0.1:{port}\n\
         state_dir: {}\n\
         collect: {{interval: 1s, load_budget: off, enable: [statement_texts], override: {{statements: {{interval: 1s}}, statement_texts: {{interval: 1s}}}}}}\n\
         servers: [{{url: '{}'}}]\n",
        scratch.path().join("state").display(),
        postgres.url("postgres", "postgres"),
    );
    let config = scratch.write("pgvigil.yml", config);
    let mut command = pgvigil();
    command.arg("--config").arg(config);
    let _watch = Daemon::spawn(command);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (client, url) = (
        reqwest::Client::new(),
        format!("http://127.0.0.1:{port}/metrics"),
    );
    let text = format!("SELECT count(*) FROM t /* {}", "ä".repeat(120 - 26));
    let shown = Regex::new(&format!(
        r#"pg_stat_statements_query_id\{{query="{}",queryid="(-?\d+)"\}} 1"#,
        regex::escape(&text)
    ));
    let shown = shown.unwrap();
    let identifier = eventually_async("the text is shown", PATIENCE, || async {
        let page = client.get(&url).send().await.ok()?.text().await.ok()?;
        Some(shown.captures(&page)?[1].to_owned())
    })
    .await;
    let log = postgres.dir().join("log");
    let begun = readings(&fs::read_to_string(&log).unwrap());
    let log = eventually_async(
        "the statements are read five times more",
        PATIENCE,
        || async {
            let log = fs::read_to_string(&log).unwrap();
            (readings(&log) >= begun + 5).then_some(log)
        },
    )
    .await;
    let asked = fetched(&log);
    let times = asked.iter().filter(|asked| **asked == identifier).count();
    assert_eq!(times, 1, "{asked:?}");
    let own = "SELECT sum(calls) FROM pg_stat_statements WHERE query LIKE '%pg_stat_statements($%'";
    let own: f64 = postgres.sql("postgres", own).parse().unwrap();
    assert!(own >= 5.0, "pgvigil's own statements are load too");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_text_is_fetched_once_on_13() {
    check(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_text_is_fetched_once_on_15() {
    check(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_text_is_fetched_once_on_18() {
    check(18).await;
}
