//! `notify:` in the configuration.

use std::time::Duration;

use super::receiver::{Channel, Receiver};
use crate::document::Section;
use crate::incident::Matcher;

/// Who is told, and of what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Who can be told.
    pub receivers: Vec<Receiver>,
    /// Who is told of what; the first entry that matches decides, unless it says `continue`.
    pub policy: Vec<Entry>,
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
        let receivers = s.list("receivers", "Who can be told.", Receiver::read);
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
        Settings { receivers, policy }
    }
}

fn entry(s: &mut Section, receivers: &[Receiver]) -> Entry {
    let texts = s.texts(
        "match",
        "Matchers such as `severity=\"critical\"` that must all hold; none means every alert.",
    );
    let mut matchers = Vec::new();
    for text in texts {
        match Matcher::parse(&text) {
            Ok(matcher) => matchers.push(matcher),
            Err(message) => s.problem("match", message, None),
        }
    }
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
            Some(_) => {}
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
        terms: Terms {
            delay,
            repeat,
            hold,
        },
    }
}
