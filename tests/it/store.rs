//! The store fed with what a real PostgreSQL says of itself.

use std::time::Duration;

use pgvigil::sample::{Labels, NAME, Source, Sources, Timestamp};
use pgvigil::store::{Settings, Store};

use super::harness::Postgres;

/// Every number of the statistics views, and every setting that is one: `name key value` per line.
const FACTS: &str = "
    SELECT 'database_' || key || ' ' || coalesce(datname, 'shared') || ' ' || value
      FROM pg_stat_database d, jsonb_each_text(to_jsonb(d)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'table_' || key || ' ' || relname || ' ' || value
      FROM pg_stat_all_tables t, jsonb_each_text(to_jsonb(t)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'bgwriter_' || key || ' - ' || value
      FROM pg_stat_bgwriter b, jsonb_each_text(to_jsonb(b)) WHERE value ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'settings_' || name || ' - ' || setting FROM pg_settings WHERE setting ~ '^-?[0-9]+([.][0-9]+)?$'
    UNION ALL
    SELECT 'size_bytes ' || datname || ' ' || pg_database_size(oid) FROM pg_database";

/// One more than a chunk holds, so that the cost of a chunk counts too.
const CYCLES: i64 = 121;

#[test]
fn real_metrics_take_two_bytes_per_sample_at_most() {
    let server = Postgres::start(15);
    server.sql(
        "postgres",
        "CREATE TABLE busy (id int PRIMARY KEY, note text)",
    );
    let settings = Settings {
        retention: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
    };
    let store = Store::new(&settings, Timestamp(0));
    let sources = Sources::one(Source::new("rachel", "", "all"));
    let mut first = 0;
    for cycle in 0..CYCLES {
        server.sql(
            "postgres",
            &format!("INSERT INTO busy SELECT {cycle} * 100 + n, md5(n::text) FROM generate_series(1, 1 + {cycle} % 7) n"),
        );
        let facts = server.sql("postgres", FACTS);
        let at = Timestamp(cycle * 15_000 + cycle * 13 % 7);
        store.append(at, &sources, facts.lines().map(sample));
        if cycle == 0 {
            first = store.size().bytes;
        }
    }
    let size = store.size();
    let each = (size.bytes - first) as f64 / (size.samples - size.series) as f64;
    let fixed = first as f64 / size.series as f64;
    println!("{size:?}: {each:.2} bytes per sample, {fixed:.0} bytes per series");
    assert!(
        size.series > 1000 && each <= 2.0,
        "{each:.2} bytes per sample"
    );
}

fn sample(line: &str) -> (Labels, f64) {
    let mut words = line.split(' ');
    let mut word = || words.next().expect("three words");
    let (name, key, value) = (word(), word(), word());
    let labels = [
        (NAME, name),
        ("instance", "rachel"),
        ("job", "pgvigil"),
        ("key", key),
    ];
    (Labels::new(labels), value.parse().expect("a number"))
}
