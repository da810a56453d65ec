//! What could be better before it hurts: from the metrics in the store alone, each with what to run and why it may be
//! wrong.

mod indexes;
mod machine;
mod settings;
mod tables;

use std::sync::Arc;

use super::facts::elements;
use super::{Edition, Tone};
use crate::promql::Element;
use crate::sample::Timestamp;
use crate::scrape::Status;
use crate::server::quoted;
use crate::store::Store;
use crate::web::View;

/// How many findings of one topic are listed.
const LISTED: usize = 50;

/// All advice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Advice {
    /// When it was drawn up.
    pub edition: Edition,
    /// What it is about, the most pressing first; those without a finding come last.
    pub topics: Vec<Topic>,
}

/// Advice of one kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topic {
    /// For links.
    pub id: &'static str,
    /// Of what.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Why it may be wrong, and what to look at first.
    pub doubt: &'static str,
    /// What was found, the gravest first.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more: usize,
    /// What is worth saying although nothing is wrong; may be empty.
    pub calm: String,
    /// What is not known, and why.
    pub unknown: Vec<String>,
}

/// One thing that could be better.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Finding {
    /// On which server.
    pub server: String,
    /// In which database; empty where that does not matter.
    pub database: String,
    /// What it is about, such as `public.orders`.
    pub name: String,
    /// What is the matter.
    pub what: String,
    /// How pressing it is.
    pub tone: Tone,
    /// What to run; empty where no statement helps.
    pub statement: String,
}

/// What advice is drawn from.
struct Desk<'v> {
    store: &'v Store,
    statuses: Vec<Status>,
    servers: &'v [Arc<str>],
    now: Timestamp,
}

/// Draws it up.
pub(super) fn advice(view: &View, edition: Edition) -> Advice {
    let desk = Desk {
        store: &view.store,
        statuses: view.board.statuses(),
        servers: &view.servers,
        now: edition.now,
    };
    let topics = [
        tables::wraparound(&desk),
        tables::upkeep(&desk),
        indexes::invalid(&desk),
        settings::settings(&desk),
        indexes::duplicate(&desk),
        indexes::redundant(&desk),
        indexes::unused(&desk),
    ];
    let mut topics: Vec<Topic> = topics.into_iter().map(Topic::cut).collect();
    topics.sort_by_key(|topic| std::cmp::Reverse(topic.tone()));
    Advice { edition, topics }
}

impl Topic {
    /// How many findings there are in all.
    pub fn count(&self) -> usize {
        self.findings.len() + self.more
    }

    /// How pressing the gravest finding is.
    pub fn tone(&self) -> Tone {
        let tones = self.findings.iter().map(|finding| finding.tone);
        tones.max().unwrap_or(Tone::Good)
    }

    fn cut(mut self) -> Self {
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.tone));
        self.more += self.findings.len().saturating_sub(LISTED);
        self.findings.truncate(LISTED);
        self
    }
}

impl Desk<'_> {
    fn elements(&self, expression: &str) -> Vec<Element> {
        elements(self.store, expression, self.now)
    }

    /// Where a collector has not been read, and why not.
    fn unknown(&self, collector: &str) -> Vec<String> {
        let servers = self.servers.iter();
        servers
            .filter_map(|server| self.unknown_of(server, collector))
            .collect()
    }

    fn unknown_of(&self, server: &str, collector: &str) -> Option<String> {
        let own = self.statuses.iter().filter(|status| {
            *status.source.server == *server && *status.source.collector == *collector
        });
        let own: Vec<&Status> = own.collect();
        if own.is_empty() {
            return Some(format!(
                "{server}: not read; `pgvigil explain` says why the collector {collector} does not run there"
            ));
        }
        let without = own.iter().find(|status| status.last_success.is_none())?;
        let database = match &*without.source.database {
            "" => String::new(),
            database => format!(", database {database}"),
        };
        let why = match &without.error {
            _ if without.denied => {
                "the role may not read it; `pgvigil check` says what to grant".to_owned()
            }
            Some(error) => error.clone(),
            None => "not read yet".to_owned(),
        };
        Some(format!("{server}{database}: {why}"))
    }
}

/// A name as SQL writes it, so that what is seen is what is run: characters that are not seen by their numbers.
fn identifier(name: &str) -> String {
    let seen = |c: char| c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ';
    if name.chars().all(seen) {
        return quoted(name);
    }
    let each = name.chars().map(|c| match c {
        '"' => "\"\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if seen(c) => c.to_string(),
        c => format!("\\+{:06X}", u32::from(c)),
    });
    format!("U&\"{}\"", each.collect::<String>())
}

/// What an element's labels say of its place.
fn finding(element: &Element) -> Finding {
    let label = |name: &str| element.labels.get(name);
    let parts = [label("schemaname"), label("relname"), label("indexrelname")];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Finding {
        server: label("instance").to_owned(),
        database: label("datname").to_owned(),
        name: parts.join("."),
        tone: Tone::Info,
        ..Finding::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_of_a_name_is_what_is_run() {
        let cases = [
            ("orders", "orders"),
            ("Größe", "\"Größe\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\u{202e}b", "U&\"a\\+00202Eb\""),
            ("a\n\"\\b", "U&\"a\\+00000A\"\"\\\\b\""),
        ];
        for (name, sql) in cases {
            assert_eq!(identifier(name), sql);
        }
    }
}
