//! The files that docker-compose.yml mounts, run without containers: only host names and paths are replaced.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pgvigil::document::{Node, Value, parse};

use crate::harness::{
    Daemon, Postgres, Scratch, SmtpSink, eventually_async, free_port, pgvigil, tool,
};

const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn compose_mounts_what_exists_and_names_only_its_services() {
    let compose = parse("docker-compose.yml", &read("docker-compose.yml")).unwrap();
    let services = map(get(&compose, "services"));
    let names: Vec<&str> = services.iter().map(|(name, _)| *name).collect();
    let volumes: Vec<&str> = map(get(&compose, "volumes"))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for (service, settings) in &services {
        for (source, _) in mounts(settings) {
            if source.starts_with("./") {
                assert!(repository().join(&source).exists(), "{service}: {source}");
            } else {
                assert!(volumes.contains(&source.as_str()), "{service}: {source}");
            }
        }
        for (dependency, _) in find(settings, "depends_on").map(map).unwrap_or_default() {
            assert!(names.contains(&dependency), "{service}: {dependency}");
        }
    }
    for (file, hosts) in [
        (
            "deploy/pgvigil.yml",
            &["@postgres:5432/", "//mail:1025", "//alertmanager:9093"][..],
        ),
        (
            "deploy/prometheus.yml",
            &["\"alertmanager:9093\"", "\"pgvigil:9187\""],
        ),
        ("deploy/alertmanager.yml", &[" mail:1025"]),
    ] {
        for host in hosts {
            assert!(read(file).contains(host), "{file}: {host}");
            let name = host
                .trim_matches(|c: char| !c.is_alphabetic())
                .split(':')
                .next()
                .unwrap();
            assert!(names.contains(&name), "{file}: {name}");
        }
    }
}

#[test]
fn the_unit_is_accepted_by_systemd() {
    let scratch = Scratch::new();
    let unit = read("deploy/pgvigil.service")
        .replace("/usr/local/bin/pgvigil", env!("CARGO_BIN_EXE_pgvigil"));
    let unit = scratch.write("pgvigil.service", unit);
    let Ok(verified) = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&unit)
        .output()
    else {
        eprintln!("skipped: systemd-analyze is not installed");
        return;
    };
    let complaints = String::from_utf8_lossy(&verified.stderr);
    let ours: Vec<&str> = complaints
        .lines()
        .filter(|line| line.contains("pgvigil.service"))
        .collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mounted_files_work_together() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scratch = Scratch::new();
    let mail = SmtpSink::start();
    let postgres = Postgres::start(18);
    postgres.sql("postgres", "CREATE DATABASE rachel_prod");
    postgres.sql("rachel_prod", &read("deploy/postgres.sql"));
    let [pgvigil_at, prometheus_at, alertmanager_at] =
        [(); 3].map(|()| format!("127.0.0.1:{}", free_port()));
    let mail_at = format!("127.0.0.1:{}", mail.port());

    let _alertmanager = alertmanager(&scratch, &alertmanager_at, &mail_at);
    let config = mounted(
        &scratch,
        "deploy/pgvigil.yml",
        &[
            ("postgres:5432", &format!("127.0.0.1:{}", postgres.port())),
            (
                "/backups/",
                &format!("{}/backups/", scratch.path().display()),
            ),
            ("mail:1025", &mail_at),
            ("alertmanager:9093", &alertmanager_at),
        ],
    );
    let mut serve = pgvigil();
    serve
        .args(["serve", "--listen", &pgvigil_at, "--config"])
        .arg(config)
        .arg("--state-dir")
        .arg(scratch.join("state"));
    let watch = Daemon::spawn(serve);
    let _prometheus = prometheus(&scratch, &prometheus_at, &pgvigil_at, &alertmanager_at);

    let client = reqwest::Client::new();
    let ask = async |url: String| {
        let response = client.get(url).send().await.ok()?.error_for_status().ok()?;
        response.json::<serde_json::Value>().await.ok()
    };
    eventually_async("Prometheus has pg_up of rachel", PATIENCE, async || {
        let answer = ask(format!(
            "http://{prometheus_at}/api/v1/query?query=pg_up%7Binstance%3D%22rachel%22%7D"
        ))
        .await?;
        (answer["data"]["result"][0]["value"][1] == "1").then_some(())
    })
    .await;
    let rules = ask(format!("http://{prometheus_at}/api/v1/rules"))
        .await
        .unwrap();
    assert!(
        rules["data"]["groups"]
            .as_array()
            .is_some_and(|groups| !groups.is_empty()),
        "{rules}"
    );
    eventually_async(
        "Alertmanager has the Watchdog, once",
        PATIENCE,
        async || {
            let alerts = ask(format!("http://{alertmanager_at}/api/v2/alerts")).await?;
            let alerts = alerts.as_array()?;
            let watchdogs: Vec<_> = alerts
                .iter()
                .filter(|alert| alert["labels"]["alertname"] == "Watchdog")
                .collect();
            // Each gives the address of its own page; the labels are the same, so to Alertmanager it is one alert.
            (watchdogs.len() == 1).then_some(())
        },
    )
    .await;
    drop(watch);
}

