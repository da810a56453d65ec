//! A collector as the text of its file.

use std::fmt::Write;

use super::range::Majors;
use crate::sample::MetricKind;

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) name: String,
    /// The query that it comes from.
    pub(super) from: String,
    /// In seconds; 0 for that of quick collectors.
    pub(super) interval: u64,
    pub(super) versions: Vec<Majors>,
    pub(super) sql: String,
    pub(super) labels: Vec<String>,
    pub(super) metrics: Vec<Metric>,
}

/// One metric of it.
#[derive(Debug, Clone)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) from: String,
    pub(super) kind: MetricKind,
    /// Where they are not those of the collector.
    pub(super) labels: Option<Vec<String>>,
    pub(super) help: String,
    pub(super) since: Option<u32>,
    pub(super) until: Option<u32>,
}

impl Draft {
    /// The file. The second connection reads it, for nothing is known of how long it takes.
    pub(super) fn text(&self) -> String {
        let mut text = format!("name: {}\ndoc: {}\n", word(&self.name), quote(&self.doc()));
        if self.interval > 0 {
            let _ = writeln!(text, "interval: {}s", self.interval);
        }
        text.push_str("lane: slow\n");
        if !self.labels.is_empty() {
            let _ = writeln!(text, "labels: {}", list(&self.labels));
        }
        text.push_str("queries:\n");
        for versions in &self.versions {
            let _ = write!(
                text,
                "  - {}{}sql: ",
                since(versions.since, "\n    "),
                until(versions.until, "\n    ")
            );
            text.push_str(&self.statement());
        }
        text.push_str("metrics:\n");
        for metric in &self.metrics {
            let _ = writeln!(text, "  {}", metric.text());
        }
        text
    }

    fn doc(&self) -> String {
        format!("Query {} of postgres_exporter.", self.from)
    }

    /// As it stands where YAML takes it so, else quoted.
    fn statement(&self) -> String {
        let printable = |c: char| c == '\n' || !c.is_control();
        let sql = self.sql.replace("\r\n", "\n").replace('\t', "    ");
        if !sql.chars().all(printable) {
            return format!("{}\n", quote(&sql));
        }
        let lines: String = sql
            .lines()
            .map(|line| match line.trim_end() {
                "" => "\n".to_owned(),
                line => format!("      {line}\n"),
            })
            .collect();
        format!("|\n{lines}")
    }
}

impl Metric {
    fn text(&self) -> String {
        let kind = match self.kind {
            MetricKind::Counter => "type: counter, ",
            MetricKind::Unknown => "type: unknown, ",
            _ => "",
        };
        let own = self.labels.as_ref();
        let labels = own.map(|labels| format!("labels: {}, ", list(labels)));
        format!(
            "{}: {{from: {}, {kind}{}{}{}help: {}}}",
            word(&self.name),
            word(&self.from),
            labels.unwrap_or_default(),
            since(self.since, ", "),
            until(self.until, ", "),
            quote(&self.help)
        )
    }
}

fn since(major: Option<u32>, end: &str) -> String {
    major.map_or(String::new(), |major| format!("since: {major}{end}"))
}

fn until(major: Option<u32>, end: &str) -> String {
    major.map_or(String::new(), |major| format!("until: {major}{end}"))
}

fn list(labels: &[String]) -> String {
    let words: Vec<String> = labels.iter().map(|label| word(label)).collect();
    format!("[{}]", words.join(", "))
}

/// Bare where nothing in it could mean anything to YAML.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain);
    match bare && !["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(&text) {
        true => text.to_owned(),
        false => quote(text),
    }
}

/// In double quotes, which JSON writes as YAML reads them.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
