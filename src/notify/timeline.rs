//! What is told when, on a virtual clock of seconds: a script of what happens in, a list of messages out.

mod cases;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::due::{BATCH, Item, Reader, Reason, due};
use super::{Settings, trial};
use crate::document::{Problem, parse};
use crate::incident::{Acknowledgement, Book, Delivery, Event, Matcher, Silence};
use crate::rules::{Alert, AlertState, Change, RuleKey, Transition};
use crate::sample::{Labels, Source, Sources, Timestamp};
use crate::scrape::LIVENESS;

/// Runs a script for so many seconds. Its lines are `SECOND fire|end NAME SEVERITY [DATABASE]` or
/// `SECOND deaf|hears|refuses`, about the one receiver `oncall`, `SECOND silence NAME SECONDS` or `SECOND acknowledge NAME`.
fn check(policy: &str, script: &[&str], seconds: i64, expected: &[&str]) {
    let yaml = format!(
        "receivers: [{{name: oncall, slack: {{webhook_url: 'https://x'}}}}]\npolicy: [{policy}]"
    );
    let settings = settings(&yaml).unwrap();
    let mut told = Vec::new();
    let mut world = World::default();
    for second in 0..=seconds {
        let now = Timestamp(second * 1000);
        for line in script {
            let words: Vec<&str> = line.split(' ').collect();
            if words[0] == second.to_string() {
                world.happen(&words[1..], now);
            }
        }
        let reader = Reader {
            receiver: "oncall",
            address: "oncall",
            threads: world.threads,
            put_off: &BTreeMap::new(),
        };
        while !world.deaf
            && let Some(letter) = due(&world.book, &settings.policy, &reader, now, BATCH).letter
        {
            told.push(format!("{second} {}", world.deliver(&letter.items, now)));
        }
    }
    assert_eq!(told, expected, "{policy} {script:?}");
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
}

impl World {
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
                let named = |alert: &&Alert| alert.labels.get("alertname") == *name;
                let alert = self.book.firing().find(named);
                let incident = alert.and_then(Alert::incident).unwrap();
                self.book.apply(&Event::Acknowledged(Acknowledgement {
                    incident,
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
            .map(|item| format!("{:?} {}", item.reason, item.alert.labels.get("alertname")))
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
    let labels = [
        ("alertname", name),
        ("severity", severity),
        ("instance", "rachel"),
        ("datname", database),
    ];
    let collector = match name {
        "down" => LIVENESS,
        "backup" => "backup:nightly",
        _ => "activity",
    };
    Alert {
        rule: RuleKey {
            file: "f".into(),
            group: "g".into(),
            rule: Arc::from(format!("{name}{severity}")),
        },
        labels: Labels::new(labels),
        sources: Sources::one(Source::new("rachel", "", collector)),
        ..trial::alert(now)
    }
}
