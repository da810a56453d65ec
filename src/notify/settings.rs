//! `notify:` in the configuration.

use std::time::Duration;

use super::heartbeat;
use super::inhibit::Inhibition;
use super::policy::ever_meet;
use super::receiver::{Channel, Receiver};
use super::window::Window;
use crate::document::{Place, Section};
use crate::incident::Matcher;

/// Who is told, and of what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Who can be told.
    pub receivers: Vec<Receiver>,
    /// Who is told of what; the first entry that matches decides, unless it says `continue`.
    pub policy: Vec<Entry>,
    /// What keeps other alerts from being announced, beside what is built in.
    pub inhibit: Vec<Inhibition>,
    /// Whom to tell again and again that all is well with pgvigil itself.
    pub heartbeat: Option<heartbeat::Settings>,
}

/// One line of the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it is written.
    pub place: Place,
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
        let doc = "Alerts that keep others from being announced while they fire, beside what is built in: a server that \
                   is down hides what was read from it, and critical hides the warning of the same thing.";
        Settings {
            receivers,
            policy,
            inhibit: s.list("inhibit", doc, Inhibition::read),
            heartbeat: heartbeat::Settings::read_in(s),
        }
    }
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
        place: s.place().clone(),
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

pub(super) fn window(s: &mut Section) -> Option<Window> {
    let doc = "When they may be told, of each week: outside of it nothing is announced or repeated, and what still fires \
               when it opens is told then. The end of what was announced is always told.";
    s.optional_section("when", doc, Window::read)
}
