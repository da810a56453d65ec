//! What is printed: ours, theirs and their ratio, with the conditions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::conditions;
use crate::it::harness::prometheus3;

/// Rows of figures, most of which criterion has written into its folder.
pub struct Table {
    results: PathBuf,
    load: String,
    rows: Vec<String>,
}

impl Table {
    pub fn new(results: &Path) -> Table {
        Table {
            results: results.to_owned(),
            load: conditions::load(),
            rows: Vec::new(),
        }
    }

    /// A row of the medians that criterion found for `GROUP/pgvigil` and `GROUP/Prometheus`.
    pub fn measured(&mut self, group: &str) {
        let median = |who: &str| {
            let folder = self
                .results
                .join(group.replace(['/', '*', '"', '?', '<', '>', ':', '|', '\\'], "_"));
            let text = fs::read_to_string(folder.join(who).join("new/estimates.json")).unwrap();
            let estimates: Json = serde_json::from_str(&text).unwrap();
            estimates["median"]["point_estimate"].as_f64().unwrap() / 1e6
        };
        self.row(group, "ms", median("pgvigil"), Some(median("Prometheus")));
    }

    /// A row of figures of our own.
    pub fn row(&mut self, what: &str, unit: &str, ours: f64, theirs: Option<f64>) {
        let row = match theirs {
            Some(theirs) => format!(
                "| {what} | {ours:.2} {unit} | {theirs:.2} {unit} | {:.2} |",
                ours / theirs
            ),
            None => format!("| {what} | {ours:.2} {unit} | | |"),
        };
        println!("{row}");
        self.rows.push(row);
    }

    pub fn print(&self) {
        let version = Command::new(prometheus3("prometheus"))
            .arg("--version")
            .output()
            .unwrap();
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let version: Vec<&str> = version.split_whitespace().take(3).collect();
        println!(
            "\nConditions: {}, load average {} before the start, both on one machine and asked one after the other over HTTP. pgvigil {}, {}.\n",
            conditions::processors(),
            self.load,
            env!("CARGO_PKG_VERSION"),
            version.join(" "),
        );
        println!("| | pgvigil | Prometheus | ratio |\n| --- | --- | --- | --- |");
        self.rows.iter().for_each(|row| println!("{row}"));
    }
}
