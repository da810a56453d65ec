//! A real PgBouncer as it is watched: on its console, beside the servers.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use pgvigil::collectors::{Collector, Settings, load};
use pgvigil::document::{Reader, parse};
use pgvigil::sample::{MetricKind, Sample};
use pgvigil::scrape::once;
use pgvigil::server::{self, Kind, Server};

use super::harness::{
    Daemon, PgBouncer, Postgres, Scratch, eventually, eventually_async, free_port, pgvigil,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// What dashboards for the exporter of prometheus-community (0.11) expect: name, type, labels.
const NAMES: &str = "
pgbouncer_up gauge -
pgbouncer_version_info gauge version
pgbouncer_pools_client_active_connections gauge database,user
pgbouncer_pools_client_active_cancel_connections gauge database,user
pgbouncer_pools_client_waiting_connections gauge database,user
pgbouncer_pools_client_waiting_cancel_connections gauge database,user
pgbouncer_pools_server_active_connections gauge database,user
pgbouncer_pools_server_active_cancel_connections gauge database,user
pgbouncer_pools_server_being_canceled_connections gauge database,user
pgbouncer_pools_server_idle_connections gauge database,user
pgbouncer_pools_server_used_connections gauge database,user
pgbouncer_pools_server_testing_connections gauge database,user
pgbouncer_pools_server_login_connections gauge database,user
pgbouncer_pools_client_maxwait_seconds gauge database,user
pgbouncer_stats_totals_queries_pooled_total counter database
pgbouncer_stats_totals_queries_duration_seconds_total counter database
pgbouncer_stats_totals_received_bytes_total counter database
pgbouncer_stats_totals_sent_bytes_total counter database
pgbouncer_stats_totals_client_wait_seconds_total counter database
pgbouncer_stats_totals_sql_transactions_pooled_total counter database
pgbouncer_stats_totals_server_in_transaction_seconds_total counter database
pgbouncer_databases_pool_size gauge database,force_user,host,name,pool_mode,port
pgbouncer_databases_reserve_pool gauge database,force_user,host,name,pool_mode,port
pgbouncer_databases_max_connections gauge database,force_user,host,name,pool_mode,port
pgbouncer_databases_current_connections gauge database,force_user,host,name,pool_mode,port
pgbouncer_databases_paused gauge database,force_user,host,name,pool_mode,port
pgbouncer_databases_disabled gauge database,force_user,host,name,pool_mode,port
pgbouncer_databases gauge -
pgbouncer_users gauge -
pgbouncer_pools gauge -
pgbouncer_free_clients gauge -
pgbouncer_used_clients gauge -
pgbouncer_login_clients gauge -
pgbouncer_free_servers gauge -
pgbouncer_used_servers gauge -
pgbouncer_cached_dns_names gauge -
pgbouncer_cached_dns_zones gauge -
pgbouncer_in_flight_dns_queries gauge -
pgbouncer_config_max_client_connections gauge -
pgbouncer_config_max_user_connections gauge -
";

fn settings(text: &str) -> server::Settings {
    let reader = Reader::new(None);
    let root = parse("test", text).unwrap();
    let settings = reader.read(&root, server::Settings::read_pgbouncer);
    assert_eq!(reader.problems(), []);
    settings
}

fn console(pgbouncer: &PgBouncer) -> Server {
    let url = pgbouncer.url("mon", "");
    Server::new(settings(&format!("{{name: pool, url: '{url}'}}")), PATIENCE)
}

async fn read(server: &Server, catalogue: &[Arc<Collector>]) -> Vec<Sample> {
    let collect = Reader::new(None).read(&parse("test", "").unwrap(), Settings::read);
    let readings = once(server, catalogue, &collect).await.unwrap();
    let each = readings.into_iter();
    each.flat_map(|reading| reading.outcome.unwrap()).collect()
}

fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let found = samples.iter().find(|sample| {
        *sample.family.name == *name
            && labels
                .iter()
                .all(|(label, text)| sample.labels.get(label) == *text)
    });
    found.map(|sample| sample.value)
}

