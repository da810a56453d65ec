//! Builds the rooms from the configuration, joins them, and stops them.

mod api;
mod evidence;
mod history;
mod inputs;
mod ledgers;
mod progress;
mod reference;
mod replay;
mod turn;
mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::collectors::{Collector, EvidenceQuery};
use crate::config::Config;
use crate::document::{Problem, read_matching};
use crate::incident::{Event, Ledger};
use crate::notify::heartbeat::Heartbeat;
use crate::notify::{Audience, Links, Tally};
use crate::remote_write::RemoteWrite;
use crate::rules::{RuleSet, Statuses, Traces};
use crate::sample::Timestamp;
use crate::scrape::{Board, Signs};
use crate::server::Server;
use crate::store::{Keeper, Store};
use crate::{backup, collectors, notify, patroni, rules, scrape, telemetry, web};

use evidence::Inquiries;
pub use ledgers::Ledgers;
pub use reference::{reference, schema, selectable_metrics};
pub use replay::{Replay, Replayed};
pub use turn::{Slots, Turn};
use watch::Watch;

/// How long the rooms may take to stop before the process leaves them.
const FAREWELL: Duration = Duration::from_secs(10);

/// How often is looked whether a source of the configuration before is in this one.
const SETTLED: Duration = Duration::from_secs(1);

/// How often is looked whether the incident log is to be written again or made small.
const TENDED: Duration = Duration::from_secs(5);

/// What the configuration's files say, read and checked before anything starts.
#[derive(Clone)]
pub struct Loaded {
    /// The rules in force.
    pub rules: RuleSet,
    /// The collectors, built in and the user's own.
    pub catalogue: Vec<Arc<Collector>>,
    /// The evidence queries, built in and the user's own.
    pub evidence: Vec<Arc<EvidenceQuery>>,
    /// The files of `collect.include`, each with the SHA-256 of its text.
    pub included: Vec<(String, String)>,
}

/// What outlives a reload; clones are the same.
#[derive(Clone)]
pub struct Lasting {
    store: Arc<Store>,
    remote_write: Arc<RemoteWrite>,
    ledgers: Arc<Ledgers>,
    statuses: Arc<Statuses>,
    traces: Arc<Traces>,
    /// The board of the configuration in force.
    board: Arc<Mutex<Option<Arc<Board>>>>,
}

impl Lasting {
    /// For a process that begins with this configuration.
    pub fn new(config: &Config) -> Lasting {
        Lasting {
            store: Arc::new(Store::new(&config.store, Timestamp::now())),
            remote_write: Arc::default(),
            ledgers: Arc::default(),
            statuses: Arc::default(),
            traces: Arc::default(),
            board: Arc::default(),
        }
    }

    /// Takes over the bounds of another configuration.
    pub fn configure(&self, config: &Config) {
        self.store.configure(&config.store, Timestamp::now());
    }

    /// Sends on what waits, for a short time, before the process ends.
    pub async fn farewell(&self) {
        self.remote_write.farewell().await;
    }
}

/// Reads rule files and collectors.
///
/// # Errors
/// Every mistake in any of the files.
pub fn load(config: &Config) -> Result<Loaded, Vec<Problem>> {
    match (rules::load(&config.rules), with_files(config)) {
        (Ok(rules), Ok((catalogue, evidence, files))) => Ok(Loaded {
            rules,
            catalogue,
            evidence,
            included: files.into_iter().map(hashed).collect(),
        }),
        (rules, catalogue) => {
            let mut problems = rules.err().unwrap_or_default();
            problems.extend(catalogue.err().unwrap_or_default());
            Err(problems)
        }
    }
}

/// The collectors that are built in and those of `collect.include`.
///
/// # Errors
/// Every mistake in the included files; names in `collect` that are of no collector.
pub fn catalogue(config: &Config) -> Result<Vec<Arc<Collector>>, Vec<Problem>> {
    with_files(config).map(|(catalogue, ..)| catalogue)
}

/// The evidence queries that are built in and those of `collect.include`.
///
/// # Errors
/// As [`catalogue`].
pub fn evidence(config: &Config) -> Result<Vec<Arc<EvidenceQuery>>, Vec<Problem>> {
    with_files(config).map(|(_, evidence, _)| evidence)
}

type WithFiles = (
    Vec<Arc<Collector>>,
    Vec<Arc<EvidenceQuery>>,
    Vec<(String, String)>,
);

fn with_files(config: &Config) -> Result<WithFiles, Vec<Problem>> {
    let files = read_matching("collect.include", &config.collect.include)?;
    let (catalogue, evidence) = match (collectors::load(&files), collectors::load_evidence(&files))
    {
        (Ok(catalogue), Ok(evidence)) => (catalogue, evidence),
        (catalogue, evidence) => {
            let mut problems = catalogue.err().unwrap_or_default();
            problems.extend(evidence.err().unwrap_or_default());
            return Err(problems);
        }
    };
    match config.collect.strangers(&catalogue, &evidence) {
        none if none.is_empty() => Ok((catalogue, evidence, files)),
        strangers => Err(strangers),
    }
}

