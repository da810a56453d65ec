//! `pgvigil explain`: which collectors run on each server, and why the others do not.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::app::{self, Loaded};
use crate::collectors;
use crate::config::Config;
use crate::server::Server;

pub(super) async fn run(config: Config) -> io::Result<ExitCode> {
    let loaded = match app::load(&config) {
        Ok(loaded) => loaded,
        Err(problems) => return Ok(super::refuse(&problems)),
    };
    let mut reachable = true;
    for server in &app::servers(&config) {
        reachable &= explain(server, &loaded, &config.collect).await?;
    }
    Ok(super::verdict(reachable))
}

async fn explain(
    server: &Server,
    loaded: &Loaded,
    settings: &collectors::Settings,
) -> io::Result<bool> {
    let mut out = io::stdout();
    match super::facts(server).await {
        Ok(facts) => {
            writeln!(out, "{}: {}\n", server.name, super::describe(&facts))?;
            let plan = collectors::plan(&loaded.catalogue, &facts, settings);
            writeln!(out, "{}", collectors::explain(&plan))?;
            Ok(true)
        }
        Err(error) => {
            writeln!(out, "{}: {error}", server.name)?;
            Ok(false)
        }
    }
}