#[tokio::test]
async fn every_name_comes_out_and_says_what_clients_meet() {
    let postgres = Postgres::start(15);
    let pgbouncer = PgBouncer::before(&postgres);
    let _served = pgbouncer.client(&postgres, "app", "SELECT pg_sleep(600)");
    eventually("the pool of one is taken", PATIENCE, || {
        let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%600%' AND state = 'active' AND pid <> pg_backend_pid()";
        (postgres.sql("postgres", sleeping) == "1").then_some(())
    });
    let _waiting = pgbouncer.client(&postgres, "app", "SELECT 1");
    let mut asked = pgbouncer.client(&postgres, "postgres", "SELECT pg_sleep(0.2)");
    assert_eq!(asked.wait(PATIENCE), Some(0), "{}", asked.output());

    let (server, catalogue) = (console(&pgbouncer), load(&[]).unwrap());
    let app = [("database", "app"), ("user", "postgres")];
    let samples = eventually_async("one waits", PATIENCE, || async {
        let samples = read(&server, &catalogue).await;
        let waited = value(&samples, "pgbouncer_pools_client_maxwait_seconds", &app);
        (waited >= Some(1.0)).then_some(samples)
    })
    .await;
    let pool = |name: &str| value(&samples, &format!("pgbouncer_pools_{name}"), &app);
    assert_eq!(pool("client_waiting_connections"), Some(1.0));
    assert_eq!(pool("client_active_connections"), Some(1.0));
    assert_eq!(pool("server_active_connections"), Some(1.0));
    let size = "pgbouncer_databases_pool_size";
    assert_eq!(value(&samples, size, &[("name", "app")]), Some(1.0));
    let limit = "pgbouncer_config_max_client_connections";
    assert_eq!(value(&samples, limit, &[]), Some(30.0));
    assert_eq!(value(&samples, "pgbouncer_used_clients", &[]), Some(3.0));
    let spent = "pgbouncer_stats_totals_queries_duration_seconds_total";
    let spent = value(&samples, spent, &[("database", "postgres")]).unwrap();
    assert!((0.2..5.0).contains(&spent), "in seconds: {spent}");

    check_names(&samples);
    check_catalogue(&samples, &catalogue, server.facts().await.unwrap().major());
}

fn check_names(samples: &[Sample]) {
    let mut seen: BTreeMap<&str, (MetricKind, BTreeSet<&str>)> = BTreeMap::new();
    for sample in samples {
        let none = || (sample.family.kind, BTreeSet::new());
        let labels = &mut seen.entry(&sample.family.name).or_insert_with(none).1;
        labels.extend(sample.labels.iter().map(|(name, _)| name));
    }
    for line in NAMES.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let kind = match words[1] {
            "counter" => MetricKind::Counter,
            _ => MetricKind::Gauge,
        };
        let labels = words[2].split(',').filter(|label| *label != "-").collect();
        assert_eq!(seen.get(words[0]), Some(&(kind, labels)), "{line}");
    }
}

/// What a file declares for this version comes out, and nothing else.
fn check_catalogue(samples: &[Sample], catalogue: &[Arc<Collector>], major: u32) {
    for collector in catalogue.iter().filter(|c| c.kind == Kind::PgBouncer) {
        for metric in &collector.metrics {
            let there = value(samples, &metric.family.name, &[]).is_some();
            assert_eq!(there, metric.covers(major), "{}", metric.family.name);
        }
    }
}

pub(super) struct Watched {
    port: u16,
    daemon: Daemon,
    _scratch: Scratch,
}

pub(super) fn watched(written: &str) -> Watched {
    let (scratch, port) = (Scratch::new(), free_port());
    let config = format!(
        "listen: 127.0.0.1:{port}\nstate_dir: {}\ncollect: {{interval: 1s, timeout: 1s}}\n{written}",
        scratch.join("state").display()
    );
    let mut command = pgvigil();
    command
        .arg("--config")
        .arg(scratch.write("pgvigil.yml", config));
    Watched {
        port,
        daemon: Daemon::spawn(command),
        _scratch: scratch,
    }
}

impl Watched {
    pub(super) fn page(&self) -> Option<String> {
        self.get("/metrics")
    }

    fn get(&self, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let answer = Command::new("curl").args(["-sf", "-m", "2", &url]).output();
        let answer = answer.unwrap();
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        answer.status.success().then_some(text)
    }

    pub(super) fn output(&self) -> String {
        self.daemon.output()
    }

