//! A file of user queries as it stands in many places, imported, checked and read.

use std::process::Output;

use crate::harness::{Postgres, Scratch, pgvigil};

const QUERIES: &str = include_str!("queries.yaml");

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = pgvigil().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn imported_queries_pass_the_check_and_are_read() {
    let scratch = Scratch::new();
    let queries = scratch.write("queries.yaml", QUERIES);
    let queries = queries.to_str().unwrap();
    let folder = scratch.path().join("own");
    let into = ["import", queries, "--into", folder.to_str().unwrap()];
    let (code, _, notes) = run(&into);
    assert_eq!(code, 0, "{notes}");
    for said in [
        "note: query `pg_postmaster`: `pg_postmaster_start_time_seconds` is left out: the built-in collector `server` publishes it",
        "note: query `pg_stat_user_tables`: `pg_stat_user_tables_seq_scan` is left out: the built-in collector `tables`",
        "note: query `pg_database`: `pg_database_size_bytes` is left out: the built-in collector `database_sizes`",
        "note: query `pg_replication`: `pg_replication_lag` is left out",
    ] {
        assert!(notes.contains(said), "{said}\nin {notes}");
    }
    let (code, _, refused) = run(&into);
    assert!(
        code == 2 && refused.contains("`--force` overwrites it"),
        "{refused}"
    );
    let forced = [&into[..], &["--force"]].concat();
    assert_eq!(run(&forced).0, 0);

    for major in [15, 18] {
        let postgres = Postgres::start(major);
        postgres.sql(
            "postgres",
            "CREATE TABLE queue (name text, state text, age text, since timestamptz, paid bigint, ignored text);\n\
             INSERT INTO queue VALUES ('mail', 'busy', '1h2m3s', '2026-11-23 15:40:02+00', 7, 'x'),\n\
             ('pay', 'broken', '-1', NULL, 8, 'y'), ('sms', 'can''t', '250ms', '1970-01-02', NULL, 'z')",
        );
        let config = scratch.write(
            "pgvigil.yml",
            format!(
                "servers: [{{name: db, url: '{}'}}]\ncollect: {{include: ['{}/*.yml']}}\n",
                postgres.url("postgres", "postgres"),
                folder.display()
            ),
        );
        let config = ["--config", config.to_str().unwrap()];
        let (code, said, _) = run(&[&["check"], &config[..]].concat());
        assert_eq!(code, 0, "{said}");
        for good in [
            "pg_replication",
            "pg_stat_user_tables",
            "pg_database",
            "app_queue",
        ] {
            let good = format!("ok       db             collector `{good}`: ");
            assert!(said.contains(&good), "{good}\nin {said}");
        }
        let (code, page, errors) = run(&[&["once"], &config[..]].concat());
        assert_eq!(code, 0, "{errors}");
        let mut read: Vec<&str> = page
            .lines()
            .filter(|line| {
                line.starts_with("app_") && (line.contains("sms") || !line.contains("_wait_"))
            })
            .collect();
        read.sort_unstable();
        assert_eq!(
            read,
            [
                r#"app_queue_age_milliseconds{name="mail"} 3723000"#,
                r#"app_queue_age_milliseconds{name="sms"} 250"#,
                r#"app_queue_paid{name="mail"} 7"#,
                r#"app_queue_paid{name="pay"} 8"#,
                r#"app_queue_since{name="mail"} 1795448402"#,
                r#"app_queue_since{name="sms"} 86400"#,
                r#"app_queue_state{name="mail"} 1"#,
                r#"app_queue_state{name="sms"} 2"#,
                r#"app_queue_wait_bucket{le="+Inf", name="sms"} 4"#,
                r#"app_queue_wait_bucket{le="0.5", name="sms"} 1"#,
                r#"app_queue_wait_bucket{le="10", name="sms"} 3"#,
                r#"app_queue_wait_count{name="sms"} 4"#,
                r#"app_queue_wait_sum{name="sms"} 21.5"#,
            ]
        );
        let whole = r#"pg_stat_user_tables_whole_size{datname="postgres", relname="queue", schemaname="public"} "#;
        assert!(page.contains(whole) && page.contains("pg_database_frozen_age{"));
    }
}

#[test]
fn what_is_lost_and_what_cannot_be_read_have_their_codes() {
    let scratch = Scratch::new();
    let lossy = scratch.write(
        "lossy.yaml",
        "app:\n  query: SELECT 1 AS n\n  metrics: [{n: {usage: GAUGE}}]\n  timeout: 5\n",
    );
    let (code, documents, notes) = run(&["import", lossy.to_str().unwrap()]);
    assert_eq!(code, 1, "{notes}");
    assert!(notes.contains("app.timeout: unknown key"), "{notes}");
    assert!(
        documents.starts_with("---\n# app.yml\nname: app\n"),
        "{documents}"
    );
    let list = scratch.write("list.yaml", "- a\n");
    for (file, said) in [
        (list.to_str().unwrap(), "this is no file of queries"),
        ("/missing.yaml", "cannot read `/missing.yaml`"),
    ] {
        let (code, _, error) = run(&["import", file]);
        assert!(code == 2 && error.contains(said), "{error}");
    }
}
