//! `pgvigil replay`: the history in a snapshot under other rules and another policy, told as it would have been.

use std::fs::File;
use std::process::Output;
use std::time::Duration;

use pgvigil::sample::{Labels, STALE, Source, Sources, Timestamp};
use pgvigil::store::{Settings, Store};

use super::harness::{Scratch, pgvigil};

const RULES: &str = r#"
groups:
  - name: test
    interval: 15s
    rules:
      - record: warmth
        expr: heat * 2
      - alert: Hot
        expr: warmth > 10
        for: 1m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.instance }} is at {{ $value }}"}
"#;

/// Half an hour of two things: hot from the tenth minute to the twentieth. `b` cannot be read from the fifteenth on.
fn history() -> Store {
    let settings = Settings {
        retention: Duration::from_secs(86_400),
        max_bytes: 32 << 20,
    };
    let store = Store::new(&settings, Timestamp(0));
    for second in (0..=1800).step_by(15) {
        let at = Timestamp(second * 1000);
        let heat = if (600..1200).contains(&second) {
            9.5
        } else {
            1.0
        };
        for instance in ["a", "b"] {
            let readable = instance == "a" || second < 900;
            let sources = Sources::one(Source::new(instance, "", "heat"));
            let labels = [("__name__", "heat"), ("instance", instance)];
            let gone = !readable && second == 945;
            if readable || gone {
                let value = if gone { STALE } else { heat };
                store.append(at, &sources, [(Labels::new(labels), value)]);
            }
            let read = if readable { at } else { Timestamp(885_000) };
            let own = [
                (
                    "__name__",
                    "pgvigil_collector_last_success_timestamp_seconds",
                ),
                ("server", instance),
                ("collector", "heat"),
            ];
            store.append(
                at,
                &Sources::default(),
                [(Labels::new(own), read.seconds())],
            );
        }
        // What the rules of that time wrote is not what these rules write.
        for name in ["warmth", "ALERTS"] {
            let labels = Labels::new([("__name__", name), ("instance", "a")]);
            store.append(at, &Sources::default(), [(labels, 99.0)]);
        }
    }
    store
}

fn stage() -> Scratch {
    stage_with(&history())
}

fn stage_with(history: &Store) -> Scratch {
    let scratch = Scratch::new();
    let file = scratch.write("state/snapshot", "");
    let mut file = File::create(file).unwrap();
    history
        .write_snapshot(&mut file, Timestamp(1_800_000))
        .unwrap();
    scratch.write("rules.yml", RULES);
    let config = format!(
        "state_dir: {}\nservers: [{{name: db, url: 'postgresql://ops:hunter1@127.0.0.1:1/x'}}]\nnotify:\n  receivers:\n    - {{name: oncall, slack: {{webhook_url: 'http://127.0.0.1:1/hunter2'}}}}\n    \
         - {{name: team, slack: {{webhook_url: 'http://127.0.0.1:1/hunter3'}}}}\n  policy:\n    \
         - {{match: [instance=a], to: [oncall], repeat: 5m}}\n    - {{to: [team], delay: 2m}}\n",
        scratch.join("state").display()
    );
    scratch.write("pgvigil.yml", config);
    scratch
}

fn replay(scratch: &Scratch, arguments: &[&str]) -> Output {
    let mut command = pgvigil();
    command
        .env("TZ", "UTC")
        .arg("--config")
        .arg(scratch.join("pgvigil.yml"));
    command.arg("replay").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Each message as seconds, receiver, and what it told of whom.
fn told(output: &Output) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let messages = json["messages"].as_array().unwrap().iter();
    messages
        .map(|message| {
            let at: jiff::Timestamp = message["at"].as_str().unwrap().parse().unwrap();
            let lines = message["incidents"].as_array().unwrap().iter();
            let lines: Vec<String> = lines
                .map(|line| {
                    format!(
                        "{} {}",
                        line["reason"].as_str().unwrap(),
                        line["labels"]["instance"].as_str().unwrap()
                    )
                })
                .collect();
            let minutes = at.as_second() as f64 / 60.0;
            format!(
                "{minutes:.0} {} {}",
                message["receiver"].as_str().unwrap(),
                lines.join(", ")
            )
        })
        .collect()
}

