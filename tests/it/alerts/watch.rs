//! The binary with its rules made quick, and what it says of its alerts.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::{Case, PATIENCE};
use crate::harness::{Daemon, Scratch, eventually, free_port, pgvigil};

/// Collectors that are slow by nature and would keep a scene waiting.
const HURRIED: [&str; 6] = [
    "extensions",
    "foreign_keys",
    "sequences",
    "index_faults",
    "autovacuum_queue",
    "primary_keys",
];

/// A watch over one scene.
pub struct Watch {
    pub daemon: Daemon,
    pub scratch: Scratch,
    port: u16,
    cases: &'static [Case],
    fired: Mutex<BTreeSet<String>>,
    cleared: Mutex<BTreeSet<String>>,
}

impl Watch {
    /// Over what `config` says beside the rules: `servers`, and whatever else the scene needs. `more` goes below
    /// `collect:`; `thresholds` are those that the scene has to compute.
    pub fn over(
        cases: &'static [Case],
        config: &str,
        more: &str,
        thresholds: &[(&str, f64)],
    ) -> Watch {
        Watch::in_folder(Scratch::new(), cases, config, more, thresholds)
    }

    /// With files of its own that are there already.
    pub fn in_folder(
        scratch: Scratch,
        cases: &'static [Case],
        config: &str,
        more: &str,
        thresholds: &[(&str, f64)],
    ) -> Watch {
        let port = free_port();
        let mut text = format!(
            "listen: 127.0.0.1:{port}\nstate_dir: {}\n{config}\ncollect:\n  interval: 1s\n  load_budget: off\n{more}  override:\n",
            scratch.join("state").display()
        );
        for name in HURRIED {
            let _ = writeln!(text, "    {name}: {{interval: 1s}}");
        }
        text += "rules:\n  interval: 1s\n";
        let own = scratch.join("own.rules.yml");
        let own = if own.exists() {
            format!(", {}", own.display())
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "  files: ['example:guide', 'example:advice', 'example:performance'{own}]\n  override:"
        );
        for case in cases {
            let computed = thresholds.iter().find(|(rule, _)| *rule == case.rule);
            let threshold = computed.map(|(_, value)| *value).or(case.threshold);
            let threshold =
                threshold.map_or(String::new(), |value| format!(", threshold: {value}"));
            let _ = writeln!(text, "    {}: {{for: 0s{threshold}}}", case.rule);
        }
        scratch.write("pgvigil.yml", text);
        let clock = scratch.join("clock");
        if !clock.exists() {
            scratch.write("clock", "+0");
        }
        let mut command = pgvigil();
        command.arg("--config").arg(scratch.join("pgvigil.yml"));
        command
            .env("LD_PRELOAD", library())
            .env("FAKETIME_TIMESTAMP_FILE", clock)
            .env("FAKETIME_CACHE_DURATION", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
        let watch = Watch {
            daemon: Daemon::spawn(command),
            scratch,
            port,
            cases,
            fired: Mutex::default(),
            cleared: Mutex::default(),
        };
        eventually("the watch answers", PATIENCE, || {
            watch.get("/-/ready").or_else(|| {
                let output = watch.daemon.output();
                assert!(!output.contains("error: "), "{output}");
                None
            })
        });
        watch
    }

    /// Waits until an expression has a value.
    pub fn knows(&self, expression: &str) {
        eventually(&format!("the watch knows `{expression}`"), PATIENCE, || {
            self.value(expression)
        });
    }

    /// The first value of an expression, where it has one.
    pub fn value(&self, expression: &str) -> Option<f64> {
        let query = format!("/api/v1/query?query={}", escaped(expression));
        let answer: serde_json::Value = serde_json::from_str(&self.get(&query)?).unwrap();
        let value = answer["data"]["result"].get(0)?["value"].get(1)?;
        value.as_str()?.parse().ok()
    }

    /// Puts the clock of the watch forward by so much altogether, such as `+11m`.
    pub fn clock(&self, offset: &str) {
        let aside = self.scratch.write("clock.new", offset);
        std::fs::rename(aside, self.scratch.join("clock")).unwrap();
    }

    /// Waits until each of these rules fires.
    pub fn fires(&self, rules: &[&str]) {
        self.expect(rules, true);
        let mut fired = self.fired.lock().unwrap();
        fired.extend(rules.iter().map(|rule| (*rule).to_owned()));
    }

    /// Waits until none of these rules has an alert, pending or firing.
    pub fn clears(&self, rules: &[&str]) {
        self.expect(rules, false);
        let fired = self.fired.lock().unwrap();
        let mut cleared = self.cleared.lock().unwrap();
        for rule in rules {
            assert!(fired.contains(*rule), "{rule} had not fired");
            cleared.insert((*rule).to_owned());
        }
    }

    /// Ends the scene: nothing that was declared may be left out, and nothing may have been done beside it.
    pub fn finish(&self) {
        let declared: BTreeSet<String> =
            self.cases.iter().map(|case| case.rule.to_owned()).collect();
        assert_eq!(*self.fired.lock().unwrap(), declared, "what fired");
        assert_eq!(*self.cleared.lock().unwrap(), declared, "what cleared");
    }

    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// What a path answers, when with success.
    pub fn get(&self, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let answer = Command::new("curl").args(["-sf", "-m", "5", &url]).output();
        let answer = answer.unwrap();
        answer
            .status
            .success()
            .then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
    }

    fn expect(&self, rules: &[&str], firing: bool) {
        let mut waited_for = String::new();
        let mut seen = None;
        let start = std::time::Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(alerts) = self.alerts() {
                let left: Vec<&&str> = rules
                    .iter()
                    .filter(|rule| {
                        let found = alerts.iter().find(|(name, _)| name == *rule);
                        if firing {
                            found.is_none_or(|(_, state)| state != "firing")
                        } else {
                            found.is_some()
                        }
                    })
                    .collect();
                if left.is_empty() {
                    return;
                }
                waited_for = format!("{left:?}");
                seen = Some(alerts);
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let wish = if firing { "to fire" } else { "to clear" };
        let page = self.get("/api/v1/alerts").unwrap_or_default();
        panic!(
            "waited for {waited_for} {wish}; there are {seen:?}\n{page}\n{}",
            self.daemon.output()
        );
    }

    /// `Name/severity` and the state of every alert.
    fn alerts(&self) -> Option<Vec<(String, String)>> {
        let answer: serde_json::Value = serde_json::from_str(&self.get("/api/v1/alerts")?).unwrap();
        let alerts = answer["data"]["alerts"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let each = alerts.iter().map(|alert| {
            let labels = &alert["labels"];
            let rule = format!(
                "{}/{}",
                text(&labels["alertname"]),
                text(&labels["severity"])
            );
            (rule, text(&alert["state"]))
        });
        Some(each.collect())
    }
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Debian's libfaketime, under the folder of this machine's architecture.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime is not installed: run `make lab`")
}
