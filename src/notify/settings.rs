//! `notify:` in the configuration.

use std::time::Duration;

use super::inhibit::InhibitionRule;
use super::policy::ever_meet;
use super::window::Window;
use super::{alertmanager, email, heartbeat, slack};
use crate::document::Section;
use crate::incident::Matcher;

/// Who is told, and of what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Who can be told.
    pub receivers: Vec<Receiver>,
    /// Who is told of what; the first entry that matches decides, unless it says `continue`.
    pub policy: Vec<Entry>,
    /// What keeps other alerts from being announced, beside what is built in.
    pub inhibit: Vec<InhibitionRule>,
    /// Whom to tell again and again that all is well with pgvigil itself.
    pub heartbeat: Option<heartbeat::Settings>,
}

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
    /// A Slack incoming webhook.
    Slack(slack::Settings),
    /// The v2 API of one or more Alertmanagers.
    Alertmanager(alertmanager::Settings),
}

/// One line of the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// All of these must hold; none means every alert.
    pub matchers: Vec<Matcher>,
    /// Names of receivers.
    pub to: Vec<String>,
    /// Whether entries after this one are looked at too.
    pub goes_on: bool,
    /// When they may be told; `None` for always.
    pub when: Option<Window>,
    /// When and how often they are told.
    pub terms: Terms,
}

/// When and how often a receiver is told of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// From firing to the first message; what ends earlier is never told.
    pub delay: Duration,
    /// From one message to the next while it goes on.
    pub repeat: Duration,
    /// From the end to the message that says so.
    pub hold: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Terms {
            delay: Duration::ZERO,
            repeat: Duration::from_secs(12 * 3600),
            hold: Duration::ZERO,
        }
    }
}

impl Settings {
    /// Reads the section.
    pub fn read(s: &mut Section) -> Self {
        let receivers = s.list("receivers", "Who can be told.", receiver);
        let receivers: Vec<Receiver> = receivers.into_iter().flatten().collect();
        for (place, receiver) in receivers.iter().enumerate() {
            let name = &receiver.name;
            if receivers[..place]
                .iter()
                .any(|earlier| earlier.name == *name)
            {
                s.problem(
                    "receivers",
                    format!("two receivers are called `{name}`"),
                    None,
                );
            }
        }
        let doc = "Who is told of what: the first entry that matches decides. Without a policy everybody is told of \
                   everything.";
        let policy = s.list("policy", doc, |s| entry(s, &receivers));
        if !s.has("receivers") && policy.iter().any(|entry| !entry.to.is_empty()) {
            let hint = "write `receivers` beside it";
            s.problem("policy", "there are no receivers to name", Some(hint));
        }
        let doc = "Alerts that keep others from being announced while they fire, beside what is built in: a server that \
                   is down hides what was read from it, and critical hides the warning of the same thing.";
        Settings {
            receivers,
            policy,
            inhibit: s.list("inhibit", doc, InhibitionRule::read),
            heartbeat: heartbeat::Settings::read_in(s),
        }
    }
}

fn receiver(s: &mut Section) -> Option<Receiver> {
    let name = s.required_text("name", "Its name, as the policy and the metrics call it.");
    let email = s.optional_section("email", "Reaches it by email.", email::Settings::read);
    let slack = s.optional_section("slack", "Reaches it by Slack.", slack::Settings::read);
    let alertmanager = s.optional_section(
        "alertmanager",
        "An Alertmanager, which gets every firing alert, outside the policy.",
        alertmanager::Settings::read,
    );
    let written = ["email", "slack", "alertmanager"].map(|key| s.has(key));
    if written.iter().filter(|written| **written).count() != 1 {
        let message = "needs exactly one of `email`, `slack` and `alertmanager`";
        s.problem("", message, Some("write one receiver for each"));
    }
    let when = window(s);
    let channel = (email.flatten().map(Channel::Email))
        .or(slack.flatten().map(Channel::Slack))
        .or(alertmanager.flatten().map(Channel::Alertmanager))?;
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

fn entry(s: &mut Section, receivers: &[Receiver]) -> Entry {
    let doc =
        "Matchers such as `severity=\"critical\"` that must all hold; none means every alert.";
    let matchers = matchers(s, "match", doc);
    let when = window(s);
    let to = s.texts("to", "Names of receivers.");
    for name in &to {
        match receivers.iter().find(|receiver| receiver.name == *name) {
            // Where there are none, or none without mistakes, that is said once and not of each name.
            None if receivers.is_empty() => {}
            None => s.problem("to", format!("there is no receiver `{name}`"), None),
            Some(Receiver {
                channel: Channel::Alertmanager(_),
                ..
            }) => {
                let message = format!("`{name}` gets every alert anyway, outside the policy");
                s.problem("to", message, Some("leave it out here"));
            }
            Some(receiver) => {
                let both = receiver.when.as_ref().zip(when.as_ref());
                if both.is_some_and(|(one, other)| !ever_meet(one, other)) {
                    let message = format!(
                        "`{name}` can never be told: its window and this one are never open together"
                    );
                    s.problem("to", message, None);
                }
            }
        }
    }
    let goes_on = s.flag(
        "continue",
        false,
        "Whether entries after this one are looked at too.",
    );
    let doc = "From firing to the first message; what ends earlier is never told.";
    let delay = s.duration("delay", "0s", doc);
    let doc = "From one message to the next while it goes on.";
    let repeat = s.duration("repeat", "12h", doc);
    let hold = s.duration("hold", "0s", "From the end to the message that says so.");
    if repeat.is_zero() {
        s.problem("repeat", "must be longer than nothing", None);
    }
    Entry {
        matchers,
        to,
        goes_on,
        when,
        terms: Terms {
            delay,
            repeat,
            hold,
        },
    }
}

/// A list of matchers; those that are none are complained about and left out.
pub(super) fn matchers(s: &mut Section, key: &str, doc: &str) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    for text in s.texts(key, doc) {
        match Matcher::parse(&text) {
            Ok(matcher) => matchers.push(matcher),
            Err(message) => s.problem(key, message, None),
        }
    }
    matchers
}

fn window(s: &mut Section) -> Option<Window> {
    let doc = "When they may be told, of each week: outside of it nothing is announced or repeated, and what still fires \
               when it opens is told then. The end of what was announced is always told.";
    s.optional_section("when", doc, Window::read)
}
