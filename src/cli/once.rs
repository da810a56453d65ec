//! `pgvigil once`: collects once, prints, exits.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::config::Config;
use crate::sample::{Sample, Timestamp};
use crate::scrape::{Failure, Reading};
use crate::server::Kind;
use crate::{app, patroni, scrape};

/// How the result is printed.
#[derive(Args)]
pub(super) struct Options {
    /// `text`: a line per series; `json`: a line per server, each a document with its name and samples; `line`: a line
    /// per server, epoch,connections,database_bytes,cache_hit. With several of a kind each series has a `server` label,
    /// and each `line` ends with a fifth field, the server's name
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
    Line,
}

pub(super) async fn run(config: Config, options: Options) -> io::Result<ExitCode> {
    let loaded = match app::load(&config) {
        Ok(loaded) => loaded,
        Err(problems) => return Ok(super::refuse(&problems)),
    };
    let mut all_read = true;
    let servers = app::servers(&config);
    let several = config.has_several_of_a_kind();
    for server in &servers {
        let readings = match scrape::once(server, &loaded.catalogue, &config.collect).await {
            Ok(readings) => readings,
            Err(error) => {
                eprintln!("error: {}", super::explained(&error));
                all_read = false;
                continue;
            }
        };
        all_read &= show_failures(&readings);
        let database = (server.kind() == Kind::PostgreSql).then(|| server.database());
        let shown = Shown {
            name: &server.name,
            database,
            several,
        };
        shown.print(&readings, options.format)?;
    }
    for settings in &config.patronis {
        match patroni::once(settings).await {
            Ok(readings) => {
                all_read &= show_failures(&readings);
                let shown = Shown {
                    name: &settings.name,
                    database: None,
                    several,
                };
                shown.print(&readings, options.format)?;
            }
            Err(error) => {
                eprintln!("error: {error}");
                all_read = false;
            }
        }
    }
    Ok(super::verdict(all_read))
}

/// Whether there were none but for want of a right.
fn show_failures(readings: &[Reading]) -> bool {
    let mut all_read = true;
    let mut said = HashSet::new();
    for reading in readings {
        if let Err(Failure {
            words,
            denied,
            not_admitted,
        }) = &reading.outcome
        {
            let kind = if *denied { "warning" } else { "error" };
            if !not_admitted {
                eprintln!("{kind}: {}: {words}", reading.source);
            } else if said.insert(words) {
                eprintln!("{kind}: {words}");
            }
            all_read &= denied;
        }
    }
    all_read
}

/// What was read, as it is to be named.
struct Shown<'a> {
    name: &'a str,
    /// The configured database of a server; none of anything else, which has no line.
    database: Option<&'a str>,
    several: bool,
}

impl Shown<'_> {
    fn print(&self, readings: &[Reading], format: Format) -> io::Result<()> {
        let mut out = io::stdout();
        let read = readings.iter();
        let mut samples: Vec<&Sample> = read
            .filter_map(|reading| reading.outcome.as_ref().ok())
            .flatten()
            .collect();
        samples.sort_by(|a, b| (&a.family.name, &a.labels).cmp(&(&b.family.name, &b.labels)));
        match (format, self.database) {
            (Format::Text, _) => {
                for sample in samples {
                    let labels = labels(sample, self.several.then_some(self.name));
                    writeln!(out, "{}{labels} {}", sample.family.name, sample.value)?;
                }
            }
            (Format::Json, _) => writeln!(out, "{}", json(self.name, &samples))?,
            (Format::Line, Some(database)) => {
                let line = line(database, &samples);
                let name = self.several.then(|| format!(",{}", self.name));
                writeln!(out, "{line}{}", name.unwrap_or_default())?;
            }
            (Format::Line, None) => {}
        }
        Ok(())
    }
}

fn labels(sample: &Sample, server: Option<&str>) -> String {
    let mut labels = sample.labels.clone();
    if let Some(server) = server {
        labels = labels.with("server", server);
    }
    if labels.is_empty() {
        String::new()
    } else {
        labels.to_string()
    }
}

fn json(server: &str, samples: &[&Sample]) -> serde_json::Value {
    let series = samples.iter().map(|sample| {
        serde_json::json!({ "name": sample.family.name, "labels": sample.labels, "value": sample.value })
    });
    serde_json::json!({ "server": server, "samples": series.collect::<Vec<_>>() })
}

/// The line that the guide's monitor-db.sh appends to its log; a value that could not be read is empty.
fn line(database: &str, samples: &[&Sample]) -> String {
    let named = |name: &'static str| {
        samples
            .iter()
            .filter(move |sample| &*sample.family.name == name)
    };
    let own =
        |name: &'static str| named(name).find(|sample| sample.labels.get("datname") == database);
    let connections: Vec<f64> = named("pg_stat_activity_count")
        .map(|sample| sample.value)
        .collect();
    let connections = if connections.is_empty() {
        String::new()
    } else {
        connections.iter().sum::<f64>().to_string()
    };
    let size =
        own("pg_database_size_bytes").map_or_else(String::new, |sample| sample.value.to_string());
    let hit = own("pg_database_cache_hit_ratio")
        .map_or_else(String::new, |sample| format!("{:.4}", sample.value));
    format!("{},{connections},{size},{hit}", Timestamp::now().0 / 1000)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sample::{Family, Labels, MetricKind};

    fn sample(name: &str, datname: &str, value: f64) -> Sample {
        let family = Family {
            name: name.into(),
            kind: MetricKind::Gauge,
            help: "".into(),
        };
        Sample {
            family: Arc::new(family),
            labels: Labels::new([("datname", datname)]),
            value,
        }
    }

    #[test]
    fn the_guides_line_has_four_fields_and_empty_means_unknown() {
        let samples = [
            sample("pg_stat_activity_count", "rachel", 3.0),
            sample("pg_stat_activity_count", "other", 2.0),
            sample("pg_database_size_bytes", "rachel", 8_000_000.0),
            sample("pg_database_size_bytes", "other", 1.0),
        ];
        let line = line("rachel", &samples.iter().collect::<Vec<_>>());
        assert!(line.ends_with(",5,8000000,"), "{line}");
    }
}
