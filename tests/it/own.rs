//! Users' own collectors before real servers: what `check` says of each.

mod import;

use std::time::Duration;

use crate::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, pgvigil};

/// One file for `collect.include`: how it differs from a good one, and what `check` says.
const CASES: [(&str, &str, &str, &str); 11] = [
    (
        "good",
        "SELECT 1 AS n, 'a' AS kind",
        "",
        "ok        2 series in ",
    ),
    (
        "shop_only",
        "SELECT current_database() AS datname, kind, count(*) AS n FROM orders GROUP BY kind",
        "scope: database\nlabels: [datname]",
        "ok        in database `shop`: 2 series in ",
    ),
    (
        "writes",
        "WITH w AS (INSERT INTO own VALUES (1) RETURNING 1) SELECT 1 AS n, 'a' AS kind FROM w",
        "",
        "bad       its statement tries to write, and pgvigil only reads: cannot execute SELECT in a read-only transaction",
    ),
    (
        "column",
        "SELECT 1 AS nn, 'a' AS kind",
        "",
        "bad       the answer has no column `n`, which `column_n` needs\nhint: did you mean `nn`? it has `nn`, `kind`",
    ),
    (
        "words",
        "SELECT 'many words that go on and on' AS n, 'a' AS kind",
        "",
        "bad       column `n` holds `many words that go o…` in row 1, which is no number",
    ),
    (
        "double",
        "SELECT n, 'a' AS kind FROM generate_series(1, 2) AS n",
        "",
        "bad       `double_n` comes more than once for {kind=\"a\"}",
    ),
    (
        "many",
        "SELECT n, n AS kind FROM generate_series(1, 30) AS n",
        "",
        "bad       gives 60 series, and at most 40 are kept",
    ),
    (
        "nowhere",
        "SELECT n, 'a' AS kind FROM no_such_table",
        "",
        "bad       reads what is not there: relation \"no_such_table\" does not exist",
    ),
    (
        "secret",
        "SELECT n, 'a' AS kind FROM hidden",
        "",
        "bad       permission denied for table hidden",
    ),
    (
        "sleeps",
        "SELECT 1 AS n, 'a' AS kind FROM pg_sleep(5)",
        "timeout: 200ms",
        "bad       gave no answer within its timeout of 200ms",
    ),
    (
        "scans",
        "SELECT count(*) AS n, 'a' AS kind FROM long WHERE id % 7 = 3",
        "timeout: 30s\ninterval: 1h",
        "warning   reads table `long` from one end to the other",
    ),
];

fn file((name, sql, more, _): &(&str, &str, &str, &str)) -> String {
    let labels = if more.contains("labels") {
        ""
    } else {
        "labels: [kind]\n"
    };
    let state = if more.contains("labels") {
        "[datname, kind]"
    } else {
        "[kind]"
    };
    format!(
        "name: {name}\ndoc: Own.\n{labels}{more}\nqueries:\n  - sql: |\n      {sql}\nmetrics:\n  \
         {name}_n: {{from: n, labels: {state}, help: N.}}\n  {name}_info: {{value: 1, labels: {state}, help: Kind.}}\n"
    )
}

fn check(arguments: &[&str]) -> (i32, String) {
    let mut command = pgvigil();
    command.arg("check").args(arguments);
    let mut daemon = Daemon::spawn(command);
    let code = daemon.wait(Duration::from_secs(120)).expect("it ends");
    (code, daemon.output())
}

#[test]
fn check_tries_every_collector_of_ones_own() {
    for major in [15, 18] {
        let postgres = Postgres::start(major);
        postgres.sql(
            "postgres",
            "CREATE ROLE mon LOGIN;\nGRANT pg_monitor TO mon;\nCREATE TABLE own (n int);\nGRANT ALL ON own TO mon;\n\
             CREATE TABLE hidden (n int);\nCREATE TABLE long AS SELECT id FROM generate_series(1, 1500000) AS id;\n\
             GRANT SELECT ON long TO mon;\nALTER TABLE long SET (parallel_workers = 0);\nCREATE DATABASE shop",
        );
        postgres.sql(
            "shop",
            "CREATE TABLE orders AS SELECT 'paid' AS kind;\nGRANT SELECT ON orders TO mon",
        );
        let scratch = Scratch::new();
        let config = |name: &str| {
            scratch.write(
                format!("{name}.conf.yml"),
                format!(
                    "servers: [{{name: db, url: '{}'}}]\ncollect: {{max_series: 40, include: ['{}']}}\n",
                    postgres.url("mon", "postgres"),
                    scratch.path().join(format!("{name}.yml")).display()
                ),
            )
        };
        for case in &CASES {
            let (name, _, _, said) = case;
            scratch.write(format!("{name}.yml"), file(case));
            let (finding, words) = said.split_at(10);
            let finding = finding.trim();
            let (code, output) = check(&["--config", config(name).to_str().unwrap()]);
            let expected = if words.starts_with("in database") {
                format!("{finding:<8} db             collector `{name}` {words}")
            } else {
                format!("{finding:<8} db             collector `{name}`: {words}")
            };
            let indented = expected.replace('\n', &format!("\n{:24}", ""));
            assert!(
                output.contains(&indented),
                "{major}: {indented}\nin {output}"
            );
            assert_eq!(code, i32::from(finding == "bad"), "{output}");
        }
        let writes = config("writes");
        let (code, output) = check(&["--offline", "--config", writes.to_str().unwrap()]);
        assert_eq!(code, 0, "{output}");
        let written = postgres.sql("postgres", "SELECT count(*) FROM own");
        assert_eq!(written.trim(), "0");
    }
}

#[tokio::test]
async fn each_file_is_on_the_page_with_its_hash() {
    let scratch = Scratch::new();
    let own = scratch.write("own.yml", file(&CASES[0]));
    let port = free_port();
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "listen: 127.0.0.1:{port}\nstate_dir: {}\nservers: [{{name: db, url: 'postgresql://u@127.0.0.1:1/d'}}]\n\
             collect: {{interval: 1s, include: ['{}']}}\n",
            scratch.path().join("state").display(),
            own.display()
        ),
    );
    let hashed = std::process::Command::new("sha256sum").arg(&own).output();
    let hashed = String::from_utf8(hashed.unwrap().stdout).unwrap();
    let expected = format!(
        "pg_exporter_user_queries_load_error{{filename=\"{}\",hashsum=\"{}\"}} 0",
        own.display(),
        &hashed[..64]
    );
    let mut command = pgvigil();
    command.arg("--config").arg(config);
    let _watch = Daemon::spawn(command);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (client, url) = (
        reqwest::Client::new(),
        format!("http://127.0.0.1:{port}/metrics"),
    );
    eventually_async(&expected, Duration::from_secs(30), || async {
        let text = client.get(&url).send().await.ok()?.text().await.ok()?;
        text.contains(&expected).then_some(())
    })
    .await;
}
