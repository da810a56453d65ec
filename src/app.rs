//! Builds the rooms from the configuration, joins them, and stops them.

mod api;
mod drills;
mod evidence;
mod history;
mod house;
mod inputs;
mod lasting;
mod ledgers;
mod load;
mod progress;
mod reference;
mod replay;
mod turn;
mod upkeep;
mod watch;

use std::sync::Arc;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::notify::Links;
use crate::rules::RuleSet;
use crate::server::Server;
use crate::{notify, web};

pub use drills::live_rows;
use house::House;
pub use lasting::Lasting;
pub use load::{Loaded, catalogue, evidence, load};
pub use reference::{reference, schema, selectable_metrics};
pub use replay::{Replay, Replayed};
pub use turn::{Slots, Turn};

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
    let door = web::Door::open(config.listen, config.web.clone())?;
    let house = House::build(config, loaded, lasting, stop)?;
    house.take_over();
    let messages = house.messages();
    let (view, queries) = house.view(&messages, reloads);
    let pages = house.tasks.spawn(serve(door, view, house.stop.clone()));
    let inquiries = house.collect(&messages);
    let heartbeat = house.beat();
    house.report(queries, heartbeat, inquiries.clone());
    house.tell(messages);
    house.tend();
    house.evaluate(inquiries);
    house.tasks.close();
    tracing::info!(url = %house.config.external_url, state_dir = %house.config.state_dir.display(), "pgvigil watches");
    house.stop.cancelled().await;
    if house.end().await {
        pages.await?
    } else {
        Ok(())
    }
}

/// What messages say about this process and its rules.
pub fn messages(config: &Config, rules: &RuleSet, links: Option<Links>) -> notify::Context {
    let rules = rules.clone();
    let of = move |alert: &_| rules.of(alert).map(|rule| rule.query.text().to_owned());
    notify::Context {
        external_url: config.external_url.clone(),
        external_labels: config.external_labels.clone(),
        expressions: notify::Expressions::new(of),
        links,
        ..notify::Context::default()
    }
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
