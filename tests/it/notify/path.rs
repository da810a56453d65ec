//! The watch over the way to people, as a user runs it: a receiver that is broken, a log that is not written, a death.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pgvigil::incident::Ledger;
use pgvigil::sample::Timestamp;
use serde_json::Value;

use super::alertmanager::{real, seen};
use super::slack::{receiver, texts};
use super::{DEADLINE, Senders};
use crate::harness::{Answer, Daemon, HttpSink, Request, Scratch, eventually, free_port, pgvigil};
use crate::incident::{firing, opened};

const PATIENCE: Duration = Duration::from_secs(60);

/// The binary before a server that is not there, with a rule that always fires.
struct Watched {
    scratch: Scratch,
    config: PathBuf,
    port: u16,
}

impl Watched {
    fn with(notify: &str) -> Watched {
        let (scratch, port) = (Scratch::new(), free_port());
        let rules = scratch.write(
            "rules.yml",
            "groups: [{name: own, rules: [{alert: Trouble, expr: vector(1), labels: {severity: critical}}]}]\n",
        );
        let config = format!(
            "listen: 127.0.0.1:{port}\nstate_dir: {}\n\
             servers: [{{name: rachel, url: 'postgresql://u@127.0.0.1:1/d'}}]\n\
             collect: {{interval: 1s}}\nrules: {{interval: 1s, files: [{}]}}\nnotify: {{{notify}}}\n",
            scratch.join("state").display(),
            rules.display(),
        );
        let config = scratch.write("pgvigil.yml", config);
        Watched {
            scratch,
            config,
            port,
        }
    }

    fn run(&self) -> Daemon {
        let mut command = pgvigil();
        command.arg("--config").arg(&self.config);
        Daemon::spawn(command)
    }

    fn page(&self, path: &str) -> Option<String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let answer = Command::new("curl").args(["-sf", "-m", "5", &url]).output();
        let answer = answer.unwrap();
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        answer.status.success().then_some(text)
    }

    fn shows(&self, line: &str) {
        eventually(&format!("the page shows `{line}`"), PATIENCE, || {
            let page = self.page("/metrics")?;
            page.lines().any(|shown| shown == line).then_some(())
        });
    }
}

/// `NotifierBroken`, by its name here: at once after a refusal for good, and through the others.
#[test]
fn a_receiver_that_refuses_for_good_is_told_of_through_the_others() {
    let (gone, good) = (HttpSink::start(), HttpSink::start());
    gone.usually(Answer::new(404, &[], "no_service"));
    let slack = |name: &str, sink: &HttpSink| {
        format!(
            "{{name: {name}, slack: {{webhook_url: '{}/hunter2'}}}}",
            sink.url()
        )
    };
    let watched = Watched::with(&format!(
        "receivers: [{}, {}], policy: [{{match: ['alertname=~\"Trouble|PgvigilNotificationsLost\"'], to: [gone, good]}}]",
        slack("gone", &gone),
        slack("good", &good)
    ));
    let daemon = watched.run();
    let said = eventually("the other is told", PATIENCE, || {
        let texts = texts(&good.requests()).join("\n");
        texts.contains("PgvigilNotificationsLost").then_some(texts)
    });
    assert!(
        said.contains("gone: 1 notifications were given up"),
        "{said}"
    );
    let tried = texts(&gone.requests()).join("\n");
    assert!(
        tried.contains("Trouble") && !tried.contains("Pgvigil"),
        "{tried}"
    );
    let labels = "receiver=\"gone\",channel=\"slack\",address=\"gone\"";
    let sorted = "address=\"gone\",channel=\"slack\",receiver=\"gone\"";
    let page = watched.page("/metrics").unwrap();
    let dead = |labels| format!("pgvigil_notifications_dead{{{labels}}} 1");
    assert!(
        page.contains(&dead(labels)) || page.contains(&dead(sorted)),
        "{page}"
    );

    let letters: Value = serde_json::from_str(&watched.page("/dead-letters").unwrap()).unwrap();
    assert_eq!(letters[0]["receiver"], "gone");
    assert_eq!(letters[0]["incidents"][0]["labels"]["alertname"], "Trouble");
    let mut command = pgvigil();
    command.args(["notify", "dead", "--url"]);
    command.arg(format!("http://127.0.0.1:{}", watched.port));
    let listed = command.output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout);
    assert_eq!(listed.status.code(), Some(1), "{text}");
    assert!(
        text.contains(" gone: Slack answered 404 `no_service`")
            && text.ends_with("    firing Trouble: not told\n"),
        "{text}"
    );
    assert!(!daemon.output().contains("hunter2") && !text.contains("hunter2"));
}

