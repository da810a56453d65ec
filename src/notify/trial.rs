//! A firing and a resolved message to every address, and what each said.

use std::collections::BTreeMap;
use std::time::Duration;

use super::address::Address;
use super::alertmanager::Push;
use super::due::{Item, Letter, Reason};
use super::failure::Failure;
use super::message::compose;
use super::{Context, Settings, everybody};
use crate::rules::{Alert, AlertState, RuleKey};
use crate::sample::{Labels, Sources, Timestamp};

/// The test alert is said to have fired so long ago.
const LASTED: Duration = Duration::from_secs(60);

/// What happened to a test message.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The receiver's name.
    pub receiver: String,
    /// Where it went: a mailbox, `webhook`, an Alertmanager's host.
    pub address: String,
    /// The conversation, line by line, without secrets.
    pub dialogue: Vec<String>,
    /// Why it failed; `None` when both messages were taken.
    pub error: Option<String>,
}

/// Sends a firing and a resolved message to every address of every receiver, one after the other.
pub async fn test(settings: &Settings, context: &Context) -> Vec<Outcome> {
    let now = Timestamp::now();
    let firing = alert(now.before(LASTED));
    let resolved = Alert {
        state: AlertState::Resolved,
        resolved_at: Some(now),
        ..firing.clone()
    };
    let (addresses, pushes) = everybody(settings);
    let mut outcomes = Vec::new();
    for address in addresses {
        let mut dialogue = Vec::new();
        let result = write(&address, [&firing, &resolved], context, &mut dialogue).await;
        outcomes.push(outcome(
            &address.receiver,
            address.place(),
            dialogue,
            result,
        ));
    }
    for push in pushes {
        let mut dialogue = Vec::new();
        let result = submit(&push, [&firing, &resolved], context, &mut dialogue).await;
        outcomes.push(outcome(&push.receiver, push.place(), dialogue, result));
    }
    outcomes
}

async fn write(
    address: &Address,
    alerts: [&Alert; 2],
    context: &Context,
    dialogue: &mut Vec<String>,
) -> Result<(), Failure> {
    let mut letter = Letter::default();
    for alert in alerts {
        let ended = alert.resolved_at.is_some();
        letter.items = vec![Item {
            incident: alert.incident().unwrap_or_default(),
            alert: alert.clone(),
            reason: if ended {
                Reason::Resolved
            } else {
                Reason::Opened
            },
            evidence: Vec::new(),
            told: None,
        }];
        let message = compose(&letter, context, Timestamp::now());
        letter.thread = address.send(&message, context, dialogue).await?;
        letter.subject = message.subject;
    }
    Ok(())
}

async fn submit(
    push: &Push,
    alerts: [&Alert; 2],
    context: &Context,
    dialogue: &mut Vec<String>,
) -> Result<(), Failure> {
    for alert in alerts {
        push.submit(alert, context, dialogue).await?;
    }
    Ok(())
}

fn outcome(
    receiver: &str,
    address: String,
    dialogue: Vec<String>,
    result: Result<(), Failure>,
) -> Outcome {
    Outcome {
        receiver: receiver.to_owned(),
        address,
        dialogue,
        error: result.err().map(|failure| failure.reason),
    }
}

/// An alert that is not about anything.
pub(super) fn alert(at: Timestamp) -> Alert {
    let labels = [
        ("alertname", "PgvigilTest"),
        ("instance", "pgvigil"),
        ("severity", "info"),
    ];
    let annotations = [
        ("summary", "This is a test of the notification path"),
        ("hint", "Nothing: who reads this can be reached"),
    ];
    let annotations = annotations.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Alert {
        rule: RuleKey {
            file: "test".into(),
            group: "test".into(),
            rule: "PgvigilTest".into(),
        },
        labels: Labels::new(labels),
        annotations: BTreeMap::from(annotations),
        value: 1.0,
        sources: Sources::default(),
        state: AlertState::Firing,
        active_at: at,
        fired_at: Some(at),
        changed_since: None,
        last_seen: at,
        keep_firing_since: None,
        stale_since: None,
        resolved_at: None,
    }
}

/// Rows that explain nothing.
#[cfg(test)]
pub(super) fn evidence(at: Timestamp) -> crate::incident::Evidence {
    let row = |texts: [&str; 4]| texts.map(str::to_owned).to_vec();
    crate::incident::Evidence {
        query: "blocking_tree".into(),
        title: "Who blocks whom".into(),
        server: "rachel".into(),
        at,
        columns: row(["pid", "user", "for", "query"]),
        rows: vec![
            row([
                "4242",
                "app",
                "00:05:10",
                "UPDATE accounts SET balance = balance - $1 WHERE id = $2",
            ]),
            row(["  4243", "app", "00:04:59", ""]),
        ],
        more: 37,
        error: String::new(),
    }
}
