//! Endpoints that fail in every way, and that are away for long.

use std::time::{Duration, Instant};

use pgvigil::sample::{Family, MetricKind, Source, Timestamp};

use super::wire::{decode, told};
use super::{Bench, PATIENCE, configure, held};
use crate::harness::{Answer, HttpSink, Request, eventually_async, free_port};

const QUICK: &str = "remote_timeout: 1s, metadata_config: {send: false}, \
    queue_config: {batch_send_deadline: 50ms, max_samples_per_send: 10, min_backoff: 1ms, max_backoff: 20ms}";

#[tokio::test(flavor = "multi_thread")]
async fn what_can_pass_is_sent_again_and_nothing_is_lost_or_out_of_order() {
    let (sink, other) = (HttpSink::start(), HttpSink::start());
    let second = Duration::from_secs(1);
    let failures = [
        Answer::new(500, &[], "starting"),
        Answer::bare(""),
        Answer::bare("I am no HTTP server\r\n\r\n"),
        Answer::default().after(3 * second),
        Answer::new(503, &[("Retry-After", "2")], ""),
        Answer::new(429, &[("Retry-After", "5")], "too many"),
    ];
    let count = failures.len();
    sink.script(failures);
    let bench = Bench::over(&format!(
        "
- {{name: a, url: '{}/push?x=1', headers: {{X-Scope-OrgID: us}}, authorization: {{credentials: token}}, {QUICK}}}
- {{name: b, url: '{}', {QUICK}}}",
        sink.url(),
        other.url(),
    ));
    let begun = Instant::now();
    for number in 0..20 {
        bench.cycle(number, 25);
    }
    bench.comes_to("b", "sent_samples_total", "", 500.0).await;
    let sent = bench.number("a", "sent_samples_total", "");
    assert_eq!(sent, 0.0, "the other waits for nobody");
    bench.comes_to("a", "sent_samples_total", "", 500.0).await;
    assert!(begun.elapsed() >= 8 * second, "it was not left alone");

    let requests = sink.requests();
    for request in &requests {
        assert_eq!(request.path, "/push?x=1");
        assert_eq!(request.header("x-scope-orgid"), Some("us"));
        assert_eq!(request.header("authorization"), Some("Bearer token"));
    }
    let (failed, taken) = requests.split_at(count);
    assert!(failed.iter().all(|request| request.bytes == taken[0].bytes));
    assert_eq!(told(taken), held(&bench.store));
    assert_eq!(told(&other.requests()), held(&bench.store));
    assert_eq!(
        bench.number("a", "retried_samples_total", ""),
        10.0 * count as f64
    );
    for reason in ["refused", "queue_full", "too_old", "missed"] {
        assert_eq!(
            bench.number("a", "lost_samples_total", reason),
            0.0,
            "{reason}"
        );
    }
    let sent: usize = taken.iter().map(|request| request.bytes.len()).sum();
    assert_eq!(bench.number("a", "sent_bytes_total", ""), sent as f64);
    let newest = bench.number("a", "newest_sent_timestamp_seconds", "");
    assert_eq!(newest, bench.at(19).seconds());
    let last = bench.number("a", "last_success_timestamp_seconds", "");
    assert!(Timestamp::now().seconds() - last < 60.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_lost_and_what_follows_is_not() {
    let sink = HttpSink::start();
    let elsewhere = HttpSink::start();
    let away = [("Location", elsewhere.url())];
    let away = away.each_ref().map(|(name, to)| (*name, to.as_str()));
    let refusals =
        [400, 401, 404, 408, 413, 422, 307].map(|status| Answer::new(status, &away, "no"));
    let count = refusals.len();
    sink.script(refusals);
    let bench = Bench::over(&format!("[{{name: a, url: '{}', {QUICK}}}]", sink.url()));
    for number in 0..10 {
        bench.cycle(number, 10);
    }
    bench.comes_to("a", "sent_samples_total", "", 30.0).await;
    assert_eq!(bench.number("a", "lost_samples_total", "refused"), 70.0);
    assert_eq!(bench.number("a", "retried_samples_total", ""), 0.0);
    let requests = sink.requests();
    assert_eq!(requests.len(), 10);
    let whole = held(&bench.store);
    let first_taken = bench.at(count as u32).0;
    for (labels, points) in told(&requests[count..]) {
        let newest = whole[&labels].iter().filter(|(at, _)| *at >= first_taken);
        assert_eq!(points, newest.copied().collect::<Vec<_>>());
    }
    assert_eq!(elsewhere.requests().len(), 0, "no redirect is followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_costs_the_oldest_samples_and_bounded_memory() {
    let port = free_port();
    let endpoint = |url: &str, more: &str| {
        format!(
            "[{{name: a, url: '{url}', metadata_config: {{send: false}}, queue_config: {{max_bytes: 20kB, \
             batch_send_deadline: 50ms, max_backoff: 100ms, max_samples_per_send: 100{more}}}}}]"
        )
    };
    let url = format!("http://127.0.0.1:{port}");
    let bench = Bench::over(&endpoint(&url, ""));
    let mut given = 0.0;
    for number in 0..300 {
        bench.cycle(number, 100);
        given += 100.0;
        if number % 10 == 9 {
            let accounted = || {
                bench.number("a", "queued_samples", "")
                    + bench.number("a", "lost_samples_total", "queue_full")
            };
            eventually_async("all are gathered", PATIENCE, || async {
                (accounted() == given).then_some(())
            })
            .await;
            assert!(bench.number("a", "queued_bytes", "") <= 20_000.0);
        }
    }
    let lost = bench.number("a", "lost_samples_total", "queue_full");
    assert!(lost >= given / 2.0, "{lost}");
    let sink = HttpSink::listen(port);
    bench
        .comes_to("a", "sent_samples_total", "", given - lost)
        .await;
    let kept = held(&bench.store).into_iter().map(|(labels, points)| {
        let first = (lost / 100.0) as usize;
        (labels, points[first..].to_vec())
    });
    assert_eq!(told(&successful(&sink)), kept.collect());
    assert_eq!(bench.number("a", "lost_samples_total", "queue_full"), lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_is_not_sent() {
    let sink = HttpSink::start();
    let limits = QUICK.replace("50ms,", "50ms, sample_age_limit: 1m,");
    let bench = Bench::over(&format!("[{{name: a, url: '{}', {limits}}}]", sink.url()));
    bench.cycle(0, 10);
    bench
        .comes_to("a", "lost_samples_total", "too_old", 10.0)
        .await;
    // Half an hour after the first, which is now.
    bench.cycle(1800, 10);
    bench.comes_to("a", "sent_samples_total", "", 10.0).await;
    assert_eq!(sink.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_outlives_a_reload_and_is_sent_at_the_end() {
    let port = free_port();
    let endpoints = format!(
        "[{{name: a, url: 'http://127.0.0.1:{port}'}}, {{name: gone, url: 'http://127.0.0.1:{port}/gone'}}]"
    );
    let mut bench = Bench::over(&endpoints);
    bench.cycle(0, 10);
    bench.comes_to("a", "queued_samples", "", 10.0).await;
    bench.stop().await;
    bench.cycle(1, 10);
    bench.configure(&format!(
        "[{{name: a, url: 'http://127.0.0.1:{port}/again'}}]"
    ));
    bench.cycle(2, 10);
    let sink = HttpSink::listen(port);
    bench.remote.farewell().await;
    assert_eq!(told(&sink.requests()), held(&bench.store));
    assert!(
        sink.requests()
            .iter()
            .all(|request| request.path == "/again")
    );
    assert_eq!(bench.number("a", "sent_samples_total", ""), 30.0);

    bench.cycle(3, 10);
    let other = Bench::over("[]");
    let settings = format!("[{{name: a, url: 'http://127.0.0.1:{port}/again'}}]");
    configure(&bench.remote, &settings, &other.store);
    other.cycle(4, 10);
    bench.remote.farewell().await;
    let mut whole = held(&bench.store);
    for (labels, points) in held(&other.store) {
        whole.entry(labels).or_default().extend(points);
    }
    assert_eq!(
        told(&sink.requests()),
        whole,
        "another store lost something"
    );

    let stuck = HttpSink::start();
    stuck.usually(Answer::default().after(PATIENCE));
    bench.configure(&format!("[{{name: b, url: '{}'}}]", stuck.url()));
    bench.cycle(5, 10);
    let begun = Instant::now();
    bench.remote.farewell().await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "the end waits for nobody"
    );
    assert_eq!(bench.number("b", "queued_samples", ""), 10.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_described() {
    let sink = HttpSink::start();
    let bench = Bench::over(&format!(
        "[{{url: '{}', metadata_config: {{send_interval: 1s}}}}]",
        sink.url()
    ));
    let source = Source::new("db", "", "x");
    bench.board.declare(&source, PATIENCE, 3);
    let sample = |name: &str, kind| pgvigil::sample::Sample {
        family: Family {
            name: name.into(),
            kind,
            help: format!("Help of {name}.").into(),
        }
        .into(),
        labels: Default::default(),
        value: 1.0,
    };
    let samples = vec![
        sample("a_total", MetricKind::Counter),
        sample("b", MetricKind::Gauge),
        sample("c_bucket", MetricKind::Histogram),
        sample("c_sum", MetricKind::Histogram),
        sample("d", MetricKind::Unknown),
    ];
    bench
        .board
        .publish(&source, Timestamp::now(), Duration::ZERO, samples, 0);
    let described = eventually_async("metadata comes", PATIENCE, || async {
        let requests = sink.requests();
        requests
            .iter()
            .map(decode)
            .find(|request| !request.metadata.is_empty())
    })
    .await;
    let told: Vec<(&str, i32, &str)> = described
        .metadata
        .iter()
        .map(|metric| (metric.name.as_str(), metric.kind, metric.help.as_str()))
        .collect();
    let expected = [
        ("a_total", 1, "Help of a_total."),
        ("b", 2, "Help of b."),
        ("c", 3, "Help of c_sum."),
        ("d", 0, "Help of d."),
    ];
    assert_eq!(told, expected);
}

/// The last of requests that are the same: those before it were not answered in time.
fn successful(sink: &HttpSink) -> Vec<Request> {
    let mut requests = sink.requests();
    requests.dedup_by(|next, one| next.bytes == one.bytes);
    requests
}
