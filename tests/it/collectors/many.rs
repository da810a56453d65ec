//! A server with more tables than are shown: which ones, what is told of the others, and how to see them all.

use std::collections::{BTreeMap, BTreeSet};

use pgvigil::collectors::{Room, Run, Sampled, load, samples};
use pgvigil::sample::Sample;
use pgvigil::scrape::once;
use pgvigil::server::{self, Server};

use super::{PATIENCE, answers, planned, settings, value};
use crate::harness::Postgres;

const TABLES: usize = 2_000;
const SHOWN: usize = 1_500;
const LIMITED: [&str; 3] = ["tables", "table_io", "table_sizes"];

fn names(sampled: &Sampled) -> BTreeSet<&str> {
    let each = sampled.samples.iter();
    let named = each.map(|sample| sample.labels.get("relname"));
    named.filter(|name| !name.is_empty()).collect()
}

/// The sum of each metric over all series.
fn sums(samples: &[Sample]) -> BTreeMap<&str, f64> {
    let mut sums = BTreeMap::new();
    for sample in samples {
        *sums.entry(&*sample.family.name).or_default() += sample.value;
    }
    sums
}

async fn read(postgres: &Postgres, run: &Run, room: &Room) -> Sampled {
    samples(run, &answers(postgres, "postgres", run).await[0], room)
}

#[tokio::test]
async fn of_too_many_tables_the_largest_and_most_active_stay_and_the_others_are_summed() {
    let postgres = Postgres::start(18);
    postgres.sql(
        "postgres",
        &format!(
            "DO $$ BEGIN
               FOR n IN 1..{TABLES} LOOP
                 EXECUTE format('CREATE TABLE t%s WITH (autovacuum_enabled = off) AS SELECT %s AS n', n, n);
               END LOOP;
             END $$"
        ),
    );
    postgres.sql(
        "postgres",
        "INSERT INTO t1999 SELECT generate_series(1, 10000); VACUUM ANALYZE t1999;
         DO $$ BEGIN FOR n IN 1..50 LOOP PERFORM FROM t2000; END LOOP; END $$",
    );
    for run in planned(&postgres, "postgres", "").await.runs {
        if !LIMITED.contains(&&*run.collector.name) {
            continue;
        }
        let what = &run.collector.name;
        let whole = read(&postgres, &run, &Room::default()).await;
        assert_eq!(names(&whole).len(), TABLES, "{what} without a cap");
        assert_eq!(whole.rest, None);

        let series = Some(30_000);
        let shown = whole.shown.clone();
        let first = read(&postgres, &run, &Room { series, shown }).await;
        assert_eq!(names(&first).len(), SHOWN, "{what}");
        assert_eq!(first.dropped, 0);
        assert!(names(&first).contains("t1999"), "{what}: the largest");
        assert!(names(&first).contains("t2000"), "{what}: the most active");

        let rest = first.rest.as_ref().unwrap();
        assert_eq!(rest.rows as usize, TABLES - SHOWN);
        let (all, kept) = (sums(&whole.samples), sums(&first.samples));
        assert!(!rest.values.is_empty());
        for (metric, value) in &rest.values {
            assert_eq!(kept[&**metric] + value, all[&**metric], "{metric}");
        }
        let shown = first.shown.clone();
        let second = read(&postgres, &run, &Room { series, shown }).await;
        assert_eq!(names(&second), names(&first), "{what} stays as it is");
    }
    for (written, left_out) in [("", Some(500.0)), ("max_series: 0", None)] {
        let connection = server::Settings::from_url(&postgres.url("postgres", "postgres"));
        let server = Server::new(connection.unwrap(), PATIENCE);
        let readings = once(&server, &load(&[]).unwrap(), &settings(written)).await;
        let samples: Vec<Sample> = readings
            .unwrap()
            .into_iter()
            .flat_map(|reading| reading.outcome.unwrap())
            .collect();
        let of_sizes = [("collector", "table_sizes"), ("database", "postgres")];
        let rest = value(&samples, "pgvigil_collector_rest_rows", &of_sizes);
        assert_eq!(rest, left_out, "{written}");
        let of_size = [("metric", "pg_stat_user_tables_table_size_bytes")];
        let size = value(&samples, "pgvigil_collector_rest", &of_size);
        assert_eq!(size.is_some(), left_out.is_some(), "{written}");
    }
}
