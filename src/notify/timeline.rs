//! What is told when, on a virtual clock of seconds: a script of what happens in, a list of messages out.

use std::sync::Arc;
use std::time::Duration;

use super::due::{BATCH, Item, Reader, Reason, due};
use super::{Settings, trial};
use crate::document::{Problem, parse};
use crate::incident::{Book, Delivery, Event};
use crate::rules::{Alert, AlertState, Change, RuleKey, Transition};
use crate::sample::{Labels, Source, Sources, Timestamp};

/// Runs a script for so many seconds. Its lines are `SECOND fire|end NAME SEVERITY [DATABASE]` or
/// `SECOND deaf|hears|refuses`, about the one receiver `oncall`.
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
        "down" => "liveness",
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

#[test]
fn what_fires_is_told_after_the_batch_and_its_end_once() {
    check(
        "",
        &["0 joins", "10 fire a info", "60 end a info"],
        300,
        &["12 opened a", "62 resolved a"],
    );
}

#[test]
fn two_that_fire_at_once_are_one_message() {
    let script = [
        "0 joins",
        "10 fire a info",
        "11 fire b info",
        "40 end a info",
        "40 end b info",
    ];
    check(
        "",
        &script,
        60,
        &["12 opened a, opened b", "42 resolved a, resolved b"],
    );
}

#[test]
fn what_ends_within_the_delay_is_never_told() {
    let policy = "{to: [oncall], delay: 30s}";
    check(
        policy,
        &["0 joins", "10 fire a info", "35 end a info"],
        90,
        &[],
    );
    check(
        policy,
        &["0 joins", "10 fire a info", "45 end a info"],
        90,
        &["42 opened a", "47 resolved a"],
    );
}

#[test]
fn repeats_are_exact() {
    let policy = "{to: [oncall], repeat: 1m}";
    let expected = ["12 opened a", "74 repeated a", "136 repeated a"];
    check(policy, &["0 joins", "10 fire a info"], 180, &expected);
}

#[test]
fn an_end_is_held_unless_it_fires_again() {
    let policy = "{to: [oncall], hold: 1m}";
    check(
        policy,
        &["0 joins", "10 fire a info", "20 end a info"],
        90,
        &["12 opened a", "82 resolved a"],
    );
    let script = [
        "0 joins",
        "10 fire a info",
        "20 end a info",
        "40 fire a info",
    ];
    check(
        policy,
        &script,
        90,
        &["12 opened a", "40 resolved a, opened a"],
    );
}

#[test]
fn an_announced_incident_is_always_closed() {
    // The policy that announced it is gone after a reload; so here nothing matches any more.
    let script = [
        "0 joins",
        "0 deaf",
        "10 fire a info",
        "60 end a info",
        "100 hears",
    ];
    check("", &script, 200, &["100 resolved a"]);
    let script = [
        "0 joins",
        "10 fire a warning",
        "20 fire a critical",
        "30 end a warning",
    ];
    check(
        "",
        &script,
        60,
        &["12 opened a", "22 opened a", "32 resolved a"],
    );
}

#[test]
fn what_ended_before_anybody_listened_is_not_told() {
    check(
        "",
        &[
            "0 deaf",
            "10 fire a info",
            "20 end a info",
            "30 joins",
            "30 hears",
        ],
        60,
        &[],
    );
}

#[test]
fn critical_hides_the_warning_of_the_same_thing_only() {
    let script = [
        "0 joins",
        "10 fire a critical x",
        "10 fire a warning x",
        "10 fire a warning y",
        "10 fire b warning x",
    ];
    check("", &script, 60, &["12 opened a, opened a, opened b"]);
    let script = [
        "0 joins",
        "10 fire a critical",
        "10 fire a warning",
        "40 end a critical",
    ];
    check("", &script, 60, &["12 opened a", "40 opened a, resolved a"]);
}

