//! What a message says, before a channel gives it a shape: what, where, since when, how bad, what to do.

use super::due::{Item, Letter, Reason};
use super::words;
use super::{Context, History};
use crate::incident::{Evidence, Told};
use crate::rules::{Alert, ENDED_BECAUSE};
use crate::sample::Timestamp;

/// Of more incidents than this the names are not listed in one line.
const MOST_NAMES: usize = 10;

/// More evidence than this is not drawn in one message.
const MOST_TABLES: usize = 8;

/// One message about one or more incidents.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    /// The title of the thread: the same for as long as the incident lives.
    pub(super) subject: String,
    /// The thread it continues; empty when it begins one.
    pub(super) thread: String,
    /// What is told, in a few words: `FIRING: PostgresqlDown on rachel`.
    pub(super) headline: String,
    /// How all incidents of the thread stand, when it is not about all of them: its subject names others too.
    pub(super) standing: String,
    /// The incidents, the gravest first, ended ones last.
    pub(super) incidents: Vec<Incident>,
    /// Those of the thread that it does not tell of, as they are now.
    pub(super) others: Vec<Incident>,
    /// The status page; empty when it has no known address.
    pub(super) page: String,
    /// When it was written.
    pub(super) at: Timestamp,
}

/// One incident in a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Incident {
    /// Its id.
    pub(super) id: String,
    /// Whether it ended.
    pub(super) resolved: bool,
    /// `FIRING`, `STILL FIRING` or `RESOLVED`.
    pub(super) state: &'static str,
    /// The alert's name.
    pub(super) name: String,
    /// The server, or whatever it is about; empty when no label says so.
    pub(super) place: String,
    /// The label `severity`.
    pub(super) severity: String,
    /// The annotation `summary`, else `description`; said of the past once it ended.
    pub(super) summary: String,
    /// The annotation `description`, unless it is the summary; empty once it ended.
    pub(super) description: String,
    /// Named facts for a table: value, times, what to do, labels.
    pub(super) facts: Vec<(String, String)>,
    /// What was found when it opened.
    pub(super) evidence: Vec<Evidence>,
    /// What this place was told of it before.
    pub(super) told: Option<Told>,
    /// Where it may be silenced and acknowledged by whoever has the message; empty for no such place.
    pub(super) silence: String,
    /// All that is known of it, for machines.
    pub(super) alert: Alert,
}

/// Writes a message from a letter.
pub(super) fn compose(letter: &Letter, context: &Context, now: Timestamp) -> Message {
    let mut incidents = gravest_first(&letter.items, &context.history, now);
    for incident in &mut incidents {
        incident.silence = silence(incident, context, now);
    }
    let mut others = others(letter, now);
    for incident in &mut others {
        incident.silence = silence(incident, context, now);
    }
    let subject = if letter.subject.is_empty() {
        title(&incidents)
    } else {
        letter.subject.clone()
    };
    Message {
        subject,
        thread: letter.thread.clone(),
        headline: headline(&incidents),
        standing: standing(letter),
        incidents,
        others,
        page: context.external_url.clone(),
        at: now,
    }
}

fn gravest_first(items: &[Item], history: &History, now: Timestamp) -> Vec<Incident> {
    let mut items: Vec<&Item> = items.iter().collect();
    items.sort_by_key(|item| {
        let ended = item.reason == Reason::Resolved;
        (
            ended,
            rank(&item.alert),
            item.alert.fired_at,
            &item.incident,
        )
    });
    let items = items.into_iter().enumerate();
    // Drawing a history costs an evaluation, and nobody looks at fifty of them.
    let drawn = |place| (place < MOST_TABLES).then_some(history);
    items
        .map(|(place, item)| incident(item, drawn(place), now))
        .collect()
}

fn others(letter: &Letter, now: Timestamp) -> Vec<Incident> {
    let mut others: Vec<&Alert> = letter.others.iter().collect();
    others.sort_by_key(|alert| (alert.resolved_at.is_some(), rank(alert), alert.fired_at));
    let item = |alert: &Alert| Item {
        incident: alert.incident().unwrap_or_default(),
        alert: alert.clone(),
        reason: match alert.resolved_at {
            Some(_) => Reason::Resolved,
            None => Reason::Opened,
        },
        evidence: Vec::new(),
        told: None,
    };
    let items = others.into_iter().map(item);
    items.map(|item| incident(&item, None, now)).collect()
}

fn rank(alert: &Alert) -> usize {
    let severity = alert.labels.get("severity");
    let order = ["critical", "warning", "info"];
    order
        .iter()
        .position(|known| *known == severity)
        .unwrap_or(order.len())
}

fn title(incidents: &[Incident]) -> String {
    let Some(first) = incidents.first() else {
        return String::new();
    };
    let mut title = match first.place.as_str() {
        "" => first.name.clone(),
        place => format!("[{place}] {}", first.name),
    };
    if incidents.len() > 1 {
        title.push_str(&format!(" and {} more", incidents.len() - 1));
    }
    words::one_line(&title)
}

