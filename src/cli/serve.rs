//! `pgvigil serve`: watches until it is told to stop; SIGHUP reads the configuration again.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::{self, Lasting, Loaded};
use crate::config::{Config, Flags, load};
use crate::document::{Outside, Problem};
use crate::{telemetry, web};

/// What the process may be told from outside.
enum Order {
    Stop,
    /// With someone who waits for an answer, where it did not come as a signal.
    Reload(Option<web::Reload>),
}

struct Orders {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    reloads: mpsc::Receiver<web::Reload>,
}

pub(super) async fn run(config: Config, flags: Flags) -> ExitCode {
    if let Err(error) = telemetry::start_logging() {
        return super::cannot_run(&error);
    }
    let loaded = match app::load(&config) {
        Ok(loaded) => loaded,
        Err(problems) => return super::refuse(&problems),
    };
    warn(&config);
    let lasting = Lasting::new(&config);
    let ended = watch(config, loaded, &lasting, &flags).await;
    lasting.farewell().await;
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::cannot_run(&error),
    }
}

/// Watches with one configuration after another. One that cannot run gives way to the one before it.
async fn watch(
    mut config: Config,
    mut loaded: Loaded,
    lasting: &Lasting,
    flags: &Flags,
) -> anyhow::Result<()> {
    let (reloads, asked) = mpsc::channel(1);
    let mut orders = Orders::listen(asked)?;
    let mut before: Option<(Config, Loaded)> = None;
    loop {
        let stop = CancellationToken::new();
        let running = app::run(
            config.clone(),
            loaded.clone(),
            lasting.clone(),
            reloads.clone(),
            stop.clone(),
        );
        tokio::pin!(running);
        let mut refused = false;
        let next = tokio::select! {
            ended = &mut running => match (ended, before.take()) {
                (Err(error), Some(old)) => {
                    tracing::error!("the new configuration cannot run, going on with the old one: {error:#}");
                    refused = true;
                    old
                }
                (ended, _) => return ended,
            },
            next = orders.next(flags, lasting) => {
                if next.is_none() {
                    tracing::info!("pgvigil stops");
                }
                stop.cancel();
                running.await?;
                let Some(next) = next else { return Ok(()) };
                tracing::info!("configuration read again");
                before = Some((config.clone(), loaded.clone()));
                next
            }
        };
        lasting.configure(&next.0);
        if refused {
            lasting.refused();
        }
        (config, loaded) = next;
    }
}

impl Orders {
    fn listen(reloads: mpsc::Receiver<web::Reload>) -> std::io::Result<Self> {
        Ok(Orders {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            reloads,
        })
    }

    /// The next valid configuration, or `None` for the end. A configuration with mistakes changes nothing.
    async fn next(&mut self, flags: &Flags, lasting: &Lasting) -> Option<(Config, Loaded)> {
        while let Order::Reload(asked) = self.order().await {
            let read = reread(flags);
            let problems = read.as_ref().err().map_or(&[][..], Vec::as_slice);
            for problem in problems {
                tracing::error!("the new configuration is not used: {problem}");
            }
            if let Some(asked) = asked {
                // Whoever asked may have gone.
                let _ = asked.send(verdict(problems));
            }
            if let Ok(next) = read {
                warn(&next.0);
                return Some(next);
            }
            lasting.refused();
        }
        None
    }

    async fn order(&mut self) -> Order {
        tokio::select! {
            _ = self.terminate.recv() => Order::Stop,
            _ = self.interrupt.recv() => Order::Stop,
            _ = self.hangup.recv() => Order::Reload(None),
            Some(asked) = self.reloads.recv() => Order::Reload(Some(asked)),
        }
    }
}

fn reread(flags: &Flags) -> Result<(Config, Loaded), Vec<Problem>> {
    let config = load(flags)?;
    let loaded = app::load(&config)?;
    Ok((config, loaded))
}

/// Logs what the configuration names and could not be used now: it is needed only when there is something to tell.
fn warn(config: &Config) {
    for problem in config.outside.iter().filter_map(Outside::problem) {
        tracing::warn!("{problem}");
    }
}

fn verdict(problems: &[Problem]) -> Result<(), String> {
    if problems.is_empty() {
        return Ok(());
    }
    let lines = problems.iter().map(|problem| format!("{problem}\n"));
    Err(format!(
        "the new configuration is not used\n{}",
        lines.collect::<String>()
    ))
}