#[test]
fn a_server_that_is_down_hides_what_was_read_from_it() {
    let script = [
        "0 joins",
        "10 fire down critical",
        "11 fire a critical",
        "11 fire backup critical",
    ];
    check("", &script, 60, &["12 opened down, opened backup"]);
    let script = [
        "0 joins",
        "10 fire down critical",
        "20 fire a critical",
        "50 end a critical",
        "51 end down critical",
    ];
    check("", &script, 90, &["12 opened down", "53 resolved down"]);
}

#[test]
fn the_first_entry_that_matches_decides() {
    let script = ["0 joins", "10 fire a critical", "10 fire b warning"];
    let to_nobody = "{match: ['severity=\"warning\"'], to: []}, {to: [oncall]}";
    check(to_nobody, &script, 60, &["12 opened a"]);
    let goes_on = "{match: ['severity=\"warning\"'], to: [], continue: true}, {to: [oncall]}";
    check(goes_on, &script, 60, &["12 opened a, opened b"]);
    check(
        "{match: ['alertname=~\"c|b\"'], to: [oncall]}",
        &script,
        60,
        &["12 opened b"],
    );
}

#[test]
fn the_watchdog_is_told_to_people_only_by_name() {
    let script = ["0 joins", "10 fire Watchdog none"];
    check("", &script, 60, &[]);
    check("{to: [oncall]}", &script, 60, &[]);
    check(
        "{match: [alertname=Watchdog], to: [oncall]}",
        &script,
        60,
        &["12 opened watchdog"],
    );
}

#[test]
fn what_was_refused_is_offered_again_after_an_hour() {
    let script = [
        "0 joins",
        "0 refuses",
        "10 fire a info",
        "20 hears",
        "30 end a info",
    ];
    let expected = ["12 refused Opened a", "3614 resolved a"];
    check("", &script, 4_000, &expected);
}

#[test]
fn a_message_stays_in_one_thread() {
    let script = [
        "0 joins",
        "0 threads",
        "10 fire a info",
        "20 fire b info",
        "40 end a info",
        "40 end b info",
    ];
    let expected = [
        "12 opened a",
        "22 opened b",
        "42 resolved a",
        "42 resolved b",
    ];
    check("", &script, 60, &expected);
    let script = [
        "0 joins",
        "0 threads",
        "10 fire a info",
        "10 fire b info",
        "40 end a info",
        "40 end b info",
    ];
    check(
        "",
        &script,
        60,
        &["12 opened a, opened b", "42 resolved a, resolved b"],
    );
}

#[test]
fn a_clock_set_back_holds_nothing_up() {
    let mut world = World::default();
    world.happen(&["joins"], Timestamp(0));
    world.happen(&["fire", "a", "info"], Timestamp(7_200_000));
    let reader = Reader {
        receiver: "oncall",
        address: "oncall",
        threads: false,
    };
    let due = due(
        &world.book,
        &[],
        &reader,
        Timestamp(3_600_000),
        Duration::from_secs(2),
    );
    assert_eq!(due.letter.unwrap().items.len(), 1);
}

#[test]
fn settings_say_what_is_wrong() {
    let complaints = settings(
        "receivers:\n  - {name: a, slack: {webhook_url: hooks}}\n  - {name: a, email: {smtp: 'smtp://u:hunter2@'}}\n  \
         - {name: c}\npolicy:\n  - {match: [severity], to: [d]}\n",
    )
    .unwrap_err()
    .join("\n");
    for expected in [
        "receivers[0].slack.webhook_url: begins with neither",
        "receivers[1].email.to: needs at least one address",
        "receivers[1].email.smtp: ",
        "receivers[2]: needs exactly one of `email`, `slack` and `alertmanager`",
        "policy[0].match: `severity` is no matcher",
        "policy[0].to: there is no receiver `d`",
    ] {
        assert!(
            complaints.contains(expected),
            "{expected} is not in\n{complaints}"
        );
    }
    assert!(!complaints.contains("hunter2"), "{complaints}");
}
