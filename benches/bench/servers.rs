//! Many servers in one process: one PostgreSQL under many names, at the default interval.

use std::time::{Duration, Instant};

use crate::it::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, pgvigil};
use crate::{process, scene};

const PATIENCE: Duration = Duration::from_secs(120);
const INTERVAL: Duration = Duration::from_secs(15);

/// What is read each fourth cycle has its share.
const CYCLES: u32 = 4;

/// Prints when all of so many are up and what a cycle costs pgvigil from then on.
pub async fn run(count: usize) {
    let connections = format!("max_connections={}", 2 * count + 20);
    let postgres = Postgres::with(scene::MAJOR, &[&connections]);
    postgres.sql("postgres", "CREATE ROLE pgvigil LOGIN IN ROLE pg_monitor");
    let scratch = Scratch::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let url = postgres.url("pgvigil", "postgres");
    let servers: String = (0..count)
        .map(|number| format!("  - {{name: db{number}, url: '{url}'}}\n"))
        .collect();
    let config = format!(
        "listen: {listen}\nstate_dir: {}\nservers:\n{servers}",
        scratch.join("state").display()
    );
    let mut command = pgvigil();
    command
        .arg("--config")
        .arg(scratch.write("pgvigil.yml", config));
    let (daemon, begun) = (Daemon::spawn(command), Instant::now());
    let url = format!("http://{listen}/metrics");
    eventually_async("every server is up", PATIENCE, || async {
        let page = reqwest::get(&url).await.ok()?.text().await.ok()?;
        let up = page
            .lines()
            .filter(|line| line.starts_with("pg_up{") && line.ends_with(" 1"));
        (up.count() == count).then_some(())
    })
    .await;
    let up = begun.elapsed();
    // The first round, at which everything is read at once, is not the usual one.
    tokio::time::sleep(INTERVAL * CYCLES).await;
    let cpu = process::cpu(daemon.id());
    tokio::time::sleep(INTERVAL * CYCLES).await;
    let cpu = process::cpu(daemon.id()) - cpu;
    let asked = Instant::now();
    let page = reqwest::get(&url).await.unwrap().text().await.unwrap();
    let took = asked.elapsed();
    let series = page.lines().filter(|line| !line.starts_with('#')).count();
    println!(
        "\n| {count} servers | all up after {:.1} s | {series} series, page {:.1} ms | {:.2} % of a core, {:.2} ms per server and cycle | resident {:.0} MB |",
        up.as_secs_f64(),
        took.as_secs_f64() * 1000.0,
        cpu * 100.0 / (INTERVAL * CYCLES).as_secs_f64(),
        cpu * 1000.0 / f64::from(CYCLES) / count as f64,
        process::memory(daemon.id(), "VmRSS"),
    );
}
