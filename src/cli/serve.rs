//! `pgvigil serve`: watches until it is told to stop.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::{app, telemetry};

pub(super) async fn run(config: Config) -> ExitCode {
    if let Err(error) = telemetry::start_logging() {
        return super::cannot_run(&error);
    }
    let loaded = match app::load(&config) {
        Ok(loaded) => loaded,
        Err(problems) => return super::refuse(&problems),
    };
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => return super::cannot_run(&error.into()),
    };
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopping.cancel();
    });
    match app::run(config, loaded, stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::cannot_run(&error),
    }
}
