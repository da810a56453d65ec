//! The watch over real servers: what fails alone, what stays fresh, and how little it takes.

mod lookups;
mod many;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pgvigil::collectors::{self, Override, load};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::{NAME, Source, Timestamp, is_stale};
use pgvigil::scrape::{Board, LIVENESS, Status, once, run};
use pgvigil::server::{Server, Settings, grants};
use pgvigil::store::{Matcher, Store, Test};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

use crate::harness::{Postgres, eventually, free_port};

const SECOND: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(30);

/// Every collector every second, whatever its file says.
fn settings(own: &[(String, String)]) -> collectors::Settings {
    let reader = Reader::new(None);
    let root = parse("test", "{timeout: 2s, load_budget: off}").unwrap();
    let settings = reader.read(&root, collectors::Settings::read);
    let every_second = |name: &str| {
        let change = Override {
            interval: Some(SECOND),
            timeout: None,
        };
        (name.to_owned(), change)
    };
    let catalogue = load(own).unwrap();
    collectors::Settings {
        interval: SECOND,
        overrides: catalogue
            .iter()
            .map(|collector| every_second(&collector.name))
            .collect(),
        ..settings
    }
}

fn server(url: &str) -> Arc<Server> {
    let settings = Settings {
        name: "db".into(),
        ..Settings::from_url(url).unwrap()
    };
    Arc::new(Server::new(settings, 2 * SECOND))
}

/// A watch over one server, ended on drop.
struct Watch {
    store: Arc<Store>,
    board: Arc<Board>,
    stop: CancellationToken,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Watch {
    fn over(url: &str) -> Self {
        Watch::with(url, &[])
    }

    fn with(url: &str, own: &[(String, String)]) -> Self {
        Watch::set(url, own, settings(own))
    }

    fn set(url: &str, own: &[(String, String)], settings: collectors::Settings) -> Self {
        let store = pgvigil::store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 64 << 20,
        };
        let store = Arc::new(Store::new(&store, Timestamp::now()));
        let board = Arc::new(Board::new(Arc::clone(&store), false));
        let stop = CancellationToken::new();
        let catalogue = load(own).unwrap();
        tokio::spawn(run(
            vec![server(url)],
            catalogue,
            settings,
            Arc::clone(&board),
            Arc::default(),
            stop.clone(),
        ));
        Watch { store, board, stop }
    }

    /// The page, without what is told about the reading itself.
    fn page(&self) -> BTreeSet<String> {
        let asked = Instant::now();
        let current = self.board.current();
        assert!(
            asked.elapsed() < SECOND,
            "the page took {:?}",
            asked.elapsed()
        );
        let told = current
            .iter()
            .filter(|(source, _)| source.collector.as_ref() != "collectors");
        let samples = told.flat_map(|(_, samples)| samples.iter());
        samples
            .map(|sample| format!("{}{}", sample.family.name, sample.labels))
            .collect()
    }

    fn value(&self, series: &str) -> Option<f64> {
        let current = self.board.current();
        let mut samples = current.iter().flat_map(|(_, samples)| samples.iter());
        let found = samples.find(|sample| {
            format!("{}{}", sample.family.name, sample.labels).trim_end_matches("{}") == series
        });
        found.map(|sample| sample.value)
    }

    fn is_up(&self, wanted: bool, deadline: Duration) -> Duration {
        let asked = Instant::now();
        let value = f64::from(u8::from(wanted));
        eventually(&format!("pg_up is {value}"), deadline, || {
            (self.value("pg_up") == Some(value)).then_some(())
        });
        asked.elapsed()
    }

    /// The statuses once every planned source has succeeded after `since`.
    fn all_read_since(&self, since: Timestamp) -> Vec<Status> {
        let start = Instant::now();
        loop {
            let statuses = self.board.statuses();
            let late: Vec<String> = statuses
                .iter()
                .filter(|status| status.last_success.is_none_or(|success| success <= since))
                .map(|status| format!("{}: {:?}", status.source, status.error))
                .collect();
            if late.is_empty() && statuses.len() > 20 {
                return statuses;
            }
            assert!(start.elapsed() < PATIENCE, "not read: {late:#?}");
            std::thread::sleep(SECOND / 50);
        }
    }