fn headline(incidents: &[Incident]) -> String {
    if let [one] = incidents {
        return one.headline();
    }
    let ended = incidents
        .iter()
        .filter(|incident| incident.resolved)
        .count();
    let parts = [(incidents.len() - ended, "firing"), (ended, "resolved")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

fn standing(letter: &Letter) -> String {
    if letter.others.is_empty() {
        return String::new();
    }
    let told = letter.items.iter().map(|item| &item.alert);
    let all = told.chain(&letter.others);
    let (ended, firing): (Vec<&Alert>, _) = all.partition(|alert| alert.resolved_at.is_some());
    let parts = [("Ended", ended), ("Still firing", firing)];
    let parts = parts.map(|(word, alerts)| {
        let mut names: Vec<String> = alerts
            .iter()
            .take(MOST_NAMES)
            .map(|one| name(one))
            .collect();
        if alerts.len() > MOST_NAMES {
            names.push(format!("and {} more", alerts.len() - MOST_NAMES));
        }
        match names.len() {
            0 => String::new(),
            _ => format!("{word}: {}.", names.join(", ")),
        }
    });
    words::one_line(&parts.join(" "))
}

fn incident(item: &Item, history: Option<&History>, now: Timestamp) -> Incident {
    let alert = &item.alert;
    let note = |name: &str| alert.annotations.get(name).cloned().unwrap_or_default();
    let (mut summary, mut description) = (note("summary"), note("description"));
    if description.is_empty() {
        description = note("message");
    }
    if summary.is_empty() || summary == description {
        summary = std::mem::take(&mut description);
    }
    let resolved = item.reason == Reason::Resolved;
    if resolved {
        description.clear();
        if !summary.is_empty() {
            summary.insert_str(0, "It was: ");
        }
    }
    Incident {
        id: item.incident.clone(),
        resolved,
        state: match item.reason {
            Reason::Opened => "FIRING",
            Reason::Repeated => "STILL FIRING",
            Reason::Resolved => "RESOLVED",
        },
        name: alert.labels.get("alertname").to_owned(),
        place: place(alert).to_owned(),
        severity: alert.labels.get("severity").to_owned(),
        summary,
        description,
        facts: facts(alert, history, now),
        evidence: item.evidence.clone(),
        told: item.told.clone(),
        silence: String::new(),
        alert: alert.clone(),
    }
}

/// What is over needs no silence.
fn silence(incident: &Incident, context: &Context, now: Timestamp) -> String {
    let links = context.links.as_ref().filter(|_| !incident.resolved);
    links.map_or_else(String::new, |links| links.to(&incident.id, now))
}

fn name(alert: &Alert) -> String {
    let name = alert.labels.get("alertname");
    match place(alert) {
        "" => name.to_owned(),
        place => format!("{name} on {place}"),
    }
}

fn place(alert: &Alert) -> &str {
    let places = ["instance", "server", "source"].map(|name| alert.labels.get(name));
    let known = places.into_iter().find(|place| !place.is_empty());
    known.unwrap_or_default()
}

fn facts(alert: &Alert, history: Option<&History>, now: Timestamp) -> Vec<(String, String)> {
    let fired = alert.fired_at.unwrap_or(alert.active_at);
    let note = |name: &str| alert.annotations.get(name).cloned().unwrap_or_default();
    let ended = alert.resolved_at.map(|ended| {
        let lasted = words::span(ended.since(fired));
        format!("{}, after {lasted}", words::moment(ended))
    });
    let since = match alert.resolved_at {
        Some(_) => words::moment(fired),
        None => words::moment_ago(fired, now),
    };
    let unread = alert.stale_since.map(|stale| words::moment_ago(stale, now));
    let shown_elsewhere = ["alertname", "severity", "job"];
    let instance = alert.labels.get("instance");
    let said_twice = |name: &str, value: &str| name == "server" && value == instance;
    let labels: Vec<String> = alert
        .labels
        .iter()
        .filter(|(name, value)| !shown_elsewhere.contains(name) && !said_twice(name, value))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let over = alert.resolved_at.is_some();
    let advice = |name: &str| if over { String::new() } else { note(name) };
    let hour = history.map(|history| history.line(alert, now));
    let named = [
        ("What to do", advice("hint")),
        ("Guide", advice("runbook_url")),
        (
            if over { "Last value" } else { "Value" },
            words::value(alert.value),
        ),
        ("Last hour", hour.unwrap_or_default()),
        ("Since", since),
        ("Until", ended.unwrap_or_default()),
        ("Ended because", note(ENDED_BECAUSE)),
        ("No data since", unread.unwrap_or_default()),
        ("Labels", labels.join(", ")),
    ];
    let said = named.into_iter().filter(|(_, text)| !text.is_empty());
    said.map(|(name, text)| (name.to_owned(), text)).collect()
}

impl Message {
    /// What the first message of its thread would say now: how every incident of it stands.
    pub(super) fn of_thread(&self) -> Message {
        let mut incidents = self.incidents.clone();
        incidents.extend(self.others.iter().cloned());
        incidents.sort_by_key(|incident| incident.resolved);
        Message {
            headline: headline(&incidents),
            incidents,
            others: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether it says that something still goes on.
    pub(super) fn is_reminder(&self) -> bool {
        let known = |incident: &Incident| !incident.resolved && incident.told.is_some();
        self.incidents.iter().any(known)
    }

    /// The evidence to draw under each incident: what several have in common only under the first of them.
    pub(super) fn evidence(&self) -> Vec<Vec<&Evidence>> {
        let mut drawn: Vec<&Evidence> = Vec::new();
        let incidents = self.incidents.iter();
        incidents
            .map(|incident| {
                let before = drawn.len();
                for evidence in &incident.evidence {
                    if drawn.len() < MOST_TABLES && !drawn.contains(&evidence) {
                        drawn.push(evidence);
                    }
                }
                drawn[before..].to_vec()
            })
            .collect()
    }
}

impl Incident {
    /// The beginning of its id, for people who talk about it.
    pub(super) fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }

    /// State, name and place in one line.
    pub(super) fn headline(&self) -> String {
        let at = if self.place.is_empty() { "" } else { " on " };
        let line = format!("{}: {}{at}{}", self.state, self.name, self.place);
        words::one_line(&line)
    }
}
