//! Prometheus 3 over samples that we give it, to hold our answers against.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::lab::folder;
use super::remote_write::{self, Written};
use super::{Daemon, Scratch, eventually, free_port};

const PATIENCE: Duration = Duration::from_secs(60);

/// A real Prometheus 3 that scrapes nothing. Its data goes with it.
pub struct Prometheus {
    port: u16,
    flags: Vec<String>,
    daemon: Daemon,
    scratch: Scratch,
}

impl Prometheus {
    /// Over samples as OpenMetrics text, each with its time; `flags` are more of its command line.
    pub fn over(samples: &str, flags: &[&str]) -> Prometheus {
        Prometheus::with(samples, "", flags)
    }

    /// With a configuration, such as rules.
    pub fn configured(config: &str, flags: &[&str]) -> Prometheus {
        Prometheus::with("", config, flags)
    }

    /// Over samples and with a configuration.
    pub fn with(samples: &str, config: &str, flags: &[&str]) -> Prometheus {
        let scratch = Scratch::new();
        if !samples.is_empty() {
            let text = scratch.write("samples.txt", samples);
            let made = Command::new(prometheus3("promtool"))
                .args(["tsdb", "create-blocks-from", "openmetrics"])
                .args([text, scratch.join(DATA)])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "promtool: {said}");
        }
        Prometheus::on(scratch, config, flags)
    }

    /// Over series that are sent to it, staleness markers among them, which no text can hold. It takes no sample that is
    /// an hour older than the newest it has.
    pub async fn written(series: &[Written<'_>], flags: &[&str]) -> Prometheus {
        let flags = [flags, &["--web.enable-remote-write-receiver"]].concat();
        let prometheus = Prometheus::over("", &flags);
        let client = reqwest::Client::new();
        remote_write::send(&client, &prometheus.url(), remote_write::body(series)).await;
        prometheus
    }

    fn on(scratch: Scratch, config: &str, flags: &[&str]) -> Prometheus {
        let port = free_port();
        scratch.write(CONFIG, config);
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let daemon = Daemon::spawn(command(port, &scratch, &flags));
        let prometheus = Prometheus {
            port,
            flags,
            daemon,
            scratch,
        };
        prometheus.until_ready();
        prometheus
    }

    fn until_ready(&self) {
        eventually("Prometheus is ready", PATIENCE, || {
            let said = self.daemon.output();
            let ready = said.contains("Server is ready to receive web requests");
            (ready && TcpStream::connect(("127.0.0.1", self.port)).is_ok()).then_some(())
        });
    }

    /// Stops it and starts it over the same data; says how long it took until it was ready.
    pub fn restart(&mut self) -> Duration {
        self.daemon.signal("TERM");
        assert!(self.daemon.wait(PATIENCE).is_some(), "Prometheus stops");
        let begun = Instant::now();
        self.daemon = Daemon::spawn(command(self.port, &self.scratch, &self.flags));
        self.until_ready();
        begun.elapsed()
    }

    /// The folder of its data.
    pub fn data(&self) -> PathBuf {
        self.scratch.join(DATA)
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

const DATA: &str = "data";
const CONFIG: &str = "prometheus.yml";

fn command(port: u16, scratch: &Scratch, flags: &[String]) -> Command {
    let mut command = Command::new(prometheus3("prometheus"));
    command
        .arg(format!("--config.file={}", scratch.join(CONFIG).display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            scratch.join(DATA).display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--storage.tsdb.retention.time=100y")
        .args(flags);
    command
}

/// `prometheus` or `promtool` of version 3.
pub fn prometheus3(name: &str) -> PathBuf {
    let program = folder().join("prometheus3").join(name);
    assert!(
        program.is_file(),
        "{name} 3.x is not installed: run `make lab`"
    );
    program
}
