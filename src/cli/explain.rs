//! `pgvigil explain`: which collectors run on each server, and why the others do not.

use std::process::ExitCode;

use crate::app::{self, Loaded};
use crate::collectors;
use crate::config::Config;
use crate::server::Server;

pub(super) async fn run(config: Config) -> ExitCode {
    let loaded = match app::load(&config) {
        Ok(loaded) => loaded,
        Err(problems) => return super::refuse(&problems),
    };
    let mut reachable = true;
    for server in &app::servers(&config) {
        reachable &= explain(server, &loaded, &config.collect).await;
    }
    if reachable {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

async fn explain(server: &Server, loaded: &Loaded, settings: &collectors::Settings) -> bool {
    match super::facts(server).await {
        Ok(facts) => {
            println!("{}: {}\n", server.name, super::describe(&facts));
            let plan = collectors::plan(&loaded.catalogue, &facts, settings);
            println!("{}", collectors::explain(&plan));
            true
        }
        Err(error) => {
            println!("{}: {error}", server.name);
            false
        }
    }
}