    /// The page, as soon as it has all these lines.
    pub(super) fn shows(&self, wanted: &[&str]) -> String {
        eventually(&format!("{wanted:?}"), PATIENCE, || {
            let page = self.page()?;
            let all = wanted
                .iter()
                .all(|wanted| page.lines().any(|line| line == *wanted));
            all.then_some(page)
        })
    }
}

#[test]
fn a_pgbouncer_that_fails_costs_itself_only() {
    let postgres = Postgres::start(15);
    let pgbouncer = PgBouncer::before(&postgres);
    let watched = watched(&format!(
        "servers: [{{name: rachel, url: '{}'}}]\npgbouncers: [{{name: pool, url: '{}', password: s3cr3t}}]\n",
        postgres.url("postgres", "postgres"),
        pgbouncer.url("mon", ""),
    ));
    let page = watched.shows(&[
        "pg_up 1",
        "pgbouncer_up 1",
        "pgbouncer_config_max_client_connections 30",
        "pgvigil_collector_success{collector=\"pgbouncer_pools\"} 1",
        "pgvigil_collector_success{collector=\"locks\"} 1",
    ]);
    let mut named = page.lines().filter(|line| line.contains("server=\""));
    assert!(
        named.all(|line| line.starts_with("pgvigil_collector_age_seconds{")),
        "one of each needs no label"
    );
    let mut series = BTreeSet::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, _) = line.rsplit_once(' ').unwrap();
        assert!(series.insert(name), "twice: {name}");
    }
    for path in ["/metrics?server=pool", "/probe?target=pool"] {
        let one = watched.get(path).expect(path);
        assert!(one.contains("\npgbouncer_up 1\n"), "{one}");
        assert!(!one.contains("pg_up"), "{one}");
    }
    let discovered = watched.get("/sd").unwrap();
    assert!(discovered.contains("\"pool\""), "{discovered}");
    assert!(!page.contains("pg_scrape_collector_success{collector=\"pgbouncer"));

    pgbouncer.freeze();
    eventually("what it said has expired", PATIENCE, || {
        let page = watched.page()?;
        let gone = !page.contains("pgbouncer_pools_") && page.contains("pgbouncer_up 0\n");
        (gone && page.contains("pg_up 1\n")).then_some(())
    });
    pgbouncer.thaw();
    watched.shows(&["pgbouncer_up 1", "pg_up 1", "pgbouncer_pools 1"]);
    assert!(!watched.output().contains("s3cr3t"));
}

#[test]
fn check_says_who_may_see_the_console() {
    let postgres = Postgres::start(15);
    let pgbouncer = PgBouncer::before(&postgres);
    let scratch = Scratch::new();
    let own = scratch.write(
        "own.yml",
        "name: pooled\ndoc: Totals.\nkind: pgbouncer\nqueries: [{since: 1.12, sql: SHOW TOTALS}]\npivot: {names: name, values: value}\n\
         metrics: {pooled_queries_total: {from: total_query_count, type: counter, help: Queries of all databases.}}\n",
    );
    let check = |user: &str| {
        let config = format!(
            "state_dir: {}\ncollect: {{include: [{}]}}\npgbouncers: [{{name: pool, url: '{}'}}]\n",
            scratch.path().display(),
            own.display(),
            pgbouncer.url(user, "app")
        );
        let config = scratch.write("pgvigil.yml", config);
        let output = pgvigil()
            .args(["check", "-c"])
            .arg(config)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let good = check("mon");
    assert!(
        good.contains("ok       pool           PgBouncer 1."),
        "{good}"
    );
    assert!(good.contains("collector `pooled`: 1 series in "), "{good}");
    let bad = check("stranger");
    assert!(
        bad.contains("hint: name the user in `stats_users`"),
        "{bad}"
    );
}

#[test]
fn names_are_unique_over_all_that_is_watched() {
    let config = "servers: [{name: a, url: 'postgresql://h/d'}]\npgbouncers: [{name: a, url: 'postgresql://h:6432'}]\n";
    let scratch = Scratch::new();
    let config = scratch.write("pgvigil.yml", config);
    let output = pgvigil()
        .args(["check", "--offline", "-c"])
        .arg(config)
        .output();
    let said = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
    assert!(
        said.contains("two of what is watched are named `a`"),
        "{said}"
    );
}
