//! A throw-away PostgreSQL with a workload and two sinks, to see the whole watch work.
//! Takes a PostgreSQL that is installed; leaves nothing behind, not even after a crash, once the next demo has run.

mod arrival;
mod cluster;
mod folder;
mod hook;
mod inbox;
mod installation;
mod journal;
mod numbers;
mod settings;
mod story;
mod workload;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{self, UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::config::Config;
use arrival::Arrival;
use cluster::{Cluster, MAX_CONNECTIONS};
use folder::Folder;
use story::Story;

/// Clients that are there from the beginning.
const PLAYERS: usize = 3;

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// End when all has been shown, instead of going on until Ctrl-C
    #[arg(long)]
    pub exit: bool,
    /// Where the page answers; the usual address, or where that is taken any other, when not given.
    #[arg(skip)]
    pub listen: Option<String>,
}

/// Runs the demo until Ctrl-C, or with `exit` until all has been shown.
///
/// # Errors
/// PostgreSQL is not installed or does not start, or what was to be shown did not come.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let stop = stop_on_signals()?;
    for path in folder::clean_up_after_crashes().await {
        println!(
            "Cleaned up after a demo that had crashed: `{}`",
            path.display()
        );
    }
    let folder = Folder::create()?;
    println!(
        "Starting a throw-away PostgreSQL in `{}`",
        folder.path().display()
    );
    let outcome = in_folder(&folder, &options, &stop).await;
    folder.remove()?;
    println!("Everything is cleaned up.");
    // Ctrl-C reaches the children too, and what they then fail at is no error.
    if stop.is_cancelled() {
        return Ok(());
    }
    outcome
}

fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        let mut signal = signal(kind).context("cannot wait for signals")?;
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}

async fn in_folder(
    folder: &Folder,
    options: &Options,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let cluster = Cluster::start(folder).await?;
    let rooms = CancellationToken::new();
    let ending = rooms.clone().drop_guard();
    let outcome = on_cluster(folder, &cluster, options, stop, &rooms).await;
    drop(ending);
    cluster.stop().await?;
    outcome
}

async fn on_cluster(
    folder: &Folder,
    cluster: &Cluster,
    options: &Options,
    stop: &CancellationToken,
    rooms: &CancellationToken,
) -> anyhow::Result<()> {
    let version = workload::fill(cluster).await?;
    println!(
        "PostgreSQL {version} takes {MAX_CONNECTIONS} connections; {PLAYERS} clients are at work"
    );
    let _players = workload::play(cluster, PLAYERS, rooms).await?;
    let dump = cluster.dump().await?;
    println!("pg_dump has written `{}`\n", dump.display());

    let (mail, hook) = (listen().await?, listen().await?);
    let sinks = (mail.local_addr()?, hook.local_addr()?);
    let config = settings::configure(folder, cluster, sinks, options.listen.clone()).await?;
    let url = format!("http://{}", config.listen);
    println!("The status page: {url}/\nFor Prometheus:  {url}/metrics\n");
    let story = Story::new(cluster, &config, receive(mail, hook, rooms));
    let telling = async {
        story.tell(stop).await?;
        if !options.exit && !stop.is_cancelled() {
            println!("\nThat was all. The watch goes on at {url}/ until Ctrl-C.");
            stop.cancelled().await;
        }
        Ok(())
    };
    beside_the_watch(config, rooms, telling).await
}

/// The two sinks; what they receive comes out of the channel.
fn receive(
    mail: TcpListener,
    hook: TcpListener,
    rooms: &CancellationToken,
) -> UnboundedReceiver<Arrival> {
    let (sender, arrivals) = unbounded_channel();
    tokio::spawn(inbox::run(mail, sender.clone(), rooms.clone()));
    tokio::spawn(hook::run(hook, sender, rooms.clone()));
    arrivals
}

/// Runs the watch as `serve` does until `telling` has come to its end.
async fn beside_the_watch(
    config: Config,
    rooms: &CancellationToken,
    telling: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let loaded = app::load(&config).map_err(|problems| settings::refused(&problems))?;
    let lasting = app::Lasting::new(&config);
    // Nobody reads the demo's configuration again.
    let (reloads, _) = mpsc::channel(1);
    let mut watch = tokio::spawn(app::run(config, loaded, lasting, reloads, rooms.clone()));
    let told = tokio::select! {
        told = telling => told,
        ended = &mut watch => return ended?.and(Err(anyhow!("the watch has ended"))),
    };
    rooms.cancel();
    watch.await?.and(told)
}

async fn listen() -> anyhow::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0")
        .await
        .context("cannot listen on 127.0.0.1")
}
