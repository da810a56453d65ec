//! `pgvigil explain`: which collectors run on each server, what each costs, and why the others do not.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::app::{self, Loaded};
use crate::collectors::evidence::explain_evidence;
use crate::collectors::{self, Measured};
use crate::config::Config;
use crate::document::format_duration;
use crate::patroni;
use crate::scrape::{self, Reading};
use crate::server::{Kind, Server};

/// How much is found out.
#[derive(Args)]
pub(super) struct Options {
    /// Show the plan alone: no collector is read, so that nothing is known of its cost
    #[arg(long)]
    plan: bool,
}

pub(super) async fn run(config: Config, options: Options) -> io::Result<ExitCode> {
    let loaded = match app::load(&config) {
        Ok(loaded) => loaded,
        Err(problems) => return Ok(super::refuse(&problems)),
    };
    let mut all_good = true;
    for server in &app::servers(&config) {
        all_good &= explain(server, &loaded, &config.collect, &options).await?;
    }
    for settings in &config.patronis {
        all_good &= explain_patroni(settings, config.collect.interval).await?;
    }
    Ok(super::verdict(all_good))
}

/// Whether the node could be asked.
async fn explain_patroni(settings: &patroni::Settings, interval: Duration) -> io::Result<bool> {
    let mut out = io::stdout();
    let name = &settings.name;
    match patroni::ask(settings).await {
        Ok(node) => {
            let interval = format_duration(interval);
            writeln!(
                out,
                "{name}: {node}\n\n`/patroni` and `/cluster` are read every {interval}"
            )?;
            Ok(true)
        }
        Err(error) => {
            writeln!(out, "{name}: {error}")?;
            Ok(false)
        }
    }
}

/// Whether the server could be reached and every collector read, as far as it is permitted to.
async fn explain(
    server: &Server,
    loaded: &Loaded,
    settings: &collectors::Settings,
    options: &Options,
) -> io::Result<bool> {
    let mut out = io::stdout();
    let facts = match super::facts(server).await {
        Ok(facts) => facts,
        Err(error) => {
            writeln!(out, "{}: {error}", server.name)?;
            return Ok(false);
        }
    };
    writeln!(out, "{}: {}\n", server.name, super::describe(&facts))?;
    let plan = collectors::plan(&loaded.catalogue, &facts, settings);
    let evidence = match facts.kind {
        Kind::PostgreSql => explain_evidence(&loaded.evidence, &facts, settings),
        Kind::PgBouncer => String::new(),
    };
    if options.plan {
        writeln!(out, "{}\n{evidence}", collectors::explain(&plan))?;
        return Ok(true);
    }
    let readings = scrape::carry_out(server, &plan, settings).await;
    let all_good = readings.iter().all(Reading::is_good);
    let measured: Vec<Measured> = readings.into_iter().map(measured).collect();
    let text = collectors::explain_costs(&plan, &measured, settings);
    writeln!(out, "{text}\n{evidence}")?;
    Ok(all_good)
}

fn measured(reading: Reading) -> Measured {
    Measured {
        collector: reading.source.collector,
        database: reading.source.database,
        took: reading.took,
        outcome: reading
            .outcome
            .map(|samples| samples.len())
            .map_err(|failure| failure.words),
    }
}
