//! Two hundred servers in one process: one real one under two hundred names, which therefore is asked little by each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pgvigil::collectors::{self, Collector, load};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::Timestamp;
use pgvigil::scrape::{Board, LIVENESS, Signs, run};
use pgvigil::server::{Server, Settings};
use pgvigil::store::Store;
use tokio_util::sync::CancellationToken;

use super::watched;
use crate::harness::eventually_async;

const SERVERS: usize = 200;

/// Twenty a second begin, and each has a cycle to read first, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is quick, what is slow, and what is read in each database.
fn few() -> Vec<Arc<Collector>> {
    let wanted = ["replication", "connections", "databases", "tables"];
    let mut all = load(&[]).unwrap();
    all.retain(|collector| wanted.contains(&&*collector.name));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_servers_are_read_without_a_rush() {
    let postgres = watched(18, &["max_connections=450"]);
    postgres.sql("postgres", "ALTER ROLE mon CONNECTION LIMIT -1");
    let names: Vec<String> = (0..SERVERS).map(|number| format!("db{number}")).collect();
    let server = |name: &String| {
        let url = postgres.url("mon", "postgres");
        let settings = Settings {
            name: name.clone(),
            ..Settings::from_url(&url).unwrap()
        };
        Arc::new(Server::new(settings, Duration::from_secs(5)))
    };
    let settings = pgvigil::store::Settings {
        retention: Duration::from_secs(3600),
        max_bytes: 64 << 20,
    };
    let store = Arc::new(Store::new(&settings, Timestamp::now()));
    let (board, signs) = (Arc::new(Board::new(store, true)), Arc::<Signs>::default());
    let stop = CancellationToken::new();
    let reader = Reader::new(None);
    let begun = Instant::now();
    tokio::spawn(run(
        names.iter().map(server).collect(),
        few(),
        reader.read(&parse("test", "{}").unwrap(), collectors::Settings::read),
        board.clone(),
        signs.clone(),
        stop.clone(),
    ));
    eventually_async("every server is up", PATIENCE, || async {
        let up = |name: &&String| signs.last(name).is_some_and(|sign| sign.up);
        (names.iter().filter(up).count() == SERVERS).then_some(())
    })
    .await;
    println!("{SERVERS} servers are up after {:?}", begun.elapsed());
    eventually_async("every server is read in full", PATIENCE, || async {
        let read = |name: &&String| {
            let statuses = board.statuses_of(name);
            let collectors = statuses
                .iter()
                .filter(|status| *status.source.collector != *LIVENESS);
            statuses.len() > 3 && { collectors }.all(|status| status.last_success.is_some())
        };
        (names.iter().filter(read).count() == SERVERS).then_some(())
    })
    .await;
    println!("and read in full after {:?}", begun.elapsed());
    let ours = "FROM pg_stat_activity WHERE application_name = 'pgvigil'";
    let count = |sql: &str| -> usize { postgres.sql("postgres", sql).parse().unwrap() };
    let sessions = count(&format!("SELECT count(*) {ours}"));
    assert!((SERVERS..=2 * SERVERS).contains(&sessions), "{sessions}");
    let most = count(&format!(
        "SELECT max(n) FROM (SELECT count(*) AS n {ours} GROUP BY date_trunc('second', backend_start)) AS s"
    ));
    assert!(most <= SERVERS / 2, "{most} sessions began in one second");
    stop.cancel();
}
