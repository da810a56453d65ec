//! Claim 9 with the real binary: a hundred restarts, half of them `kill -9`, at random moments, while alerts come and go.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pgvigil::incident::{Book, Ledger};
use pgvigil::rules::Alert;
use pgvigil::sample::Timestamp;

use crate::harness::{
    Daemon, HttpSink, Postgres, Scratch, SmtpSink, eventually, free_port, pgvigil,
};

use super::PATIENCE;

const RESTARTS: u32 = 100;
/// Alerts fire for the first half of each.
const PERIOD: i64 = 14;
/// By how much each alert is ahead of the first.
const PHASES: [i64; 4] = [0, 4, 7, 11];

/// Alerts that come and go with the clock, and rest on a source that a restart must read again before it may judge them.
fn rules(condition: &str) -> String {
    let mut text = String::from("groups:\n  - name: test\n    interval: 1s\n    rules:\n");
    for (number, phase) in PHASES.into_iter().enumerate() {
        let _ = write!(
            text,
            "      - alert: Wave{number}\n        expr: (pg_up * 0 + time() + {phase}) % {PERIOD} {condition}\n        \
             for: {}s\n        labels: {{severity: warning}}\n",
            number % 2
        );
    }
    text
}

fn configuration(
    scratch: &Scratch,
    postgres: &Postgres,
    mail: &SmtpSink,
    hook: &HttpSink,
) -> String {
    let (mut receivers, mut policy) = (String::new(), String::new());
    for number in 0..PHASES.len() {
        let _ = writeln!(
            receivers,
            "    - {{name: r{number}, email: {{to: [r{number}@example.com], from: pgvigil@example.com, smtp: \
             'smtp://127.0.0.1:{}'}}}}",
            mail.port()
        );
        let _ = writeln!(
            policy,
            "    - {{match: [alertname=Wave{number}], to: [r{number}, team]}}"
        );
    }
    format!(
        "listen: 127.0.0.1:{}\nstate_dir: {}\nservers: [{{name: rachel, url: '{}'}}]\n\
         collect: {{interval: 1s, timeout: 1s, load_budget: off}}\nrules: {{interval: 1s, files: [{}]}}\n\
         notify:\n  receivers:\n{receivers}    - {{name: team, slack: {{webhook_url: '{}/hook'}}}}\n  policy:\n{policy}",
        free_port(),
        scratch.path().join("state").display(),
        postgres.url("postgres", "postgres"),
        scratch.join("rules.yml").display(),
        hook.url(),
    )
}

/// Random enough, and the same again for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn a_hundred_restarts_are_invisible() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = seed.unwrap_or(now.as_nanos() as u64) | 1;
    eprintln!("SEED={seed}");
    let mut dice = Dice(seed);
    let (postgres, mail, hook) = (Postgres::start(18), SmtpSink::start(), HttpSink::start());
    let scratch = Scratch::new();
    scratch.write("rules.yml", rules("< 7"));
    let config = configuration(&scratch, &postgres, &mail, &hook);
    let config = scratch.write("pgvigil.yml", config);
    let watch = || {
        let mut command = pgvigil();
        command.arg("--config").arg(&config);
        Daemon::spawn(command)
    };
    let mut kills = 0;
    for _ in 0..RESTARTS {
        let mut watch = watch();
        // Half die while they start, half while they watch.
        let longest = if dice.roll(2) == 0 {
            eventually("it watches", PATIENCE, || {
                watch.output().contains("pgvigil watches").then_some(())
            });
            1_500
        } else {
            400
        };
        let moment = Instant::now() + Duration::from_millis(dice.roll(longest));
        while Instant::now() < moment {
            let ended = watch.wait(Duration::from_millis(20));
            assert_eq!(ended, None, "{}", watch.output());
        }
        let kill = dice.roll(2) == 0;
        kills += usize::from(kill);
        watch.signal(if kill { "KILL" } else { "TERM" });
        let ended = watch.wait(PATIENCE).expect("it ends");
        assert!(!watch.output().contains("panicked"), "{}", watch.output());
        // SIGTERM may come before anybody listens to it.
        assert!(
            [0, 128 + 9, 128 + 15].contains(&ended),
            "{ended}: {}",
            watch.output()
        );
    }

    // From now on nothing fires, and what fired ends.
    scratch.write("rules.yml", rules("< 0"));
    let log = scratch.path().join("state").join("incidents.log");
    let mut watch = watch();
    eventually("all that was open has ended", PATIENCE, || {
        (!folded(&log).firing().any(is_wave)).then_some(())
    });
    let mut quiet = (mail.letters().len(), Instant::now());
    eventually("nobody is told anything any more", PATIENCE, || {
        let count = mail.letters().len() + hook.requests().len();
        if count != quiet.0 {
            quiet = (count, Instant::now());
        }
        (quiet.1.elapsed() > Duration::from_secs(6)).then_some(())
    });
    watch.signal("TERM");
    assert_eq!(watch.wait(PATIENCE), Some(0));
    let (ledger, warnings) = Ledger::open(&scratch.path().join("state")).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    judge(&ledger, &mail, &hook, kills);
}

