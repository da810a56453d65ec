//! `make bench`: what pgvigil costs itself and the database it watches, measured on a real PostgreSQL with the release
//! binary. Prints a table in Markdown with its conditions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

// The tests' harness starts the servers; the benchmark needs only a part of it.
#[allow(dead_code, unused_imports)]
#[path = "../tests/it"]
mod it {
    pub mod harness;
}

use std::fs;
use std::time::{Duration, Instant};

use it::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, pgvigil};

const MAJOR: u32 = 18;
const PATIENCE: Duration = Duration::from_secs(120);
const REQUESTS: usize = 2000;
const CYCLE: Duration = Duration::from_secs(15);
const CYCLES: u32 = 4;
const SCRAPERS: usize = 10;

fn main() {
    // `cargo test --all-targets` builds and runs benchmarks too, but only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Runtime::new().unwrap().block_on(measure());
}

async fn measure() {
    print_conditions();
    // About 1,000 and 20,000 series.
    for tables in [3, 478] {
        page(tables).await;
    }
    load(0).await;
    load(SCRAPERS).await;
}

fn print_conditions() {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus
        .lines()
        .filter(|line| line.starts_with("model name"))
        .filter_map(|line| line.split_once(": "))
        .map(|(_, model)| model)
        .collect();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let size = fs::metadata(env!("CARGO_BIN_EXE_pgvigil")).unwrap().len();
    println!(
        "Conditions: {} x {}, load average {} before the start, everything on one machine.",
        models.len(),
        models.first().unwrap_or(&"?"),
        load.split(' ').next().unwrap_or("?")
    );
    println!(
        "pgvigil {}, PostgreSQL {MAJOR}; binary {:.1} MB, stripped.\n",
        env!("CARGO_PKG_VERSION"),
        size as f64 / 1e6
    );
}

/// The watch over a server with so many tables, each with two indexes.
struct Watch {
    postgres: Postgres,
    daemon: Daemon,
    url: String,
    client: reqwest::Client,
    _scratch: Scratch,
}

impl Watch {
    async fn start(tables: u32, interval: Duration) -> Watch {
        let postgres = Postgres::with(MAJOR, &["max_locks_per_transaction=1024"]);
        postgres.sql(
            "postgres",
            "CREATE ROLE pgvigil LOGIN IN ROLE pg_monitor; CREATE DATABASE app",
        );
        postgres.sql(
            "app",
            &format!(
                "CREATE EXTENSION pg_stat_statements;
             DO $$ BEGIN FOR n IN 1..{tables} LOOP
               EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, name text)', n);
               EXECUTE format('CREATE INDEX ON t%s (name)', n);
               EXECUTE format('INSERT INTO t%s SELECT g, g FROM generate_series(1, 10) g', n);
             END LOOP; END $$;"
            ),
        );
        let scratch = Scratch::new();
        let listen = format!("127.0.0.1:{}", free_port());
        let config = format!(
            "listen: {listen}\nstate_dir: {}\nservers: [{{name: bench, url: \"{}\"}}]\ncollect: {{interval: {}s}}\n",
            scratch.join("state").display(),
            postgres.url("pgvigil", "app"),
            interval.as_secs(),
        );
        let mut command = pgvigil();
        command
            .arg("serve")
            .arg("--config")
            .arg(scratch.write("pgvigil.yml", config));
        let daemon = Daemon::spawn(command);
        let watch = Watch {
            postgres,
            daemon,
            url: format!("http://{listen}/metrics"),
            client: reqwest::Client::new(),
            _scratch: scratch,
        };
        let ready = format!("pg_stat_user_tables_n_live_tup, of {tables} tables");
        eventually_async(&ready, PATIENCE, async || {
            let page = watch.get().await?;
            let found = page
                .lines()
                .filter(|line| line.starts_with("pg_stat_user_tables_n_live_tup{"))
                .count();
            (page.contains("pg_up 1") && found >= tables as usize).then_some(())
        })
        .await;
        watch
    }

    async fn get(&self) -> Option<String> {
        self.client
            .get(&self.url)
            .send()
            .await
            .ok()?
            .text()
            .await
            .ok()
    }

    /// A line of `/proc/PID/status`, in MB.
    fn memory(&self, line: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.daemon.id())).unwrap();
        let value = status
            .lines()
            .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        value
            .and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok())
            .unwrap()
            / 1024.0
    }

    /// Seconds that the server's processes have spent, those that have ended included.
    fn database_cpu(&self) -> f64 {
        let pid_file = fs::read_to_string(self.postgres.dir().join("data/postmaster.pid")).unwrap();
        let postmaster: u32 = pid_file.lines().next().unwrap().parse().unwrap();
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let ticks: u64 = processes
            .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
            .filter_map(|stat| ticks(&stat, postmaster))
            .sum();
        // The kernel counts in hundredths of a second on every architecture we know.
        ticks as f64 / 100.0
    }

    fn statements(&self) -> (f64, f64) {
        let sums = self.postgres.sql("app", "SELECT sum(calls), sum(total_exec_time) FROM pg_stat_statements JOIN pg_roles r ON r.oid = userid WHERE rolname = 'pgvigil'");
        let (calls, milliseconds) = sums.split_once('|').unwrap();
        (
            calls.parse().unwrap_or(0.0),
            milliseconds.parse().unwrap_or(0.0),
        )
    }
}

