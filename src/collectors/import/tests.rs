use super::*;

fn check(text: &str) -> (Vec<(String, String)>, Vec<String>) {
    let import = import("queries.yaml", text).unwrap();
    let notes = import.notes.into_iter().map(|note| {
        let mark = if note.grave { "lost" } else { "told" };
        format!("{mark} {}", note.words)
    });
    (import.files, notes.collect())
}

#[test]
fn a_query_becomes_a_collector() {
    let (files, notes) = check(
        r#"
app_jobs:
  query: |
    SELECT server, queue, waiting, age,
           status, n AS "n"
    FROM jobs;
  master: true
  cache_seconds: 30
  runonserver: ">=14.0.0 <16.0.0 || >=17.0.0"
  metrics:
    - server: {usage: LABEL, description: Where}
    - queue: {usage: "LABEL", description: "The queue"}
    - waiting: {usage: "GAUGE", description: "Jobs: \"waiting\""}
    - n: {usage: COUNTER, pg_version: ">=15.0.0"}
    - age: {usage: DURATION, description: Age}
    - status: {usage: MAPPEDMETRIC, description: Status, metric_mapping: {it's up: 1, down: .5}}
    - other: {usage: DISCARD}
"#,
    );
    assert_eq!(
        notes,
        [
            "lost query `app_jobs`: label `server` is set by pgvigil itself and becomes `exported_server`"
        ]
    );
    let [(name, text)] = files.as_slice() else {
        panic!("{files:?}")
    };
    let statement = r#"sql: |
      SELECT q.*,
             q.server AS exported_server,
             EXTRACT(EPOCH FROM replace(NULLIF(q.age::text, '-1'), 'µs', 'us')::interval) * 1000 AS age_milliseconds,
             CASE q.status::text WHEN 'it''s up' THEN 1 WHEN 'down' THEN .5 END AS status_mapped
      FROM (
        SELECT server, queue, waiting, age,
               status, n AS "n"
        FROM jobs
      ) AS q
"#;
    assert_eq!(name, "app_jobs");
    assert_eq!(
        *text,
        format!(
            "name: app_jobs\ndoc: \"Query app_jobs of postgres_exporter.\"\ninterval: 30s\nlane: slow\n\
             labels: [exported_server, queue]\nqueries:\n  - since: 14\n    until: 15\n    {statement}  - since: 17\n    \
             {statement}metrics:\n  app_jobs_waiting: {{from: waiting, help: \"Jobs: \\\"waiting\\\"\"}}\n  \
             app_jobs_n: {{from: \"n\", type: counter, since: 15, help: \"Column n of query app_jobs.\"}}\n  \
             app_jobs_age_milliseconds: {{from: age_milliseconds, help: \"Age\"}}\n  \
             app_jobs_status: {{from: status_mapped, help: \"Status\"}}\n"
        )
    );
}

#[test]
fn what_is_built_in_is_left_out_and_what_cannot_be_is_said() {
    let (files, notes) = check(
        r#"
pg_postmaster:
  query: SELECT pg_postmaster_start_time() AS start_time_seconds
  metrics: [{start_time_seconds: {usage: GAUGE, description: Started}}]
pg_database:
  query: SELECT datname, pg_database_size(datname) AS size, 1 AS extra FROM pg_database
  metrics: [{datname: {usage: LABEL}}, {size: {usage: GAUGE}}, {extra: {usage: GAUGE}}]
idle:
  query: SELECT 1
  metrics: [{seconds: {usage: HISTOGRAM}}, {kept: {usage: GAUGE}}]
old:
  query: SELECT 1
  runonserver: <10.0.0
  metrics: [{n: {usage: GAUGE}}]
odd-name:
  query: SELECT 1
  metrics: [{n: {usage: GAUGE}}]
locks:
  query: SELECT 1 AS n
  disable_settings: true
  metrics: [{n: {usage: GUAGE}}, {m: {usage: GAUGE}}]
"#,
    );
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["pg_database", "idle", "own_locks"]);
    assert!(files[0].1.contains("pg_database_extra") && !files[0].1.contains("pg_database_size:"));
    let expected = [
        "lost queries.yaml:20:3: locks.disable_settings: unknown key",
        "lost queries.yaml:21:25: locks.metrics[0].n.usage: `GUAGE` is none of LABEL, DISCARD, COUNTER, GAUGE, DURATION, HISTOGRAM, MAPPEDMETRIC; did you mean `GAUGE`?",
        "told query `pg_postmaster`: `pg_postmaster_start_time_seconds` is left out: the built-in collector `server` publishes it",
        "told query `pg_postmaster`: no metric is left, so that it becomes no collector",
        "told query `pg_database`: `pg_database_size` is left out: the built-in collector `database_sizes` publishes it with `collect.aliases: true`",
        "told query `idle`: histogram `idle_seconds` becomes its series `…_bucket`, `…_sum` and `…_count`, without a type of their own",
        "told query `old`: left out: `runonserver` `<10.0.0` means no version from 13 on",
        "lost query `odd-name`: left out: `odd-name` may have only letters, digits and `_`",
        "lost query `odd-name`: left out: `odd-name_n` is no metric name: letters, digits, `_` and `:` only, and no digit first",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn what_is_no_such_file_is_refused() {
    for text in ["", "- a\n- b\n", "just words", "a: [1\n"] {
        assert!(import("x.yml", text).is_err(), "{text}");
    }
}
