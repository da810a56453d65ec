//! Tells people: policy, outbox, and one file per channel. Never evaluates.
//! Takes the incident log; hands messages to channels and their results back to the log.

mod address;
pub mod alertmanager;
mod audience;
mod awaited;
mod caution;
pub mod command;
mod doubts;
mod due;
pub mod email;
mod expressions;
mod failure;
pub mod heartbeat;
mod history;
mod http;
mod inhibit;
mod link;
mod message;
mod numbers;
mod office;
mod outbox;
mod pace;
pub mod pagerduty;
mod payload;
mod plan;
mod policy;
mod receiver;
mod rehearsal;
mod secrets;
mod settings;
pub mod slack;
mod table;
mod tally;
#[cfg(test)]
mod timeline;
mod trial;
pub mod webhook;
mod window;
mod words;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

pub use audience::{Audience, Inhibited};
pub use awaited::Awaited;
pub use doubts::doubts;
pub use expressions::Expressions;
pub use history::History;
pub use inhibit::Inhibition;
pub use link::{HOLDS, LinkError, Links};
pub use numbers::{METRICS, samples};
pub use policy::WATCHDOG;
pub use receiver::{Channel, Receiver};
pub use rehearsal::{Line, Rehearsal, Rehearsed};
pub use settings::{Entry, Settings, Terms};
pub use tally::{Status, Tally};
pub use trial::{Outcome, test};
pub use window::Window;

use self::address::Address;
use self::alertmanager::Push;
use self::office::Office;
use self::outbox::Outbox;
use self::policy::Policy;
use crate::incident::{Event, Ledger};
use crate::sample::{Labels, Timestamp};

/// What messages say about this process and its rules.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Where the status page is, without a slash at the end; empty for no links.
    pub external_url: String,
    /// Added to alerts that lack them when they are pushed to an Alertmanager.
    pub external_labels: Labels,
    /// The expression of each rule, for the link from an Alertmanager.
    pub expressions: Expressions,
    /// Who writes the links by which an incident can be silenced; `None` for no such links.
    pub links: Option<Links>,
    /// How the value of an alert has come about.
    pub history: History,
    /// About which incidents evidence is being read.
    pub awaited: Arc<Awaited>,
}

/// Tells every receiver what it should be told, until `stop`; then one last short try for what is due.
pub async fn run(
    settings: Settings,
    ledger: Arc<Ledger>,
    context: Context,
    tally: Arc<Tally>,
    stop: CancellationToken,
) {
    let (addresses, pushes) = everybody(&settings);
    let keys = addresses.iter().map(|address| &address.key);
    let names: Vec<String> = keys
        .chain(pushes.iter().map(|push| &push.key))
        .cloned()
        .collect();
    tally.keep(&names);
    let office = Office {
        policy: Arc::new(Policy::of(&settings)),
        ledger,
        context: Arc::new(context),
        tally,
    };
    let at = Timestamp::now();
    office.record(Event::Receivers { at, names }).await;
    let mut tasks = JoinSet::new();
    for address in addresses {
        office
            .tally
            .introduce(&address.key, &address.receiver, address.channel());
        tasks.spawn(Outbox::new(office.clone(), address).run(stop.clone()));
    }
    for push in pushes {
        office
            .tally
            .introduce(&push.key, &push.receiver, "alertmanager");
        tasks.spawn(push.run(office.clone(), stop.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            error!(%error, "a sender ended by itself");
        }
    }
}

fn everybody(settings: &Settings) -> (Vec<Address>, Vec<Push>) {
    let client = http::client();
    let (mut addresses, mut pushes) = (Vec::new(), Vec::new());
    for receiver in &settings.receivers {
        match &receiver.channel {
            Channel::Alertmanager(settings) => {
                pushes.extend(Push::of(&receiver.name, settings, &client))
            }
            _ => {
                for address in Address::of(receiver, &client) {
                    addresses.push(address.beside(&addresses));
                }
            }
        }
    }
    (addresses, pushes)
}
