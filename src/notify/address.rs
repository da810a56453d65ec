//! Where a message goes: a mailbox, a webhook. A receiver with several mailboxes is several addresses, so that one
//! that refuses hurts no other.

use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;

use super::email::Mail;
use super::failure::Failure;
use super::message::Message;
use super::pace::Bucket;
use super::settings::{Channel, Receiver};
use super::slack::Slack;

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
}

impl Address {
    /// Those of a receiver; none for an Alertmanager, which takes alerts, not messages.
    pub(super) fn of(receiver: &Receiver, client: &Result<Client, String>) -> Vec<Address> {
        let name = &receiver.name;
        let address = |key: String, line: Line| Address {
            key,
            receiver: name.clone(),
            bucket: line.bucket(),
            line,
        };
        match &receiver.channel {
            Channel::Email(settings) => {
                let alone = settings.to.len() == 1;
                let key = |to| {
                    if alone {
                        name.clone()
                    } else {
                        format!("{name}/{to}")
                    }
                };
                let mails = settings.to.iter();
                mails
                    .map(|to| {
                        let mail = Mail::new(settings.clone(), to.email.clone(), name);
                        address(key(&to.email), Line::Mail(mail))
                    })
                    .collect()
            }
            Channel::Slack(settings) => {
                let slack = Slack::new(settings.clone(), client.clone());
                vec![address(name.clone(), Line::Slack(slack))]
            }
            Channel::Alertmanager(_) => Vec::new(),
        }
    }

    /// The channel, as the metrics call it.
    pub(super) fn channel(&self) -> &'static str {
        match &self.line {
            Line::Mail(_) => "email",
            Line::Slack(_) => "slack",
        }
    }

    /// Where it is, as a person calls it, without secrets.
    pub(super) fn place(&self) -> String {
        match &self.line {
            Line::Mail(mail) => mail.mailbox(),
            Line::Slack(_) => "webhook".into(),
        }
    }

    /// Shares the bucket of another address with the same webhook, for it is the webhook that Slack limits.
    pub(super) fn beside(self, others: &[Address]) -> Address {
        let webhook = self.webhook();
        let mut twins = others.iter().filter(|other| other.webhook() == webhook);
        match twins.next() {
            Some(twin) if webhook.is_some() => Address {
                bucket: twin.bucket.clone(),
                ..self
            },
            _ => self,
        }
    }

    fn webhook(&self) -> Option<String> {
        match &self.line {
            Line::Mail(_) => None,
            Line::Slack(slack) => slack.url().ok(),
        }
    }

    /// Whether a message can be an answer to an earlier one.
    pub(super) fn has_threads(&self) -> bool {
        matches!(self.line, Line::Mail(_))
    }

    /// Sends a message and adds what was said to the dialogue; the thread that the message began or continued.
    pub(super) async fn send(
        &self,
        message: &Message,
        dialogue: &mut Vec<String>,
    ) -> Result<String, Failure> {
        match &self.line {
            Line::Mail(mail) => mail.send(message, dialogue).await,
            Line::Slack(slack) => slack.send(message, dialogue).await.map(|()| String::new()),
        }
    }
}

impl Line {
    fn bucket(&self) -> Bucket {
        let (every, burst) = match self {
            Line::Mail(_) => (Duration::from_secs(2), 10),
            Line::Slack(_) => (Duration::from_secs(1), 3),
        };
        Bucket::new(every, burst, Instant::now())
    }
}