fn alertmanager(scratch: &Scratch, address: &str, mail: &str) -> Daemon {
    let config = mounted(scratch, "deploy/alertmanager.yml", &[("mail:1025", mail)]);
    accepted(
        Command::new(tool("amtool"))
            .arg("check-config")
            .arg(&config),
    );
    let mut command = Command::new(tool("alertmanager"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.path={}",
            scratch.join("alertmanager").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=");
    Daemon::spawn(command)
}

fn prometheus(scratch: &Scratch, address: &str, pgvigil: &str, alertmanager: &str) -> Daemon {
    let config = mounted(
        scratch,
        "deploy/prometheus.yml",
        &[
            ("15s", "1s"),
            (
                "/etc/prometheus/alerts",
                &repository().join("alerts").display().to_string(),
            ),
            ("pgvigil:9187", pgvigil),
            ("alertmanager:9093", alertmanager),
        ],
    );
    accepted(
        Command::new(tool("promtool"))
            .args(["check", "config"])
            .arg(&config),
    );
    let mut command = Command::new(tool("prometheus"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            scratch.join("prometheus").display()
        ))
        .arg(format!("--web.listen-address={address}"));
    Daemon::spawn(command)
}

fn accepted(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A copy of the file with each of these replaced; each must be there.
fn mounted(scratch: &Scratch, file: &str, replacements: &[(&str, &str)]) -> PathBuf {
    let mut text = read(file);
    for (from, to) in replacements {
        assert!(text.contains(from), "{file} no longer contains `{from}`");
        text = text.replace(from, to);
    }
    scratch.write(file, text)
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).unwrap()
}

fn map(node: &Node) -> Vec<(&str, &Node)> {
    match &node.value {
        Value::Map(entries) => entries
            .iter()
            .map(|(key, node)| (key.text.as_str(), node))
            .collect(),
        _ => panic!("{}: no mapping", node.place),
    }
}

fn find<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    map(node)
        .into_iter()
        .find(|(name, _)| *name == key)
        .map(|(_, node)| node)
}

fn get<'a>(node: &'a Node, key: &str) -> &'a Node {
    find(node, key).unwrap_or_else(|| panic!("{}: no `{key}`", node.place))
}

/// Source and target of each of a service's volumes.
fn mounts(service: &Node) -> Vec<(String, String)> {
    let Some(Node {
        value: Value::List(volumes),
        ..
    }) = find(service, "volumes")
    else {
        return Vec::new();
    };
    volumes
        .iter()
        .map(|volume| match &volume.value {
            Value::Scalar(text) => {
                let mut parts = text.split(':');
                (
                    parts.next().unwrap().to_owned(),
                    parts.next().unwrap().to_owned(),
                )
            }
            _ => panic!("{}: write `source:target`", volume.place),
        })
        .collect()
}
