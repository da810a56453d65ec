//! The estimates of bloat against tables and indexes of which it is known how much of them is waste.

use super::{collect, value};
use crate::harness::Postgres;

/// How far an estimate may lie from the truth, as a share of the whole.
const TOLERANCE: f64 = 0.1;

#[tokio::test]
async fn bloat_is_estimated_within_a_tenth() {
    for major in [13, 18] {
        let postgres = Postgres::with(major, &["autovacuum=off"]);
        postgres.sql(
            "postgres",
            "CREATE TABLE half (id bigserial PRIMARY KEY, a int, b text);
             INSERT INTO half (a, b) SELECT n, md5(n::text) FROM generate_series(1, 50000) AS n;
             DELETE FROM half WHERE id % 2 = 0;
             CREATE TABLE mixed (a smallint, b int, c bigint, d bool, e timestamptz, f text);
             INSERT INTO mixed SELECT 1, n, n, true, now(), repeat('x', n % 60) FROM generate_series(1, 50000) AS n;
             DELETE FROM mixed WHERE b % 10 < 7;
             CREATE TABLE roomy (a int, b text, c numeric, d uuid) WITH (fillfactor = 70);
             INSERT INTO roomy SELECT n, CASE WHEN n % 3 = 0 THEN repeat('z', n % 40) END, n * 1.5, md5(n::text)::uuid
               FROM generate_series(1, 50000) AS n;
             CREATE INDEX roomy_d ON roomy (d);
             CREATE INDEX roomy_few ON roomy ((a % 100));
             CREATE TABLE unjudged AS SELECT n FROM generate_series(1, 10000) AS n;
             VACUUM ANALYZE half, mixed, roomy; VACUUM unjudged",
        );
        let samples = collect(&postgres, &["table_bloat", "index_bloat"], "").await;
        let near = |metric: &str, labels: &[(&str, &str)], truth: f64| {
            let estimate = value(&samples, metric, labels).unwrap();
            let off = (estimate - truth).abs();
            assert!(
                off <= TOLERANCE,
                "{major}: {metric}{labels:?} is {estimate}, not {truth}"
            );
        };
        for (table, truth) in [("half", 0.5), ("mixed", 0.7), ("roomy", 0.0)] {
            near("pg_table_bloat_ratio", &[("relname", table)], truth);
        }
        for (index, truth) in [("half_pkey", 0.5), ("roomy_d", 0.0), ("roomy_few", 0.0)] {
            near("pg_index_bloat_ratio", &[("indexrelname", index)], truth);
        }
        let unjudged = value(&samples, "pg_table_bloat_ratio", &[("relname", "unjudged")]);
        assert_eq!(unjudged, None);
        let here = [("datname", "postgres")];
        let unjudged = value(&samples, "pg_tables_bloat_unjudged", &here);
        assert_eq!(unjudged, Some(1.0), "{major}");
    }
}
