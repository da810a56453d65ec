//! What is measured: pgvigil, or postgres_exporter.

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING};

use crate::INTERVAL;
use crate::it::harness::{Daemon, Scratch, free_port, pgvigil};
use crate::scene::Scene;

const PATIENCE: Duration = Duration::from_secs(180);

/// How long a page must have had the same number of series until everything is taken to have been read.
const STEADY: Duration = Duration::from_secs(6);

/// What Prometheus says that it takes.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

pub struct Subject {
    pub name: String,
    pub daemon: Daemon,
    url: String,
    client: reqwest::Client,
    _scratch: Scratch,
}

/// How a page is asked for.
#[derive(Clone, Copy)]
pub enum Asked {
    Plain,
    /// With the headers that Prometheus sends.
    AsPrometheus,
}

impl Subject {
    /// The release binary, with a line for `collect`. The load budget is for the default interval, at which a cycle's
    /// work is spread over five times as long.
    pub async fn pgvigil(scene: &Scene, collect: &str) -> Subject {
        let scratch = Scratch::new();
        let listen = format!("127.0.0.1:{}", free_port());
        let seconds = INTERVAL.as_secs();
        let config = format!(
            "listen: {listen}\nstate_dir: {}\nservers: [{{name: bench, url: \"{}\"}}]\nrules: {{interval: {seconds}s}}\ncollect:\n  interval: {seconds}s\n  load_budget: off\n  {collect}\n",
            scratch.join("state").display(),
            scene.postgres.url("pgvigil", "app"),
        );
        let mut command = pgvigil();
        command.arg("serve").arg("--config");
        command.arg(scratch.write("pgvigil.yml", config));
        let daemon = Daemon::spawn(command);
        let subject = Subject::at("pgvigil".into(), daemon, &listen, scratch);
        subject.until_steady().await;
        subject
    }

    /// postgres_exporter with the collectors that pgvigil has too; `PGVIGIL_BENCH_EXPORTER` names one that is not
    /// on the path.
    pub async fn exporter(scene: &Scene) -> Option<Subject> {
        let program = program()?;
        let version = Command::new(&program).arg("--version").output().ok()?;
        let version =
            String::from_utf8_lossy(&[version.stdout, version.stderr].concat()).into_owned();
        let version = version
            .split("version ")
            .nth(1)?
            .split([' ', ','])
            .next()?
            .to_owned();
        let scratch = Scratch::new();
        let listen = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new(&program);
        command.env("DATA_SOURCE_NAME", scene.postgres.url("pgvigil", "app"));
        command.arg(format!("--web.listen-address={listen}"));
        command.arg("--log.level=error");
        let known = Command::new(&program).arg("--help").output().ok()?;
        let known = String::from_utf8_lossy(&[known.stdout, known.stderr].concat()).into_owned();
        for collector in [
            "statio_user_indexes",
            "long_running_transactions",
            "postmaster",
            "stat_activity_autovacuum",
        ] {
            if known.contains(&format!("--collector.{collector}")) {
                command.arg(format!("--collector.{collector}"));
            }
        }
        command.current_dir(scratch.path());
        let daemon = Daemon::spawn(command);
        let subject = Subject::at(
            format!("postgres_exporter {version}"),
            daemon,
            &listen,
            scratch,
        );
        subject.until_steady().await;
        Some(subject)
    }

    fn at(name: String, daemon: Daemon, listen: &str, scratch: Scratch) -> Subject {
        Subject {
            name,
            daemon,
            url: format!("http://{listen}/metrics"),
            client: reqwest::Client::new(),
            _scratch: scratch,
        }
    }

    /// One scrape: how long it took, and the page as it came.
    pub async fn get(&self, asked: Asked) -> Option<(Duration, Vec<u8>)> {
        let mut request = self.client.get(&self.url);
        if let Asked::AsPrometheus = asked {
            request = request
                .header(ACCEPT, PROMETHEUS)
                .header(ACCEPT_ENCODING, "gzip");
        }
        let start = Instant::now();
        let page = request.send().await.ok()?.bytes().await.ok()?;
        Some((start.elapsed(), page.to_vec()))
    }

    /// Waits until everything has been read once.
    async fn until_steady(&self) {
        let start = Instant::now();
        let (mut series, mut since) = (0, Instant::now());
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(
                start.elapsed() < PATIENCE,
                "{} has no steady page:\n{}",
                self.name,
                self.daemon.output()
            );
            // As Prometheus asks, so that nothing is kept for anybody else.
            let Some((_, packed)) = self.get(Asked::AsPrometheus).await else {
                continue;
            };
            let mut page = String::new();
            if GzDecoder::new(packed.as_slice())
                .read_to_string(&mut page)
                .is_err()
            {
                continue;
            }
            // Some series come and go with what the server does.
            let now = page.lines().filter(|line| !line.starts_with('#')).count();
            if !page.contains("\npg_up") || now.abs_diff(series) > 20 {
                (series, since) = (now, Instant::now());
            } else if since.elapsed() > STEADY {
                return;
            }
        }
    }
}

fn program() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("PGVIGIL_BENCH_EXPORTER") {
        return Some(chosen.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| {
            ["prometheus-postgres-exporter", "postgres_exporter"].map(|name| folder.join(name))
        })
        .find(|program| program.is_file())
}
