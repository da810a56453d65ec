//! Tells people: policy, outbox, and one file per channel. Never evaluates.
//! Takes the incident log; hands messages to channels and their results back to the log.

mod alertmanager;
mod email;
mod matcher;
mod settings;
mod slack;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use settings::{Channel, Receiver, Settings, Terms};
pub use tally::{Status, Tally};

use crate::incident::Ledger;
use crate::rules::RuleKey;
use crate::sample::Labels;

/// What messages say about this process and its rules.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Where the status page is, without a slash at the end; empty for no links.
    pub external_url: String,
    /// Added to alerts that lack them when they are pushed to an Alertmanager.
    pub external_labels: Labels,
    /// The expression of each rule, for the link from an Alertmanager.
    pub expressions: BTreeMap<RuleKey, String>,
}

/// What happened to a test message.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The receiver's name.
    pub receiver: String,
    /// Which address of it: a mailbox, a host.
    pub address: String,
    /// The conversation, line by line, without secrets.
    pub dialogue: Vec<String>,
    /// Why it failed; `None` when both messages were taken.
    pub error: Option<String>,
}

/// Tells every receiver what it should be told, until `stop`; then one last short try for what is due.
pub async fn run(
    _settings: Settings,
    _ledger: Arc<Ledger>,
    _context: Context,
    _tally: Arc<Tally>,
    _stop: CancellationToken,
) {
    todo!()
}

/// Sends a firing and a resolved message to every address of every receiver.
pub async fn test(_settings: &Settings, _context: &Context) -> Vec<Outcome> {
    todo!()
}
