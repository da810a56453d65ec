//! The rooms of one configuration, joined: each function starts those of one stage, and hands on what the next needs.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::evidence::Inquiries;
use super::watch::Watch;
use super::{Lasting, Loaded, api, history, inputs, progress, upkeep};
use crate::config::Config;
use crate::incident::Ledger;
use crate::notify::heartbeat::Heartbeat;
use crate::notify::{Audience, Links, Tally};
use crate::sample::Timestamp;
use crate::scrape::{Board, Signs};
use crate::store::Keeper;
use crate::web::api::Queries;
use crate::{backup, notify, patroni, scrape, telemetry, web};

/// How long the rooms may take to stop before the process leaves them.
const FAREWELL: Duration = Duration::from_secs(10);

/// The rooms of one configuration, and what runs in them.
pub(super) struct House {
    pub(super) config: Config,
    loaded: Loaded,
    lasting: Lasting,
    started: Timestamp,
    board: Arc<Board>,
    /// That of the configuration before.
    before: Option<Arc<Board>>,
    ledger: Arc<Ledger>,
    keeper: Arc<Keeper>,
    signs: Arc<Signs>,
    tally: Arc<Tally>,
    records: Arc<backup::Records>,
    reports: backup::Reports,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl House {
    pub(super) fn build(
        config: Config,
        loaded: Loaded,
        lasting: Lasting,
        stop: CancellationToken,
    ) -> anyhow::Result<House> {
        let ledger = lasting.ledgers.of(&config)?;
        let store = &lasting.store;
        let keeper = Arc::new(Keeper::new(&config.state_dir, store.clone()));
        tokio::task::block_in_place(|| keeper.restore(Timestamp::now()));
        let board = Arc::new(Board::new(store.clone(), config.has_several_of_a_kind()));
        Ok(House {
            started: Timestamp::now(),
            before: lasting.replace_board(&board),
            board,
            ledger,
            keeper,
            signs: Arc::default(),
            tally: Arc::default(),
            records: Arc::default(),
            reports: backup::Reports::new(&config.state_dir),
            tasks: TaskTracker::new(),
            config,
            loaded,
            lasting,
            stop,
        })
    }

    /// What lasts is brought in line with the configuration.
    pub(super) fn take_over(&self) {
        let (config, lasting) = (&self.config, &self.lasting);
        lasting.statuses.keep(&self.loaded.rules.groups);
        upkeep::end_orphans(&self.loaded.rules, &self.ledger, self.started);
        lasting.remote_write.configure(
            &config.remote_write,
            &config.external_labels,
            &lasting.store,
        );
        if let Some(before) = &self.before {
            let (before, board) = (before.clone(), self.board.clone());
            self.tasks
                .spawn(upkeep::leave(before, board, self.stop.clone()));
        }
    }

    pub(super) fn messages(&self) -> notify::Context {
        notify::Context {
            history: history::history(&self.loaded.rules, &self.lasting.store),
            ..super::messages(
                &self.config,
                &self.loaded.rules,
                Some(open_links(&self.config)),
            )
        }
    }

    pub(super) fn view(
        &self,
        messages: &notify::Context,
        reloads: web::Reloads,
    ) -> (Arc<web::View>, Arc<Queries>) {
        let (config, lasting) = (&self.config, &self.lasting);
        let groups = self.loaded.rules.groups.clone();
        let api = api::api(config, groups, lasting.statuses.clone());
        let queries = api.queries.clone();
        let servers = config.servers.iter();
        let view = web::View {
            api,
            board: self.board.clone(),
            store: lasting.store.clone(),
            ledger: self.ledger.clone(),
            tally: self.tally.clone(),
            audience: Audience::of(config.notify.clone(), messages.clone()),
            signs: self.signs.clone(),
            servers: servers.map(|server| server.name.as_str().into()).collect(),
            targets: targets(config),
            aliases: config.collect.aliases,
            started: self.started,
            backups: backup::Archive::new(
                self.records.clone(),
                self.reports.clone(),
                &config.state_dir,
            ),
            version: env!("CARGO_PKG_VERSION"),
            reloads: config.web.reload.then_some(reloads),
        };
        (Arc::new(view), queries)
    }

    /// Reads whatever is watched, and sends it on.
    pub(super) fn collect(&self, messages: &notify::Context) -> Arc<Inquiries> {
        let (config, board) = (&self.config, &self.board);
        let servers = super::servers(config);
        let (inquiries, open) = Inquiries::new(
            &servers,
            &self.loaded.evidence,
            config.collect.clone(),
            self.ledger.clone(),
            messages.awaited.clone(),
            board.clone(),
        );
        self.tasks
            .spawn(inquiries.clone().run(open, self.stop.clone()));
        self.tasks.spawn(scrape::run(
            servers,
            self.loaded.catalogue.clone(),
            config.collect.clone(),
            board.clone(),
            self.signs.clone(),
            self.stop.clone(),
        ));
        self.tasks.spawn(patroni::run(
            config.patronis.clone(),
            config.collect.interval,
            board.clone(),
            self.stop.clone(),
        ));
        let (backups, state_dir) = (config.backups.clone(), config.state_dir.clone());
        let (records, reports) = (self.records.clone(), self.reports.clone());
        let (probed, stopped) = (board.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            backup::run(backups, probed, records, reports, &state_dir, stopped).await;
        });
        let names = config.servers.iter().map(|server| server.name.clone());
        let (names, interval) = (names.collect(), config.collect.interval);
        let (records, state_dir) = (self.records.clone(), config.state_dir.clone());
        let (read, stopped) = (board.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            backup::watch_exposure(names, interval, read, records, &state_dir, stopped).await;
        });
        let store = self.lasting.store.clone();
        self.tasks.spawn(backup::drill::watch(
            config.drills.clone(),
            config.backups.clone(),
            board.clone(),
            Arc::new(move |server, database| {
                super::live_rows(&store, Timestamp::now(), server, database)
            }),
            self.reports.clone(),
            config.state_dir.clone(),
            self.stop.clone(),
        ));
        let (told, stopped) = (board.clone(), self.stop.clone());
        let sending = self.lasting.remote_write.clone();
        self.tasks
            .spawn(async move { sending.run(&told, stopped).await });
        inquiries
    }

    /// Says that all is well for as long as it is.
    pub(super) fn beat(&self) -> Arc<Heartbeat> {
        let rooms = progress::Rooms {
            started: self.started,
            board: self.board.clone(),
            statuses: self.lasting.statuses.clone(),
            groups: progress::rhythms(&self.loaded.rules.groups),
            ledger: self.ledger.clone(),
            tally: self.tally.clone(),
        };
        let settings = self.config.notify.heartbeat.clone();
        let heartbeat = Arc::new(Heartbeat::new(settings, move || rooms.progress()));
        let (beating, stopped) = (heartbeat.clone(), self.stop.clone());
        self.tasks.spawn(async move { beating.run(stopped).await });
        heartbeat
    }

    /// Publishes what there is to know of the rooms themselves.
    pub(super) fn report(
        &self,
        queries: Arc<Queries>,
        heartbeat: Arc<Heartbeat>,
        inquiries: Arc<Inquiries>,
    ) {
        let (tally, ledger) = (self.tally.clone(), self.ledger.clone());
        let endpoints = self.lasting.remote_write.clone();
        let sight = self.sight();
        let more = move || {
            let now = Timestamp::now();
            let mut samples = queries.samples();
            samples.extend(ledger.read(|book| notify::samples(&tally.all(), book, now)));
            samples.extend(heartbeat.samples());
            samples.extend(endpoints.samples());
            samples.extend(inquiries.samples());
            samples.extend(sight.samples(now));
            samples
        };
        let own = telemetry::Own {
            started: self.started,
            store: self.lasting.store.clone(),
            keeper: self.keeper.clone(),
            statuses: self.lasting.statuses.clone(),
            ledger: self.ledger.clone(),
            more: Box::new(more),
            reloads: self.lasting.reloads.clone(),
            included: self.loaded.included.clone(),
        };
        let interval = self.config.collect.interval;
        self.tasks.spawn(telemetry::run(
            own,
            self.board.clone(),
            interval,
            self.stop.clone(),
        ));
    }

    fn sight(&self) -> inputs::Sight {
        inputs::Sight {
            inputs: inputs::inputs(
                &self.loaded.rules.groups,
                &self.loaded.catalogue,
                self.config.collect.aliases,
            ),
            board: self.board.clone(),
            ledger: self.ledger.clone(),
            statuses: self.lasting.statuses.clone(),
            started: self.started,
        }
    }

    pub(super) fn tell(&self, messages: notify::Context) {
        self.tasks.spawn(notify::run(
            self.config.notify.clone(),
            self.ledger.clone(),
            messages,
            self.tally.clone(),
            self.stop.clone(),
        ));
    }

    /// Keeps what is on the disk.
    pub(super) fn tend(&self) {
        self.tasks
            .spawn(upkeep::keep(self.ledger.clone(), self.stop.clone()));
        let interval = self.config.snapshots.interval;
        self.tasks.spawn(upkeep::keep_history(
            self.keeper.clone(),
            interval,
            self.stop.clone(),
        ));
    }

    pub(super) fn evaluate(&self, inquiries: Arc<Inquiries>) {
        let watch = Arc::new(Watch {
            board: self.board.clone(),
            store: self.lasting.store.clone(),
            ledger: self.ledger.clone(),
            inquiries,
            statuses: self.lasting.statuses.clone(),
            traces: self.lasting.traces.clone(),
            external_labels: self.config.external_labels.clone(),
            external_url: self.config.external_url.clone(),
            turn: tokio::sync::Mutex::default(),
        });
        let groups = &self.loaded.rules.groups;
        groups.iter().for_each(|group| watch.declare(group));
        self.tasks
            .spawn(watch.clone().bury(groups.clone(), self.stop.clone()));
        for group in groups {
            self.tasks
                .spawn(watch.clone().run(group.clone(), self.stop.clone()));
        }
    }

    /// Waits for all that runs, and saves what lasts; whether everything has stopped in time.
    pub(super) async fn end(&self) -> bool {
        let left = tokio::time::timeout(FAREWELL, self.tasks.wait()).await;
        // What was told while stopping is not to be told again after a restart.
        tokio::task::block_in_place(|| self.ledger.tend());
        tokio::task::block_in_place(|| self.keeper.save(Timestamp::now()));
        if left.is_err() {
            tracing::warn!("not every task stopped within {FAREWELL:?}");
        }
        left.is_ok()
    }
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

fn open_links(config: &Config) -> Links {
    let (links, warning) = Links::open(&config.state_dir, &config.external_url);
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    links
}