/// User and system time of the postmaster (with its ended children) or of a living child.
fn ticks(stat: &str, postmaster: u32) -> Option<u64> {
    let (head, rest) = stat.rsplit_once(") ")?;
    let pid: u32 = head.split(' ').next()?.parse().ok()?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let count = |from: usize, to: usize| {
        fields[from..=to]
            .iter()
            .filter_map(|field| field.parse::<u64>().ok())
            .sum()
    };
    if pid == postmaster {
        // utime, stime, cutime, cstime
        Some(count(11, 14))
    } else if fields.get(1)?.parse() == Ok(postmaster) {
        Some(count(11, 12))
    } else {
        None
    }
}

/// `/metrics` while everything is collected every second, so that some requests meet a page to be rendered.
async fn page(tables: u32) {
    let watch = Watch::start(tables, Duration::from_secs(1)).await;
    let mut times = Vec::with_capacity(REQUESTS);
    let (mut series, mut bytes) = (0, 0);
    for _ in 0..REQUESTS {
        let start = Instant::now();
        let page = watch.get().await.expect("the page");
        times.push(start.elapsed());
        series = page.lines().filter(|line| !line.starts_with('#')).count();
        bytes = page.len();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    times.sort();
    println!(
        "| /metrics, {tables} tables: {series} series, {:.0} kB | p50 {:.2} ms | p99 {:.2} ms | max {:.2} ms | resident {:.1} MB, at most {:.1} MB |",
        bytes as f64 / 1e3,
        milliseconds(times[REQUESTS / 2]),
        milliseconds(times[REQUESTS * 99 / 100]),
        milliseconds(times[REQUESTS - 1]),
        watch.memory("VmRSS"),
        watch.memory("VmHWM"),
    );
}

/// What a cycle costs the database, with so many scrapers asking all the time.
async fn load(scrapers: usize) {
    let watch = Watch::start(25, CYCLE).await;
    let asking: Vec<_> = (0..scrapers)
        .map(|_| {
            let (client, url) = (watch.client.clone(), watch.url.clone());
            tokio::spawn(async move {
                loop {
                    client
                        .get(&url)
                        .send()
                        .await
                        .unwrap()
                        .bytes()
                        .await
                        .unwrap();
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            })
        })
        .collect();
    // The first round, at which everything is read at once, is not the usual one.
    tokio::time::sleep(CYCLE).await;
    let (cpu, (calls, time)) = (watch.database_cpu(), watch.statements());
    tokio::time::sleep(CYCLE * CYCLES).await;
    let (cpu, (calls_after, time_after)) = (watch.database_cpu() - cpu, watch.statements());
    for task in asking {
        task.abort();
    }
    let cycles = f64::from(CYCLES);
    println!(
        "| {scrapers} scrapers, a cycle of {} s, 25 tables | {:.0} statements | {:.1} ms executing | {:.0} ms of the database's CPU, {:.2} % of a core |",
        CYCLE.as_secs(),
        (calls_after - calls) / cycles,
        (time_after - time) / cycles,
        cpu * 1000.0 / cycles,
        cpu * 100.0 / (CYCLE * CYCLES).as_secs_f64(),
    );
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
