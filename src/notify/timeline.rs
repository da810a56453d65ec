//! What is told when, on a virtual clock of seconds: a script of what happens in, a list of messages out.

mod cases;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::due::{BATCH, Due, Item, Reader, Reason, due};
use super::policy::Policy;
use super::{Settings, trial};
use crate::document::{Problem, parse};
use crate::incident::{Acknowledgement, Book, Delivery, Event, Matcher, Silence};
use crate::rules::{Alert, AlertState, Change, RuleKey, Transition};
use crate::sample::{Labels, Source, Sources, Timestamp};
use crate::scrape::LIVENESS;

/// Runs a script for so many seconds under the one policy, with the one receiver `oncall`. Its lines are
/// `SECOND fire|end NAME SEVERITY [DATABASE]`, `SECOND silence NAME SECONDS`, `SECOND acknowledge NAME`, or
/// `SECOND joins|deaf|hears|refuses|threads|alone` about the receiver.
fn check(policy: &str, script: &[&str], seconds: i64, expected: &[&str]) {
    let yaml = format!(
        "receivers: [{{name: oncall, slack: {{webhook_url: 'https://x'}}}}]\npolicy: [{policy}]"
    );
    check_under(&yaml, script, seconds, expected);
}

/// The same under any settings. Between two lines the sender wakes only when it said it would.
fn check_under(settings: &str, script: &[&str], seconds: i64, expected: &[&str]) {
    let policy = Policy::of(&self::settings(settings).unwrap());
    let mut told = Vec::new();
    let mut world = World::default();
    let mut wakes = Timestamp::default();
    for second in 0..=seconds {
        let now = Timestamp(second * 1000);
        let mut awake = wakes <= now;
        for line in script {
            let words: Vec<&str> = line.split(' ').collect();
            if words[0] == second.to_string() {
                world.happen(&words[1..], now);
                awake = true;
            }
        }
        while !world.deaf {
            let due = world.due(&policy, now);
            wakes = due.next.unwrap_or(Timestamp(i64::MAX));
            let Some(letter) = due.letter else { break };
            assert!(awake, "nobody was awake at {second}: {letter:?}");
            told.push(format!("{second} {}", world.deliver(&letter.items, now)));
        }
    }
    assert_eq!(told, expected, "{settings} {script:?}");
}

fn settings(yaml: &str) -> Result<Settings, Vec<String>> {
    let reader = crate::document::Reader::new(None);
    let settings = reader.read(&parse("x.yml", yaml).unwrap(), Settings::read);
    let problems: Vec<String> = reader.problems().iter().map(Problem::to_string).collect();
    if problems.is_empty() {
        Ok(settings)
    } else {
        Err(problems)
    }
}

#[derive(Default)]
struct World {
    book: Book,
    deaf: bool,
    refuses: bool,
    threads: bool,
    alone: bool,
    awaited: BTreeMap<String, Timestamp>,
}

impl World {
    fn due(&self, policy: &Policy, now: Timestamp) -> Due {
        let reader = Reader {
            receiver: "oncall",
            address: "oncall",
            threads: self.threads,
            most: if self.alone { 1 } else { usize::MAX },
            put_off: &BTreeMap::new(),
            awaited: &self.awaited,
        };
        due(&self.book, policy, &reader, now, BATCH)
    }

    fn happen(&mut self, words: &[&str], now: Timestamp) {
        match words {
            ["joins"] => self.book.apply(&Event::Receivers {
                at: now,
                names: vec!["oncall".into()],
            }),
            ["deaf"] => self.deaf = true,
            ["hears"] => (self.deaf, self.refuses) = (false, false),
            ["refuses"] => self.refuses = true,
            ["threads"] => self.threads = true,
            ["alone"] => self.alone = true,
            ["asks", name] => {
                self.awaited.insert(self.incident(name), now);
            }
            ["finds", name] => self.book.apply(&Event::Evidence {
                incident: self.incident(name),
                found: vec![trial::evidence(now)],
            }),
            ["silence", name, seconds] => self.book.apply(&Event::Silenced(Silence {
                id: (*name).to_owned(),
                matchers: vec![Matcher::equal("alertname", name)],
                starts_at: now,
                ends_at: Timestamp(now.0 + 1000 * seconds.parse::<i64>().unwrap()),
                created_by: "me".into(),
                comment: "maintenance".into(),
                updated_at: now,
            })),
            ["acknowledge", name] => {
                self.book.apply(&Event::Acknowledged(Acknowledgement {
                    incident: self.incident(name),
                    at: now,
                    by: "me".into(),
                    comment: String::new(),
                }));
            }
            ["fire" | "end", name, severity, rest @ ..] => {
                let mut alert = alert(name, severity, rest.first().unwrap_or(&""), now);
                let key = (alert.rule.clone(), alert.labels.clone());
                let mut change = Change::Opened;
                if words[0] == "end" {
                    alert = self.book.alerts[&key].clone();
                    (alert.state, alert.resolved_at) = (AlertState::Resolved, Some(now));
                    change = Change::Resolved;
                }
                self.book.apply(&Event::Alert(Transition {
                    change,
                    at: now,
                    alert,
                }));
            }
            other => panic!("{other:?}"),
        }
    }

    fn incident(&self, name: &str) -> String {
        let named = |alert: &&Alert| alert.labels.get("alertname") == name;
        let alert = self.book.firing().find(named);
        alert.and_then(Alert::incident).unwrap()
    }

    fn deliver(&mut self, items: &[Item], now: Timestamp) -> String {
        let incidents = items.iter();
        let delivery = Delivery {
            receiver: "oncall".into(),
            at: now,
            incidents: incidents
                .map(|item| (item.incident.clone(), item.reason == Reason::Resolved))
                .collect(),
            thread: items[0].incident.clone(),
            subject: "s".into(),
            error: if self.refuses {
                "no".into()
            } else {
                String::new()
            },
        };
        let words: Vec<String> = items
            .iter()
            .map(|item| {
                let shown = if item.evidence.is_empty() {
                    ""
                } else {
                    " with evidence"
                };
                format!(
                    "{:?} {}{shown}",
                    item.reason,
                    item.alert.labels.get("alertname")
                )
            })
            .collect();
        if self.refuses {
            self.book.apply(&Event::Failed(delivery));
            return format!("refused {}", words.join(", "));
        }
        self.book.apply(&Event::Delivered(delivery));
        words.join(", ").to_lowercase()
    }
}

fn alert(name: &str, severity: &str, database: &str, now: Timestamp) -> Alert {
    // Alerts about receivers are of pgvigil's own samples, which name them.
    let about = database.strip_prefix("receiver:").unwrap_or_default();
    let labels = [
        ("alertname", name),
        ("severity", severity),
        ("instance", "rachel"),
        ("datname", if about.is_empty() { database } else { "" }),
        ("receiver", about),
    ];
    let source = match name {
        "down" => Source::new("rachel", "", LIVENESS),
        "backup" => Source::new("rachel", "", "backup:nightly"),
        "own" => Source::own(),
        _ => Source::new("rachel", "", "activity"),
    };
    Alert {
        rule: RuleKey {
            file: "f".into(),
            group: "g".into(),
            rule: Arc::from(format!("{name}{severity}")),
        },
        labels: Labels::new(labels),
        sources: Sources::one(source),
        ..trial::alert(now)
    }
}