fn hashed((name, text): (String, String)) -> (String, String) {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    (name, hex.collect())
}

/// The configured servers and PgBouncers, not yet connected to.
pub fn servers(config: &Config) -> Vec<Arc<Server>> {
    let servers = config.servers.iter().chain(&config.pgbouncers).cloned();
    servers
        .map(|settings| Arc::new(Server::new(settings, config.collect.timeout)))
        .collect()
}

/// Watches until `stop` is cancelled. What lasts is the caller's, so that a reload keeps history, incidents, what rules
/// left behind and what waits to be sent on; an empty store takes over what the snapshot in the state directory holds.
/// `reloads` is asked to read the configuration again.
///
/// # Errors
/// What keeps pgvigil from running at all: an address in use, a state directory that another process holds, a damaged
/// incident log. A server that is down is none of these.
pub async fn run(
    config: Config,
    loaded: Loaded,
    lasting: Lasting,
    reloads: web::Reloads,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let started = Timestamp::now();
    let door = web::Door::open(config.listen, config.web.clone())?;
    let Lasting {
        store,
        remote_write,
        ledgers,
        statuses,
        traces,
        board: latest,
    } = lasting;
    let ledger = ledgers.of(&config)?;
    let keeper = Arc::new(Keeper::new(&config.state_dir, store.clone()));
    tokio::task::block_in_place(|| keeper.restore(Timestamp::now()));
    let board = Arc::new(Board::new(store.clone(), config.has_several_of_a_kind()));
    let before = {
        let mut latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.replace(board.clone())
    };
    let signs = Arc::new(Signs::default());
    statuses.keep(&loaded.rules.groups);
    let tally = Arc::new(Tally::default());
    end_orphans(&loaded.rules, &ledger, started);
    remote_write.configure(&config.remote_write, &config.external_labels, &store);
    let messages = notify::Context {
        history: history::history(&loaded.rules, &store),
        ..messages(&config, &loaded.rules, Some(open_links(&config)))
    };

    let sight = inputs::Sight {
        inputs: inputs::inputs(
            &loaded.rules.groups,
            &loaded.catalogue,
            config.collect.aliases,
        ),
        board: board.clone(),
        ledger: ledger.clone(),
        statuses: statuses.clone(),
        started,
    };

    let tasks = TaskTracker::new();
    let api = api::api(&config, loaded.rules.groups.clone(), statuses.clone());
    let (queries, endpoints) = (api.queries.clone(), remote_write.clone());
    let view = Arc::new(web::View {
        api,
        board: board.clone(),
        store: store.clone(),
        ledger: ledger.clone(),
        tally: tally.clone(),
        audience: Audience::of(config.notify.clone(), messages.clone()),
        signs: signs.clone(),
        servers: config
            .servers
            .iter()
            .map(|server| server.name.as_str().into())
            .collect(),
        targets: targets(&config),
        aliases: config.collect.aliases,
        started,
        version: env!("CARGO_PKG_VERSION"),
        reloads: config.web.reload.then_some(reloads),
    });
    let pages = tasks.spawn(serve(door, view, stop.clone()));
    let servers = servers(&config);
    let (inquiries, open) = Inquiries::new(
        &servers,
        &loaded.evidence,
        config.collect.clone(),
        ledger.clone(),
        messages.awaited.clone(),
    );
    tasks.spawn(inquiries.clone().run(open, stop.clone()));
    tasks.spawn(scrape::run(
        servers,
        loaded.catalogue,
        config.collect.clone(),
        board.clone(),
        signs.clone(),
        stop.clone(),
    ));
    tasks.spawn(patroni::run(
        config.patronis.clone(),
        config.collect.interval,
        board.clone(),
        stop.clone(),
    ));
    let (backups, state_dir) = (config.backups.clone(), config.state_dir.clone());
    let (probed, stopped) = (board.clone(), stop.clone());
    tasks.spawn(async move { backup::run(backups, probed, &state_dir, stopped).await });
    let (told, stopped) = (board.clone(), stop.clone());
    let sending = remote_write.clone();
    tasks.spawn(async move { sending.run(&told, stopped).await });
    let rooms = progress::Rooms {
        started,
        board: board.clone(),
        statuses: statuses.clone(),
        groups: progress::rhythms(&loaded.rules.groups),
        ledger: ledger.clone(),
        tally: tally.clone(),
    };
    let heartbeat = config.notify.heartbeat.clone();
    let heartbeat = Arc::new(Heartbeat::new(heartbeat, move || rooms.progress()));
    let beating = heartbeat.clone();
    let (deliveries, told) = (tally.clone(), ledger.clone());
    let asked = inquiries.clone();
    let own = telemetry::Own {
        started,
        store: store.clone(),
        keeper: keeper.clone(),
        statuses: statuses.clone(),
        ledger: ledger.clone(),
        more: Box::new(move || {
            let mut samples = queries.samples();
            samples.extend(
                told.read(|book| notify::samples(&deliveries.all(), book, Timestamp::now())),
            );
            samples.extend(beating.samples());
            samples.extend(endpoints.samples());
            samples.extend(asked.samples());
            samples.extend(sight.samples(Timestamp::now()));
            samples
        }),
        included: loaded.included,
    };
    tasks.spawn(telemetry::run(
        own,
        board.clone(),
        config.collect.interval,
        stop.clone(),
    ));
    tasks.spawn(notify::run(
        config.notify.clone(),
        ledger.clone(),
        messages,
        tally,
        stop.clone(),
    ));
    let stopped = stop.clone();
    tasks.spawn(async move { heartbeat.run(stopped).await });
    tasks.spawn(keep(ledger.clone(), stop.clone()));
    if let Some(before) = before {
        tasks.spawn(leave(before, board.clone(), stop.clone()));
    }
    let interval = config.snapshots.interval;
    tasks.spawn(keep_history(keeper.clone(), interval, stop.clone()));
    let watch = Arc::new(Watch {
        board,
        store,
        ledger: ledger.clone(),
        inquiries,
        statuses,
        traces,
        external_labels: config.external_labels,
        external_url: config.external_url.clone(),
        turn: tokio::sync::Mutex::default(),
    });
    let groups = loaded.rules.groups;
    groups.iter().for_each(|group| watch.declare(group));
    tasks.spawn(watch.clone().bury(groups.clone(), stop.clone()));
    for group in groups {
        tasks.spawn(watch.clone().run(group, stop.clone()));
    }
    tasks.close();
    tracing::info!(url = %config.external_url, state_dir = %config.state_dir.display(), "pgvigil watches");
    stop.cancelled().await;
    let left = tokio::time::timeout(FAREWELL, tasks.wait()).await;
    // What was told while stopping is not to be told again after a restart.
    tokio::task::block_in_place(|| ledger.tend());
    tokio::task::block_in_place(|| keeper.save(Timestamp::now()));
    if left.is_err() {
        tracing::warn!("not every task stopped within {FAREWELL:?}");
        return Ok(());
    }
    pages.await?
}

