//! Idle sessions: every group of them in a histogram of its own, and nothing where there are none.

use pgvigil::sample::Sample;

use super::{PATIENCE, collect, connect, value};
use crate::harness::{Postgres, eventually_async};

const BOUNDS: [&str; 10] = ["1", "2", "5", "15", "30", "60", "90", "120", "300", "+Inf"];

fn buckets(samples: &[Sample], group: [(&str, &str); 2]) -> Vec<f64> {
    let bucket = |bound: &&str| {
        let [state, application] = group;
        let labels = [state, application, ("le", *bound)];
        value(samples, "pg_process_idle_seconds_bucket", &labels)
    };
    BOUNDS.iter().filter_map(bucket).collect()
}

#[tokio::test]
async fn every_group_of_idle_sessions_is_counted() {
    for major in [13, 18] {
        let postgres = Postgres::start(major);
        let none = collect(&postgres, &["process_idle"], "").await;
        assert_eq!(none, [], "nobody is there");
        let mut sessions = Vec::new();
        for (application, statement) in [
            ("shop", "SELECT 1"),
            ("shop", "SELECT 1"),
            ("report", "SELECT 1"),
            ("shop", "BEGIN; SELECT 1"),
        ] {
            let session = connect(&postgres, "postgres", "postgres").await;
            let named = format!("SET application_name = '{application}'; {statement}");
            session.batch_execute(&named).await.unwrap();
            sessions.push(session);
        }
        let shop = [("state", "idle"), ("application_name", "shop")];
        let samples = eventually_async("they have idled for a second", PATIENCE, || async {
            let samples = collect(&postgres, &["process_idle"], "").await;
            (buckets(&samples, shop).first() == Some(&0.0)).then_some(samples)
        })
        .await;
        let groups = [
            (shop, 2.0),
            ([("state", "idle"), ("application_name", "report")], 1.0),
            (
                [
                    ("state", "idle in transaction"),
                    ("application_name", "shop"),
                ],
                1.0,
            ),
        ];
        for (group, expected) in groups {
            let count = value(&samples, "pg_process_idle_seconds_count", &group);
            assert_eq!(count, Some(expected), "{group:?}");
            let buckets = buckets(&samples, group);
            assert_eq!(buckets.len(), BOUNDS.len(), "{group:?}");
            assert!(buckets.is_sorted(), "{group:?}: {buckets:?}");
            assert_eq!(buckets.last(), Some(&expected), "{group:?}");
        }
        let sum = value(&samples, "pg_process_idle_seconds_sum", &shop);
        assert!(sum > Some(2.0), "{sum:?}");
    }
}
