//! `/probe` and `/sd`: what a Prometheus that was set up for postgres_exporter asks, and what must never be asked.

use std::io::ErrorKind;
use std::net::TcpListener;

use super::ingest::Prometheus;
use super::roles::Watch;
use crate::harness::{Postgres, Scratch};

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_shows_one_server_as_postgres_exporter_does() {
    let (one, two) = (Postgres::start(18), Postgres::start(15));
    let watch = Watch::over(&[("one", &one), ("two", &two)]);
    let settled = "/metrics?server=one";
    watch.shows(settled, "\npg_stat_activity_count{").await;
    watch
        .shows("/metrics?server=two", "\npg_up{server=\"two\"} 1\n")
        .await;
    let targets = [
        "one".to_owned(),
        format!("127.0.0.1:{}", one.port()),
        format!("127.0.0.1:{}/postgres&auth_module=first", one.port()),
        format!("postgresql://other:pass@127.0.0.1:{}/postgres", one.port()),
    ];
    for target in targets {
        let (status, page) = watch.get(&format!("/probe?target={target}")).await;
        assert_eq!(status, 200, "{target}: {page}");
        assert!(page.contains("\npg_up 1\n"), "{target}: {page}");
        assert!(page.contains("\npg_static{short_version=\"18."), "{page}");
        assert!(
            !page.contains("server=\"") && !page.contains("pgvigil_"),
            "{page}"
        );
    }
    two.stop();
    watch.shows("/probe?target=two", "\npg_up 0\n").await;
    assert_eq!(watch.get("/probe").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_of_anything_else_connects_nowhere() {
    let server = Postgres::start(18);
    let watch = Watch::over(&[("only", &server)]);
    watch.shows("/probe?target=only", "\npg_up 1\n").await;
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let place = stranger.local_addr().unwrap();
    for target in [
        place.to_string(),
        format!("postgresql://{place}/postgres"),
        format!("only@{place}"),
        format!("{place}/only"),
    ] {
        let (status, said) = watch.get(&format!("/probe?target={target}")).await;
        assert_eq!(status, 404, "{said}");
        assert!(said.contains("`only`"), "{said}");
        let nobody = stranger.accept().unwrap_err().kind();
        assert_eq!(nobody, ErrorKind::WouldBlock, "{target} was connected to");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_discovers_every_server() {
    let (one, two) = (Postgres::start(18), Postgres::start(15));
    let watch = Watch::over(&[("one", &one), ("two", &two)]);
    watch.shows("/probe?target=one", "\npg_up 1\n").await;
    two.stop();
    watch.shows("/probe?target=two", "\npg_up 0\n").await;
    let config = format!(
        "global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: postgresql
    http_sd_configs: [{{url: '{}/sd'}}]
",
        watch.url
    );
    let scratch = Scratch::new();
    let prometheus = Prometheus::start(&scratch, &config);
    for expected in [
        "up{instance=\"one\", job=\"postgresql\"} == 1",
        "up{instance=\"two\"} == 1",
        "pg_up{instance=\"one\"} == 1",
        "pg_up{instance=\"two\"} == 0",
        "count(up) == 2",
        "count by (instance) (pg_static{server=\"\"}) > 0",
    ] {
        prometheus.await_one(expected).await;
    }
}
