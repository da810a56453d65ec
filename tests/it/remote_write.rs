//! Remote write before real Prometheus servers, and before endpoints that misbehave.

mod guarded;
mod misbehaving;
mod whole;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use pgvigil::document::{Reader, parse};
use pgvigil::remote_write::{RemoteWrite, Settings};
use pgvigil::sample::{Labels, NAME, STALE, Sources, Timestamp};
use pgvigil::scrape::Board;
use pgvigil::store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{Prometheus, eventually_async, free_port};
use guarded::Guarded;
use wire::Told;

const PATIENCE: Duration = Duration::from_secs(60);

/// The room over a store that the test fills.
struct Bench {
    store: Arc<Store>,
    board: Arc<Board>,
    remote: Arc<RemoteWrite>,
    running: JoinHandle<()>,
    stop: CancellationToken,
    /// When the first cycle was.
    start: Timestamp,
}

impl Bench {
    /// `endpoints` is the list below `remote_write`.
    fn over(endpoints: &str) -> Bench {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = pgvigil::store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 64 << 20,
        };
        let start = Timestamp::now().before(Duration::from_secs(1800));
        let store = Arc::new(Store::new(&settings, start));
        let board = Arc::new(Board::new(store.clone(), false));
        let (remote, stop) = (Arc::<RemoteWrite>::default(), CancellationToken::new());
        configure(&remote, endpoints, &store);
        let (sending, told, stopped) = (remote.clone(), board.clone(), stop.clone());
        let running = tokio::spawn(async move { sending.run(&told, stopped).await });
        Bench {
            store,
            board,
            remote,
            running,
            stop,
            start,
        }
    }

    /// Stops sending; what waits is kept.
    async fn stop(&mut self) {
        self.stop.cancel();
        (&mut self.running).await.unwrap();
    }

    fn configure(&self, endpoints: &str) {
        configure(&self.remote, endpoints, &self.store);
    }

    /// Samples of so many series, a second after those before.
    fn cycle(&self, number: u32, series: u32) {
        let samples = (0..series).map(|place| (labelled(place), f64::from(number * 1000 + place)));
        self.store
            .append(self.at(number), &Sources::default(), samples);
    }

    fn at(&self, cycle: u32) -> Timestamp {
        self.start + Duration::from_secs(cycle.into())
    }

    /// A number about an endpoint; `reason` only where samples were lost.
    fn number(&self, name: &str, metric: &str, reason: &str) -> f64 {
        let samples = self.remote.samples();
        let found = samples.iter().find(|sample| {
            let labels = &sample.labels;
            sample.family.name.strip_prefix("pgvigil_remote_write_") == Some(metric)
                && labels.get("remote_name") == name
                && labels.get("reason") == reason
        });
        found.map_or(0.0, |sample| sample.value)
    }

    async fn comes_to(&self, name: &str, metric: &str, reason: &str, expected: f64) {
        let what = format!("{metric} {reason} of {name} is {expected}");
        eventually_async(&what, PATIENCE, || async {
            (self.number(name, metric, reason) == expected).then_some(())
        })
        .await;
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn settings(endpoints: &str) -> Vec<Settings> {
    let (none, yaml) = (|_: &str| None, format!("remote_write: {endpoints}\n"));
    let reader = Reader::new(Some(&none));
    let settings = reader.read(&parse("test", &yaml).unwrap(), Settings::read_all);
    assert_eq!(reader.problems(), []);
    settings
}

fn configure(remote: &RemoteWrite, endpoints: &str, store: &Arc<Store>) {
    remote.configure(&settings(endpoints), &external(), store);
}

fn external() -> Labels {
    Labels::new([("cluster", "west"), ("job", "external")])
}

fn labelled(place: u32) -> Labels {
    let (instance, datname) = (format!("db{}", place % 3), format!("d\u{fc} \"{place}\""));
    Labels::new([
        (NAME, "pg_database_size_bytes"),
        ("instance", &instance),
        ("job", "pgvigil"),
        ("datname", &datname),
    ])
}

/// A Prometheus that takes samples.
fn receiver(flags: &[&str]) -> Prometheus {
    let flags = [&["--web.enable-remote-write-receiver"], flags].concat();
    Prometheus::configured("", &flags)
}

/// All that the store holds, as it should be told.
fn held(store: &Store) -> Told {
    let all = store.select(&[], Timestamp(0), Timestamp(i64::MAX));
    let told = all.into_iter().map(|series| {
        let points = series.points.iter();
        let points = points.map(|(at, value)| (at.0, value.to_bits())).collect();
        (external().merged(&series.labels).to_string(), points)
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_holds_what_the_store_does() {
    let (plain, guarded) = (receiver(&[]), Guarded::start());
    let bench = Bench::over(&format!(
        "
- {{name: plain, url: '{}/api/v1/write', queue_config: {{batch_send_deadline: 100ms}}}}
- {{name: guarded, {}, queue_config: {{batch_send_deadline: 100ms, max_samples_per_send: 7}}}}
- {{name: dead, url: 'http://127.0.0.1:{}'}}",
        plain.url(),
        guarded.endpoint(),
        free_port(),
    ));
    for number in 0..40 {
        bench.cycle(number, 50);
    }
    let special = [
        f64::NAN,
        f64::INFINITY,
        f64::MIN_POSITIVE,
        1e300,
        -0.1,
        STALE,
    ];
    for (number, value) in (40..).zip(special) {
        let samples = [(labelled(0), value), (labelled(1), 1.0)];
        bench
            .store
            .append(bench.at(number), &Sources::default(), samples);
    }
    let count = 40.0 * 50.0 + 12.0;
    for name in ["plain", "guarded"] {
        bench.comes_to(name, "sent_samples_total", "", count).await;
        assert_eq!(bench.number(name, "queued_samples", ""), 0.0);
        assert_eq!(bench.number(name, "lag_seconds", ""), 0.0);
    }
    bench.comes_to("dead", "queued_samples", "", count).await;
    assert_eq!(bench.number("dead", "lag_seconds", ""), 45.0);
    assert!(bench.number("dead", "retried_samples_total", "") > 0.0);

    let expected = wire::without_markers(held(&bench.store));
    for (url, curl) in [
        (plain.url(), String::new()),
        (guarded.url(), guarded.curl()),
    ] {
        assert_eq!(wire::raw(&url, &curl), expected, "{url}");
        let ended = format!("count({{datname={:?}}})", labelled(0).get("datname"));
        let counted = |at: i64| wire::query(&url, &curl, &ended, Timestamp(at));
        let end = bench.at(45).0;
        assert_eq!(counted(end - 1).len(), 1, "{url}: before its end");
        assert_eq!(counted(end).len(), 0, "{url}: the staleness marker counts");
    }
}