    /// Waits for a page that has every lasting series of an earlier one but for those that may go. Under load a reading
    /// comes late and its samples expire for a moment, at an interval of a second sooner than anywhere else.
    fn keeps(&self, before: &BTreeSet<String>, may_go: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let start = Instant::now();
        loop {
            let page = self.page();
            let lost: Vec<_> = before
                .difference(&page)
                .filter(|series| !of_the_moment(series) && !may_go(series))
                .collect();
            if lost.is_empty() {
                return page;
            }
            assert!(start.elapsed() < PATIENCE, "lost: {lost:#?}");
            std::thread::sleep(SECOND / 50);
        }
    }

    /// The points of a metric since a moment.
    fn points(&self, metric: &str, since: Timestamp) -> Vec<f64> {
        let matcher = Matcher {
            name: NAME.into(),
            test: Test::Equal(metric.into()),
        };
        let found = self.store.select(&[matcher], since, Timestamp(i64::MAX));
        found
            .iter()
            .flat_map(|series| series.points.iter().map(|(_, value)| *value))
            .collect()
    }
}

/// A session that has run its statements and stays for as long as it is kept.
async fn session(postgres: &Postgres, user: &str, sql: &str) -> Client {
    let client = connect(postgres, user).await.unwrap();
    client.batch_execute(sql).await.unwrap();
    client
}

