//! Prometheus 3 over samples that we give it, to hold our answers against.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::lab::folder;
use super::{Daemon, Scratch, eventually, free_port};

const PATIENCE: Duration = Duration::from_secs(60);

/// A real Prometheus 3 that scrapes nothing. Its data goes with it.
pub struct Prometheus {
    port: u16,
    _daemon: Daemon,
    _scratch: Scratch,
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
        let data = scratch.path().join("data");
        if !samples.is_empty() {
            let text = scratch.write("samples.txt", samples);
            let made = Command::new(prometheus3("promtool"))
                .args(["tsdb", "create-blocks-from", "openmetrics"])
                .args([&text, &data])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "promtool: {said}");
        }
        Prometheus::on(&data, scratch, config, flags)
    }

    fn on(data: &Path, scratch: Scratch, config: &str, flags: &[&str]) -> Prometheus {
        let (port, config) = (free_port(), scratch.write("prometheus.yml", config));
        let mut command = Command::new(prometheus3("prometheus"));
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--storage.tsdb.retention.time=100y")
            .args(flags);
        let prometheus = Prometheus {
            port,
            _daemon: Daemon::spawn(command),
            _scratch: scratch,
        };
        eventually("Prometheus is ready", PATIENCE, || {
            let said = prometheus._daemon.output();
            let ready = said.contains("Server is ready to receive web requests");
            (ready && TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(())
        });
        prometheus
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
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