/// All that a Prometheus may have as a target of its own.
fn targets(config: &Config) -> Vec<web::Target> {
    let target = |name: &str, places| web::Target {
        server: name.into(),
        places,
    };
    let servers = config.servers.iter().chain(&config.pgbouncers);
    let servers = servers.map(|server| target(&server.name, server.places()));
    let patronis = config.patronis.iter();
    let patronis = patronis.map(|node| target(&node.name, vec![node.place()]));
    servers.chain(patronis).collect()
}

/// What messages say about this process and its rules.
pub fn messages(config: &Config, rules: &RuleSet, links: Option<Links>) -> notify::Context {
    let rules = rules.groups.iter().flat_map(|group| &group.rules);
    notify::Context {
        external_url: config.external_url.clone(),
        external_labels: config.external_labels.clone(),
        expressions: rules
            .map(|rule| (rule.key.clone(), rule.query.text().to_owned()))
            .collect::<BTreeMap<_, _>>(),
        links,
        ..notify::Context::default()
    }
}

fn open_links(config: &Config) -> Links {
    let (links, warning) = Links::open(&config.state_dir, &config.external_url);
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    links
}

/// Writes the incident log anew as soon as the disk takes it, and makes it small when it has grown.
async fn keep(ledger: Arc<Ledger>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TENDED) => {
                let ledger = ledger.clone();
                // It may take as long as the disk does, and nobody should wait for it.
                if let Err(error) = tokio::task::spawn_blocking(move || ledger.tend()).await {
                    tracing::error!(%error, "cannot tend the incident log");
                }
            }
        }
    }
}

/// Ends the series of sources that the configuration before had and this one has not (Y4): their server left, or their
/// collector is off. What is not known yet is looked at again.
async fn leave(before: Arc<Board>, board: Arc<Board>, stop: CancellationToken) {
    let sources = before.successes(None).into_iter();
    let mut left: Vec<_> = sources.map(|(source, _)| source).collect();
    while !left.is_empty() && !stop.is_cancelled() {
        let now = Timestamp::now();
        left.retain(|source| {
            let retired = board.retired(source);
            if retired {
                before.retire(source, now);
            }
            !retired && !board.fresh(source, now)
        });
        stop.run_until_cancelled(tokio::time::sleep(SETTLED)).await;
    }
}

/// Writes the history down again and again.
async fn keep_history(keeper: Arc<Keeper>, interval: Option<Duration>, stop: CancellationToken) {
    let Some(interval) = interval else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {
                tokio::task::block_in_place(|| keeper.save(Timestamp::now()));
            }
        }
    }
}

/// Alerts whose rule is gone end now, so that whoever was told of them is told of their end.
fn end_orphans(rules: &RuleSet, ledger: &Ledger, now: Timestamp) {
    let ended: Vec<Event> = ledger.read(|book| {
        let orphans = rules.orphans(book.alerts.values());
        orphans
            .into_iter()
            .map(|alert| Event::Alert(alert.ended(now)))
            .collect()
    });
    ledger.record(&ended);
}

/// Without its pages pgvigil is of no use, so that their end is the end of all.
async fn serve(
    door: web::Door,
    view: Arc<web::View>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let served = door.serve(view, stop.clone()).await;
    stop.cancel();
    served.context("pages can no longer be served")
}
