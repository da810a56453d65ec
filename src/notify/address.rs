//! Where a message goes: a mailbox, a webhook. A receiver with several mailboxes is several addresses, so that one
//! that refuses hurts no other.

use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;

use super::Context;
use super::command::Command;
use super::email::Mail;
use super::failure::Failure;
use super::message::Message;
use super::pace::Bucket;
use super::pagerduty::Pagerduty;
use super::receiver::{Channel, Receiver};
use super::slack::Slack;
use super::webhook::Webhook;

/// One place that takes messages for people.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// The receiver's name; with `/` and the mailbox where it has several.
    pub(super) key: String,
    /// The receiver's name.
    pub(super) receiver: String,
    /// How fast it may be sent to.
    pub(super) bucket: Bucket,
    line: Line,
}

#[derive(Debug, Clone)]
enum Line {
    Mail(Mail),
    Slack(Slack),
    Webhook(Webhook),
    Pagerduty(Pagerduty),
    Command(Command),
}

impl Address {
    /// Those of a receiver; none for an Alertmanager, which takes alerts, not messages.
    pub(super) fn of(receiver: &Receiver, client: &Result<Client, String>) -> Vec<Address> {
        let name = &receiver.name;
        let line = match &receiver.channel {
            Channel::Email(settings) => {
                let alone = settings.to.len() == 1;
                let address = |to: &lettre::message::Mailbox| {
                    let mail = Mail::new(settings.clone(), to.email.clone(), name);
                    let key = if alone {
                        name.clone()
                    } else {
                        format!("{name}/{}", to.email)
                    };
                    Address::new(key, name, Line::Mail(mail))
                };
                return settings.to.iter().map(address).collect();
            }
            Channel::Slack(settings) => Line::Slack(Slack::new(settings.clone(), client.clone())),
            Channel::Webhook(settings) => {
                Line::Webhook(Webhook::new(settings.clone(), client.clone(), name))
            }
            Channel::Pagerduty(settings) => {
                Line::Pagerduty(Pagerduty::new(settings.clone(), client.clone()))
            }
            Channel::Command(settings) => Line::Command(Command::new(settings.clone(), name)),
            Channel::Alertmanager(_) => return Vec::new(),
        };
        vec![Address::new(name.clone(), name, line)]
    }

    fn new(key: String, receiver: &str, line: Line) -> Address {
        Address {
            key,
            receiver: receiver.to_owned(),
            bucket: line.bucket(),
            line,
        }
    }

    /// The channel, as the metrics call it.
    pub(super) fn channel(&self) -> &'static str {
        match &self.line {
            Line::Mail(_) => "email",
            Line::Slack(_) => "slack",
            Line::Webhook(_) => "webhook",
            Line::Pagerduty(_) => "pagerduty",
            Line::Command(_) => "command",
        }
    }

    /// Where it is, as a person calls it, without secrets.
    pub(super) fn place(&self) -> String {
        match &self.line {
            Line::Mail(mail) => mail.mailbox(),
            Line::Slack(slack) => slack.place(),
            Line::Webhook(_) => "webhook".into(),
            Line::Pagerduty(_) => "PagerDuty".into(),
            Line::Command(command) => command.place(),
        }
    }

    /// Shares the bucket of another address with the same webhook, token or key, for that is what a service limits.
    pub(super) fn beside(self, others: &[Address]) -> Address {
        let limited = self.limited();
        let mut twins = others.iter().filter(|other| other.limited() == limited);
        match twins.next() {
            Some(twin) if limited.is_some() => Address {
                bucket: twin.bucket.clone(),
                ..self
            },
            _ => self,
        }
    }

    fn limited(&self) -> Option<String> {
        match &self.line {
            Line::Slack(slack) => slack.limited().ok(),
            Line::Webhook(webhook) => webhook.url().ok(),
            Line::Pagerduty(pagerduty) => pagerduty.key().ok(),
            Line::Mail(_) | Line::Command(_) => None,
        }
    }

    /// Whether a message can be an answer to an earlier one, or belongs to a group with it.
    pub(super) fn has_threads(&self) -> bool {
        match &self.line {
            Line::Mail(_) | Line::Webhook(_) | Line::Command(_) => true,
            Line::Slack(slack) => slack.has_threads(),
            Line::Pagerduty(_) => false,
        }
    }

    /// Whether a message is about one incident only, so that there are no digests.
    pub(super) fn is_alone(&self) -> bool {
        matches!(self.line, Line::Pagerduty(_))
    }

    /// Sends a message and adds what was said to the dialogue; the thread that the message began or continued, empty
    /// where there are none.
    pub(super) async fn send(
        &self,
        message: &Message,
        context: &Context,
        dialogue: &mut Vec<String>,
    ) -> Result<String, Failure> {
        match &self.line {
            Line::Mail(mail) => mail.send(message, dialogue).await,
            Line::Slack(slack) => slack.send(message, dialogue).await,
            Line::Webhook(webhook) => webhook.send(message, context, dialogue).await,
            Line::Pagerduty(pagerduty) => {
                let sent = pagerduty.send(message, dialogue).await;
                sent.map(|()| String::new())
            }
            Line::Command(command) => command.send(message, context, dialogue).await,
        }
    }
}

impl Line {
    fn bucket(&self) -> Bucket {
        let (every, burst) = match self {
            Line::Mail(_) => (Duration::from_secs(2), 10),
            // A bot changes a message for each that it posts, which Slack takes 50 times in a minute.
            Line::Slack(slack) if slack.has_threads() => (Duration::from_millis(1_250), 3),
            Line::Slack(_) => (Duration::from_secs(1), 3),
            Line::Webhook(_) => (Duration::from_millis(200), 10),
            // PagerDuty takes 480 in a minute.
            Line::Pagerduty(_) => (Duration::from_millis(500), 20),
            Line::Command(_) => (Duration::from_secs(1), 10),
        };
        Bucket::new(every, burst, Instant::now())
    }
}
