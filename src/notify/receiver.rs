//! `notify.receivers` in the configuration: somebody who can be told, by exactly one channel.

use super::settings::window;
use super::window::Window;
use super::{alertmanager, command, email, pagerduty, slack, webhook};
use crate::document::Section;

/// Somebody who can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub channel: Channel,
    /// When it may be told; `None` for always.
    pub when: Option<Window>,
}

/// A way to reach a receiver.
#[derive(Debug, Clone, PartialEq)]
pub enum Channel {
    /// SMTP.
    Email(email::Settings),
    /// A Slack incoming webhook, or a bot.
    Slack(slack::Settings),
    /// Anything that takes Alertmanager's webhooks.
    Webhook(webhook::Settings),
    /// PagerDuty's Events API v2.
    Pagerduty(pagerduty::Settings),
    /// A program on this machine.
    Command(command::Settings),
    /// The v2 API of one or more Alertmanagers.
    Alertmanager(alertmanager::Settings),
}

/// The keys of the channels, as the messages about them list them.
const CHANNELS: [&str; 6] = [
    "email",
    "slack",
    "webhook",
    "pagerduty",
    "command",
    "alertmanager",
];

impl Receiver {
    /// Reads the section; `None` when it cannot be used, with the problems noted.
    pub(super) fn read(s: &mut Section) -> Option<Self> {
        let name = s.required_text("name", "Its name, as the policy and the metrics call it.");
        let email = s.optional_section("email", "Reaches it by email.", email::Settings::read);
        let slack = s.optional_section("slack", "Reaches it by Slack.", slack::Settings::read);
        let webhook = s.optional_section(
            "webhook",
            "Anything that takes the webhooks of an Alertmanager.",
            webhook::Settings::read,
        );
        let pagerduty = s.optional_section(
            "pagerduty",
            "PagerDuty's Events API v2, with an event for each incident.",
            pagerduty::Settings::read,
        );
        let command = s.optional_section(
            "command",
            "A program on this machine, which reads the message as JSON from its standard input.",
            command::Settings::read,
        );
        let alertmanager = s.optional_section(
            "alertmanager",
            "An Alertmanager, which gets every firing alert, outside the policy.",
            alertmanager::Settings::read,
        );
        if CHANNELS.iter().filter(|key| s.has(key)).count() != 1 {
            let [first @ .., last] = CHANNELS.map(|key| format!("`{key}`"));
            let message = format!("needs exactly one of {} and {last}", first.join(", "));
            s.problem("", message, Some("write one receiver for each"));
        }
        let channel = (email.flatten().map(Channel::Email))
            .or(slack.flatten().map(Channel::Slack))
            .or(webhook.flatten().map(Channel::Webhook))
            .or(pagerduty.flatten().map(Channel::Pagerduty))
            .or(command.flatten().map(Channel::Command))
            .or(alertmanager.flatten().map(Channel::Alertmanager))?;
        let when = window(s);
        if when.is_some() && matches!(channel, Channel::Alertmanager(_)) {
            let hint = "an Alertmanager has time intervals of its own";
            s.problem("when", "an Alertmanager is told at all times", Some(hint));
        }
        Some(Receiver {
            name,
            channel,
            when,
        })
    }
}