#[test]
fn the_history_is_told_as_the_policy_would_have_told_it() {
    let scratch = stage();
    let rules = scratch.join("rules.yml").display().to_string();
    let output = replay(&scratch, &["--rules", &rules, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    // `b` cannot be read when it ends: no data is not fine, through the recording rule too.
    let expected = [
        "11 oncall opened a",
        "13 team opened b",
        "16 oncall repeated a",
        "20 oncall resolved a",
    ];
    assert_eq!(told(&output), expected);

    let arguments = [
        "--rules", &rules, "--format", "json", "--from", "900", "--to", "1000",
    ];
    assert_eq!(
        told(&replay(&scratch, &arguments)),
        ["16 oncall repeated a"],
        "what was told before is known"
    );

    let output = replay(&scratch, &["--rules", &rules]);
    let table = text(&output.stdout);
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("time                 receiver  what      incident"),
        "{table}"
    );
    assert!(
        lines[1].starts_with("1970-01-01 00:11:")
            && lines[1].ends_with("Hot on a (critical)  a is at 19"),
        "{table}"
    );
    assert!(
        table.ends_with("4 messages of 4 lines; 2 incidents opened; 240 evaluations\n"),
        "{table}"
    );
    assert!(
        !(table + &text(&output.stderr)).contains("hunter"),
        "no secret"
    );
}

#[test]
fn other_rules_tell_otherwise_and_what_is_wrong_is_said() {
    let scratch = stage();
    let quiet = scratch.write("quiet.yml", RULES.replace("> 10", "> 100"));
    let quiet = quiet.display().to_string();
    let output = replay(&scratch, &["--rules", &quiet]);
    assert!(text(&output.stdout).starts_with("nobody would have been told anything\n"));
    assert_eq!(output.status.code(), Some(0));

    let failing = RULES.replace("warmth > 10", "heat * on() heat");
    let failing = scratch.write("failing.yml", failing).display().to_string();
    let output = replay(&scratch, &["--rules", &failing]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("warning: rule `Hot` of group `test` had no result"),
        "{}",
        text(&output.stderr)
    );

    let broken = scratch.write("broken.yml", "groups: [{name: x, rules: [{alert: X}]}]");
    let broken = broken.display().to_string();
    let cases = [
        (vec!["--rules", broken.as_str()], "broken.yml:1:"),
        (
            vec!["--snapshot", "/nowhere"],
            "cannot use the snapshot `/nowhere`\n  because there is none\n  hint: `pgvigil serve` writes the first one 5m \
             after its start",
        ),
        (vec!["--from", "yesterday"], "`yesterday` is no moment"),
        (vec!["--from", "900", "--to", "100"], "`--from` is later"),
    ];
    for (arguments, expected) in cases {
        let output = replay(&scratch, &arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

/// Of the sign of life pgvigil writes down nothing but what it found; a backup's folder is read every five minutes.
#[test]
fn what_only_its_samples_tell_of_ends_and_begins_anew() {
    let settings = Settings {
        retention: Duration::from_secs(86_400),
        max_bytes: 32 << 20,
    };
    let store = Store::new(&settings, Timestamp(0));
    let readings = [
        ("pg_up", "a", "liveness", 15),
        ("backup_age", "b", "backup:nightly", 300),
    ];
    for second in (0..=1800).step_by(15) {
        let low = (300..600).contains(&second) || (900..1200).contains(&second);
        for (metric, instance, collector, interval) in readings {
            if second % interval == 0 {
                let labels = [("__name__", metric), ("instance", instance)];
                let sample = (Labels::new(labels), f64::from(u8::from(!low)));
                let sources = Sources::one(Source::new("db", "", collector));
                store.append(Timestamp(second * 1000), &sources, [sample]);
            }
        }
    }
    // One that is no longer watched, as what is written down of its collectors says.
    for second in (0..=600).step_by(15) {
        let up = f64::from(u8::from(second < 300));
        let success = [
            (
                "__name__",
                "pgvigil_collector_last_success_timestamp_seconds",
            ),
            ("server", "gone"),
            ("collector", "activity"),
        ];
        let samples = [
            (Labels::new([("__name__", "pg_up"), ("instance", "c")]), up),
            (Labels::new(success), second as f64),
        ];
        let last = second == 600;
        let samples = samples.map(|(labels, value)| (labels, if last { STALE } else { value }));
        let sources = Sources::one(Source::new("gone", "", "liveness"));
        store.append(Timestamp(second * 1000), &sources, samples);
    }
    let scratch = stage_with(&store);
    let rules = "groups: [{name: test, interval: 15s, rules: [{alert: Down, expr: pg_up == 0}, \
                 {alert: Old, expr: backup_age == 0}]}]";
    let rules = scratch.write("liveness.yml", rules).display().to_string();
    let output = replay(&scratch, &["--rules", &rules, "--format", "json"]);
    let told = told(&output);
    let of = |instance: &str| -> Vec<&str> {
        let messages = told.iter().filter_map(|line| line.splitn(3, ' ').nth(2));
        let incidents = messages.flat_map(|incidents| incidents.split(", "));
        let told = incidents.filter_map(|incident| incident.split_once(' '));
        let of_instance = told.filter(|(_, of)| *of == instance);
        of_instance.map(|(reason, _)| reason).collect()
    };
    let expected = ["opened", "resolved", "opened", "resolved"];
    assert_eq!(of("a"), expected, "{told:?}");
    assert_eq!(of("b"), expected, "{told:?}");
    assert_eq!(of("c"), ["opened", "resolved"], "{told:?}");
}