/// The log of a process that has it in use, as far as it is written.
fn folded(log: &Path) -> Book {
    let mut book = Book::default();
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let events = text.lines().filter_map(|line| line.split_once(' '));
    let events = events.filter_map(|(_, event)| serde_json::from_str(event).ok());
    events.for_each(|event| book.apply(&event));
    book
}

/// The rules that are built in find something to say too.
fn is_wave(alert: &Alert) -> bool {
    alert.labels.get("alertname").starts_with("Wave")
}

fn judge(ledger: &Ledger, mail: &SmtpSink, hook: &HttpSink, kills: usize) {
    let ended = ledger.read(|book| {
        assert!(!book.firing().any(is_wave), "all has ended");
        let ended = book.ended.iter().filter(|alert| is_wave(alert));
        ended.cloned().collect::<Vec<_>>()
    });
    let mut told: BTreeMap<(String, String), usize> = BTreeMap::new();
    for letter in mail.letters() {
        let state = letter.header("X-Pgvigil-State").unwrap();
        let root = letter
            .header("In-Reply-To")
            .or_else(|| letter.header("Message-ID"));
        let root = root.unwrap();
        let id = root
            .trim_start_matches('<')
            .split('@')
            .next()
            .unwrap()
            .to_owned();
        *told.entry((id, state)).or_default() += 1;
    }
    let (mut waves, mut twice, mut unannounced) = (BTreeMap::new(), 0, 0);
    for alert in &ended {
        let id = alert.incident().unwrap();
        let name = alert.labels.get("alertname");
        let number: usize = name.trim_start_matches("Wave").parse().unwrap();
        let wave = |at: Timestamp| (at.0 / 1000 + PHASES[number]).div_euclid(PERIOD);
        let (fired, resolved) = (alert.fired_at.unwrap(), alert.resolved_at.unwrap());
        let other = waves.insert((number, wave(fired)), id.clone());
        assert_eq!(other, None, "one wave, one incident, with one start");
        let still = (resolved.0 / 1000 + PHASES[number]).rem_euclid(PERIOD) < PERIOD / 2;
        let by_the_end = wave(resolved) == wave(fired) && still;
        // The last rules let everything end.
        let last = ended
            .iter()
            .filter_map(|alert| alert.resolved_at)
            .max()
            .unwrap();
        assert!(
            !by_the_end || last.since(resolved) < Duration::from_secs(3),
            "{name} ended while it was hot"
        );

        let count = |state: &str| told.remove(&(id.clone(), state.to_owned())).unwrap_or(0);
        let [opened, closed] = ["firing", "resolved"].map(count);
        assert!(closed >= 1, "{name} {id} was not closed");
        twice += opened.saturating_sub(1) + closed - 1;
        unannounced += usize::from(opened == 0);
    }
    assert!(told.is_empty(), "told of what is not in the log: {told:?}");
    assert!(twice <= kills, "{twice} came twice, after {kills} kills");
    // What began and ended while nobody could be told is told once, at its end.
    assert!(
        unannounced < ended.len(),
        "none of {} was announced",
        ended.len()
    );
    assert!(ended.len() >= 3, "{} incidents", ended.len());

    let texts: Vec<String> = hook
        .requests()
        .iter()
        .map(|request| request.body.clone())
        .collect();
    let closed: usize = texts
        .iter()
        .map(|text| text.matches("RESOLVED: Wave").count())
        .sum();
    assert!(
        closed >= ended.len(),
        "{closed} ends of {} came to the hook",
        ended.len()
    );
    eprintln!(
        "{} incidents, {} letters, {} requests, {kills} kills, {twice} letters twice, {unannounced} told at their end only",
        ended.len(),
        mail.letters().len(),
        texts.len()
    );
}
