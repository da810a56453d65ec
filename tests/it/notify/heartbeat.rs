//! The dead man's switch: what withholds it, and what does not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pgvigil::document::Secret;
use pgvigil::notify::heartbeat::{Heartbeat, Progress, Settings, Step};
use pgvigil::sample::Timestamp;
use reqwest::Method;
use tokio_util::sync::CancellationToken;

use super::DEADLINE;
use crate::harness::{Answer, HttpSink, eventually};

/// A heartbeat over a progress that a test can move.
struct Stage {
    sink: HttpSink,
    heartbeat: Arc<Heartbeat>,
    progress: Arc<Mutex<Progress>>,
    looks: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Stage {
    fn set() -> Stage {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (sink, looks) = (HttpSink::start(), Arc::new(AtomicUsize::new(0)));
        let progress = Arc::new(Mutex::new(good()));
        let settings = Settings {
            url: Secret::Value(format!("{}/ping/hunter2", sink.url())),
            every: Duration::from_millis(50),
            method: Method::POST,
        };
        let (known, counted) = (progress.clone(), looks.clone());
        let heartbeat = Arc::new(Heartbeat::new(Some(settings), move || {
            counted.fetch_add(1, Ordering::SeqCst);
            known.lock().unwrap().clone()
        }));
        let stop = CancellationToken::new();
        let (beating, stopped) = (heartbeat.clone(), stop.clone());
        tokio::spawn(async move { beating.run(stopped).await });
        Stage {
            sink,
            heartbeat,
            progress,
            looks,
            stop,
        }
    }

    fn pings(&self) -> usize {
        self.sink.requests().len()
    }

    fn pings_again(&self) {
        self.sink.wait_for(self.pings() + 2, DEADLINE);
    }

    /// Waits until it has looked so often since.
    fn looks(&self, more: usize) {
        let before = self.looks.load(Ordering::SeqCst);
        eventually("it looks", DEADLINE, || {
            (self.looks.load(Ordering::SeqCst) >= before + more).then_some(())
        });
    }

    /// The values of a metric, with the label `stage` where it has one.
    fn sample(&self, name: &str, stage: &str) -> Option<f64> {
        let samples = self.heartbeat.samples();
        let mut samples = samples.iter();
        let found = samples
            .find(|sample| &*sample.family.name == name && sample.labels.get("stage") == stage);
        found.map(|sample| sample.value)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn step(name: &str) -> Step {
    Step {
        name: name.into(),
        last: Some(Timestamp::now()),
        due: Timestamp::now() + Duration::from_secs(3_600),
    }
}

fn good() -> Progress {
    Progress {
        collecting: vec![step("the sign of life of `rachel`")],
        evaluating: vec![step("the rule group `g`")],
        logged: true,
        delivering: vec![step("the sender to `oncall`")],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_stage_that_stands_still_withholds_it_until_it_advances() {
    let stage = Stage::set();
    stage.pings_again();
    let request = &stage.sink.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/ping/hunter2")
    );
    let halts: [(&str, fn(&mut Progress)); 4] = [
        ("collecting", |progress| {
            progress.collecting[0].due = Timestamp(0)
        }),
        ("evaluating", |progress| {
            progress.evaluating[0].due = Timestamp(0)
        }),
        ("logging", |progress| progress.logged = false),
        ("delivering", |progress| {
            progress.delivering[0].due = Timestamp(0)
        }),
    ];
    for (name, halt) in halts {
        halt(&mut stage.progress.lock().unwrap());
        // A ping may be under way; what is looked at twice from here on is looked at after it.
        stage.looks(2);
        let pings = stage.pings();
        stage.looks(3);
        assert_eq!(stage.pings(), pings, "{name}");
        for (known, _) in halts {
            let advances = stage.sample("pgvigil_stage_advancing", known);
            assert_eq!(
                advances,
                Some(f64::from(u8::from(known != name))),
                "{known}"
            );
        }
        assert_eq!(
            stage.sample("pgvigil_heartbeat_up", ""),
            Some(1.0),
            "{name}"
        );
        *stage.progress.lock().unwrap() = good();
        stage.pings_again();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_pinged_before_anything_has_advanced() {
    let stage = Stage::set();
    stage.progress.lock().unwrap().evaluating[0].last = None;
    stage.looks(1);
    assert_eq!(stage.pings(), 0);
    *stage.progress.lock().unwrap() = good();
    stage.pings_again();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_that_is_not_taken_is_tried_again_and_shown() {
    let stage = Stage::set();
    stage.sink.usually(Answer::new(503, &[], "not now"));
    stage.sink.wait_for(2, DEADLINE);
    eventually("it is shown", DEADLINE, || {
        let failures = stage.sample("pgvigil_heartbeat_failures_total", "")?;
        let up = stage.sample("pgvigil_heartbeat_up", "")?;
        (failures >= 1.0 && up == 0.0).then_some(())
    });
    stage.sink.usually(Answer::default());
    eventually("it is taken again", DEADLINE, || {
        let up = stage.sample("pgvigil_heartbeat_up", "")?;
        let last = stage.sample("pgvigil_heartbeat_last_success_timestamp_seconds", "")?;
        (up == 1.0 && last > 0.0).then_some(())
    });
}