/// Claim 10: a dead monitor never says `resolved`, and whoever waits for its heartbeat misses it.
#[cfg(target_os = "linux")]
#[test]
fn a_death_is_no_all_clear_and_is_missed() {
    let (beats, hook, state, port) = (
        HttpSink::start(),
        HttpSink::start(),
        Scratch::new(),
        free_port(),
    );
    let _alertmanager = real(port, &state, &hook);
    beats.script([Answer::new(500, &[], "not yet")]);
    let watched = Watched::with(&format!(
        "receivers: [{{name: am, alertmanager: {{urls: ['http://127.0.0.1:{port}']}}}}], \
         heartbeat: {{url: '{}/ping/hunter2', every: 1s}}",
        beats.url()
    ));
    // As long as the log cannot be written there is no heartbeat.
    let full = watched.scratch.join("state").join("incidents.log.new");
    std::fs::create_dir(watched.scratch.join("state")).unwrap();
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    let mut daemon = watched.run();
    let said = "logging stands still: the incident log";
    eventually(said, PATIENCE, || {
        daemon.output().contains(said).then_some(())
    });
    watched.shows("pgvigil_stage_advancing{stage=\"logging\"} 0");
    watched.shows("pgvigil_stage_advancing{stage=\"evaluating\"} 1");
    assert_eq!(beats.requests().len(), 0, "{}", daemon.output());
    std::fs::remove_file(&full).unwrap();
    let taken = beats.wait_for(3, PATIENCE);
    assert_eq!(taken[0].path, "/ping/hunter2");

    let named = |alerts: &[Value], name: &str| {
        alerts
            .iter()
            .find(|alert| alert["labels"]["alertname"] == name)
            .cloned()
    };
    let alerts = eventually("both are there", PATIENCE, || {
        let alerts = seen(port)?;
        (named(&alerts, "Trouble").is_some() && named(&alerts, "Watchdog").is_some())
            .then_some(alerts)
    });
    daemon.signal("KILL");
    assert_eq!(daemon.wait(DEADLINE), Some(128 + 9));
    let (died, last) = (Timestamp::now(), beats.requests().len());
    let ahead = |name: &str| {
        let ends = named(&alerts, name).unwrap()["endsAt"]
            .as_str()
            .unwrap()
            .to_owned();
        let ends: jiff::Timestamp = ends.parse().unwrap();
        Duration::from_millis((ends.as_millisecond() - died.0).max(0) as u64)
    };
    assert!(
        ahead("Trouble") > Duration::from_secs(23 * 3_600),
        "{:?}",
        ahead("Trouble")
    );
    assert!(
        ahead("Watchdog") <= Duration::from_secs(4 * 60),
        "its end tells of the death"
    );
    eventually("three beats are missed", PATIENCE, || {
        (Timestamp::now().since(died) > Duration::from_secs(3)).then_some(())
    });
    assert_eq!(beats.requests().len(), last, "the dead do not ping");
    let ended = |request: &Request| request.json()["status"] == "resolved";
    assert!(!hook.requests().iter().any(ended));
    assert!(seen(port).is_some_and(|alerts| named(&alerts, "Trouble").is_some()));
    assert!(!daemon.output().contains("hunter2"), "{}", daemon.output());
}

/// A message that is not to be taken costs no other.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_refused_does_not_take_others_with_it() {
    let sink = HttpSink::start();
    let (refused, taken) = (|| Answer::new(400, &[], "invalid_blocks"), Answer::default);
    // What is malformed is said once more in plain words: three together, `A`, `Bad` and `C`.
    sink.script([refused(), refused(), taken(), refused(), refused(), taken()]);
    let senders = Senders::start(&receiver(&sink), Ledger::memory());
    let start = Timestamp::now().before(Duration::from_secs(5));
    let alerts = ["A", "Bad", "C"].map(|name| firing(name, start));
    let alerts: Vec<_> = (0..)
        .zip(alerts)
        .map(|(place, mut alert)| {
            alert.fired_at = Some(start + Duration::from_millis(place));
            alert
        })
        .collect();
    senders
        .ledger
        .record(&alerts.iter().map(opened).collect::<Vec<_>>());
    let status = eventually("all are done with", DEADLINE, || {
        let status = senders.tally.all().remove("team")?;
        (status.delivered == 2).then_some(status)
    });
    assert_eq!((status.failed, status.delivered), (1, 2));
    let dead = senders.ledger.read(|book| book.dead.clone());
    let bad = alerts[1].incident().unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].incidents, [(bad, false)]);
    senders.stop().await;
}