async fn connect(postgres: &Postgres, user: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(postgres.port());
    config.user(user).dbname("postgres");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn sessions_of_ours(postgres: &Postgres) -> usize {
    let count = postgres.sql(
        "postgres",
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgvigil'",
    );
    count.parse().unwrap()
}

/// Whether a series tells of sessions and locks, which come and go with the test itself.
fn of_the_moment(series: &str) -> bool {
    let names = [
        "pg_stat_activity",
        "pg_connections{",
        "pg_locks",
        "pg_xmin_horizon",
        "pg_processes",
        "pg_wait_events",
        "pg_stat_io",
    ];
    names.iter().any(|name| series.starts_with(name))
}

fn watched(major: u32, options: &[&str]) -> Postgres {
    let postgres = Postgres::with(major, options);
    postgres.sql("postgres", &grants("mon", Some(major)));
    for database in ["template1", "postgres"] {
        postgres.sql(database, &collectors::further_grants("mon"));
    }
    postgres
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_costs_its_own_series_only() {
    for major in [15, 18] {
        let postgres = watched(major, &[]);
        let tables = "SELECT format('CREATE TABLE t%s (id int PRIMARY KEY, v text)', n) FROM generate_series(1, 100) n \\gexec";
        postgres.sql("postgres", tables);
        let watch = Watch::over(&postgres.url("mon", "postgres"));
        watch.all_read_since(Timestamp(0));
        let before = watch.page();
        assert!(before.len() > 1000, "{}", before.len());

        let _held = session(
            &postgres,
            "postgres",
            "BEGIN; LOCK TABLE t7 IN ACCESS EXCLUSIVE MODE",
        )
        .await;
        let _read = session(&postgres, "postgres", "BEGIN; SELECT * FROM t8").await;
        let waiting = session(&postgres, "postgres", "BEGIN").await;
        let awaited = tokio::spawn(async move {
            waiting
                .batch_execute("LOCK TABLE t8 IN ACCESS EXCLUSIVE MODE")
                .await
        });
        eventually("both locks are there", PATIENCE, || {
            let locks = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IN ('t7'::regclass, 't8'::regclass)";
            (postgres.sql("postgres", locks) == "2").then_some(())
        });
        let mut most = 0;
        for _ in 0..3 {
            watch.all_read_since(Timestamp::now());
            most = most.max(sessions_of_ours(&postgres));
        }
        let its_own = |series: &str| {
            [r#""t7""#, r#""t8""#]
                .iter()
                .any(|table| series.contains(table))
        };
        let after = watch.keeps(&before, its_own);
        assert!(
            after.len() * 100 >= before.len() * 99,
            "{major}: {} of {}",
            after.len(),
            before.len()
        );
        assert!(most <= 2, "{most} connections");
        awaited.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_server_is_down_within_five_seconds_and_the_page_stays() {
    let postgres = watched(18, &[]);
    let watch = Watch::over(&postgres.url("mon", "postgres"));
    watch.all_read_since(Timestamp(0));
    postgres.freeze();
    let noticed = watch.is_up(false, 5 * SECOND);
    println!("a hung server is down after {noticed:?}");
    assert!(!watch.page().is_empty());
    postgres.thaw();
    watch.is_up(true, 5 * SECOND);
    watch.all_read_since(Timestamp::now());
    assert!(sessions_of_ours(&postgres) <= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_not_said_to_be_down_once_it_is_back() {
    let postgres = watched(15, &[]);
    let watch = Watch::over(&postgres.url("mon", "postgres"));
    watch.all_read_since(Timestamp(0));
    postgres.stop();
    watch.is_up(false, 2 * SECOND);
    postgres.start_again();
    watch.is_up(true, SECOND);
    let back = Timestamp::now();
    watch.all_read_since(back);
    postgres.stop();
    postgres.start_again();
    watch.is_up(true, SECOND);
    let again = Timestamp::now();
    watch.all_read_since(again + SECOND);
    assert!(
        watch.points("pg_up", again).iter().all(|up| *up == 1.0),
        "{:?}",
        watch.points("pg_up", again)
    );
    assert!(watch.points("up", Timestamp(0)).iter().all(|up| *up == 1.0));
    assert!(
        !watch.page().iter().any(|series| series.starts_with("up")),
        "Prometheus writes `up` itself"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_keeps_every_series() {
    let postgres = watched(
        18,
        &[
            "max_connections=16",
            "superuser_reserved_connections=3",
            "reserved_connections=3",
        ],
    );
    postgres.sql("postgres", "CREATE ROLE app LOGIN;\nCREATE DATABASE second");
    let watch = Watch::over(&postgres.url("mon", "postgres"));
    watch.all_read_since(Timestamp(0));
    let before = watch.page();
    let mut crowd = Vec::new();
    while let Ok(client) = connect(&postgres, "app").await {
        crowd.push(client);
    }
    assert!(crowd.len() >= 6, "ordinary users have all they can have");
    for _ in 0..3 {
        watch.all_read_since(Timestamp::now());
    }
    watch.keeps(&before, |_| false);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_databases_take_two_connections() {
    let postgres = watched(15, &[]);
    let databases = "SELECT format('CREATE DATABASE d%s', n) FROM generate_series(1, 20) n \\gexec";
    postgres.sql("postgres", databases);
    let watch = Watch::over(&postgres.url("mon", "postgres"));
    let mut most = 0;
    let start = Instant::now();
    while watch
        .board
        .statuses()
        .iter()
        .filter(|status| !status.source.database.is_empty() && status.last_success.is_some())
        .count()
        < 20
    {
        most = most.max(sessions_of_ours(&postgres));
        assert!(start.elapsed() < PATIENCE, "not every database was visited");
    }
    let since = Timestamp::now();
    let visited: BTreeSet<_> = watch
        .all_read_since(since)
        .into_iter()
        .map(|status| status.source.database)
        .collect();
    assert_eq!(
        visited.len(),
        22,
        "the server, its first database and twenty more: {visited:?}"
    );
    assert!((1..=2).contains(&most), "{most} connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_always_late_follows_the_databases() {
    let collector = "
name: dawdler
doc: Takes longer than its interval.
scope: database
interval: 1s
labels: [datname]
queries:
  - sql: SELECT current_database() AS datname, 1 AS one, pg_sleep(0.8)
metrics:
  test_one: {from: one, help: One.}
";
    let postgres = watched(15, &[]);
    postgres.sql("postgres", "CREATE DATABASE second");
    let own = [("dawdler.yml".to_owned(), collector.to_owned())];
    let watch = Watch::with(&postgres.url("mon", "postgres"), &own);
    let read = |database: &str| {
        let series = format!("test_one{{datname=\"{database}\"}}");
        eventually(&series, PATIENCE, || watch.value(&series));
    };
    // A new session has the plan made anew.
    let plan_anew =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgvigil'";
    read("second");
    postgres.sql("postgres", "CREATE DATABASE third");
    postgres.sql("postgres", plan_anew);
    read("third");
    postgres.sql("postgres", "DROP DATABASE second WITH (FORCE)");
    postgres.sql("postgres", plan_anew);
    eventually("the database is forgotten", PATIENCE, || {
        let statuses = watch.board.statuses();
        let gone = |status: &Status| status.source.database.as_ref() == "second";
        (!statuses.iter().any(gone)).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_expires_after_three_intervals_with_a_marker() {
    let collector = "
name: fragile
doc: Fails when told to.
interval: 1s
queries:
  - sql: SELECT 1 / n AS share FROM public.told
metrics:
  test_share: {from: share, help: A share.}
";
    let postgres = watched(15, &[]);
    postgres.sql(
        "postgres",
        "CREATE TABLE told AS SELECT 1 AS n;\nGRANT SELECT ON told TO mon",
    );
    let own = [("fragile.yml".to_owned(), collector.to_owned())];
    let watch = Watch::with(&postgres.url("mon", "postgres"), &own);
    eventually("it is read", PATIENCE, || watch.value("test_share"));
    postgres.sql("postgres", "UPDATE told SET n = 0");
    let source = Source::new("db", "", "fragile");
    let failed = eventually("it fails", PATIENCE, || {
        let statuses = watch.board.statuses();
        statuses
            .into_iter()
            .find(|status| status.source == source && status.error.is_some())
    });
    assert_eq!(failed.error.as_deref(), Some("division by zero (22012)"));
    assert_eq!(
        watch.value("test_share"),
        Some(1.0),
        "the last sample stays for now"
    );
    eventually("it becomes absent", 6 * SECOND, || {
        watch.value("test_share").is_none().then_some(())
    });
    let last = failed.last_success.unwrap();
    assert!(Timestamp::now().since(last) >= 3 * SECOND);
    assert!(
        watch
            .points("test_share", Timestamp(0))
            .last()
            .copied()
            .is_some_and(is_stale)
    );
    assert_eq!(
        watch.value(r#"pgvigil_collector_success{collector="fragile"}"#),
        Some(0.0)
    );
    assert_eq!(watch.value("pg_exporter_last_scrape_error"), Some(1.0));
    postgres.sql("postgres", "UPDATE told SET n = 1");
    eventually("it comes back", PATIENCE, || watch.value("test_share"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_too_much_is_read_less_often_and_stays_fresh() {
    let collector = "
name: dear
doc: Takes as long as it is told.
interval: 1s
lane: slow
lifetime: 1
queries:
  - sql: SELECT seconds AS told, pg_sleep(seconds) FROM public.told
metrics:
  test_told_seconds: {from: told, help: What it takes.}
";
    let postgres = watched(15, &[]);
    postgres.sql(
        "postgres",
        "CREATE TABLE told AS SELECT 0.6 AS seconds;\nGRANT SELECT ON told TO mon",
    );
    let own = [("dear.yml".to_owned(), collector.to_owned())];
    let settings = collectors::Settings {
        load_budget: Some(0.2),
        interval: 60 * SECOND,
        overrides: Vec::new(),
        ..settings(&own)
    };
    let watch = Watch::set(&postgres.url("mon", "postgres"), &own, settings);
    let source = Source::new("db", "", "dear");
    let status = || {
        let statuses = watch.board.statuses();
        statuses.into_iter().find(|status| status.source == source)
    };
    let wide = eventually("it is widened", PATIENCE, || {
        status().filter(|status| status.interval >= 4 * SECOND)
    });
    assert!(wide.interval <= 8 * SECOND, "{:?}", wide.interval);
    let read_after = |last| {
        eventually("it is read again", PATIENCE, || {
            assert!(watch.value("test_told_seconds").is_some(), "it went stale");
            status()?.last_success.filter(|success| *success > last)
        })
    };
    let first = read_after(wide.last_success.unwrap());
    let after = read_after(first).since(first);
    assert!(after >= 2 * SECOND, "{after:?}");
    let reported = || watch.value(r#"pgvigil_collector_interval_seconds{collector="dear"}"#);
    eventually("it is reported", PATIENCE, || {
        reported().filter(|seconds| *seconds >= 4.0)
    });
    postgres.sql("postgres", "UPDATE told SET seconds = 0");
    eventually("it is narrowed again", PATIENCE, || {
        status().filter(|status| status.interval == SECOND)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_at_the_start_recovers_by_itself() {
    let postgres = watched(18, &[]);
    postgres.stop();
    let watch = Watch::over(&postgres.url("mon", "postgres"));
    watch.is_up(false, 2 * SECOND);
    let (planned, unknown) = (
        Source::new("db", "", LIVENESS),
        Source::new("db", "", "gone"),
    );
    assert!(!watch.board.retired(&unknown), "no plan is known yet");
    let cause = || {
        let mut statuses = watch.board.statuses().into_iter();
        statuses
            .find(|status| status.source == planned)
            .and_then(|status| status.error)
    };
    let cause = eventually("the cause is known", PATIENCE, cause);
    assert!(cause.contains("cannot connect to"), "{cause}");
    postgres.start_again();
    watch.is_up(true, 2 * SECOND);
    watch.all_read_since(Timestamp(0));
    assert!(watch.board.retired(&unknown) && !watch.board.retired(&planned));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_end_nothing() {
    let postgres = watched(15, &[]);
    postgres.sql("postgres", "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;\nCREATE DATABASE cafe");
    postgres.sql("bytes", &collectors::further_grants("mon"));
    postgres.sql("bytes", "SELECT format('CREATE TABLE %I (n int PRIMARY KEY)', 'caf' || chr(233)) \\gexec\nCREATE TABLE plain (n int)");
    postgres.sql(
        "bytes",
        "UPDATE pg_database SET datname = ('caf' || chr(233))::name WHERE datname = 'cafe'",
    );
    for database in ["postgres", "bytes"] {
        let watch = Watch::over(&postgres.url("mon", database));
        let statuses = watch.all_read_since(Timestamp(0));
        let dropped: u64 = statuses.iter().map(|status| status.dropped).sum();
        assert!(
            dropped > 0,
            "{database}: the rows that are no text are counted"
        );
        let plain = |series: &String| {
            series.contains(r#"datname="bytes""#) && series.contains(r#"relname="plain""#)
        };
        assert!(watch.page().iter().any(plain), "{database}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_reads_everything_there_is() {
    let postgres = watched(18, &[]);
    let (server, catalogue) = (server(&postgres.url("mon", "postgres")), load(&[]).unwrap());
    let readings = once(&server, &catalogue, &settings(&[])).await.unwrap();
    let failed: Vec<_> = readings
        .iter()
        .filter(|reading| reading.outcome.is_err())
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    let of = |collector: &str| {
        readings
            .iter()
            .filter(|reading| reading.source.collector.as_ref() == collector)
            .count()
    };
    assert_eq!((of(LIVENESS), of("settings"), of("table_sizes")), (1, 1, 1));
    let url = format!("postgresql://mon@127.0.0.1:{}/postgres", free_port());
    let down = once(&self::server(&url), &catalogue, &settings(&[]))
        .await
        .unwrap_err();
    assert!(
        down.hint.is_some() && down.to_string().contains("cannot connect to"),
        "{down:?}"
    );
}
