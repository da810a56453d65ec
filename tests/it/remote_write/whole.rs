//! The binary over a real PostgreSQL, sending to a Prometheus and others.

use super::PATIENCE;
use super::wire::{self, Told, told};
use crate::harness::{
    Answer, Daemon, HttpSink, Postgres, Prometheus, Scratch, eventually, free_port, pgvigil,
};

/// Points of `pg_up`.
fn beats(told: &Told) -> usize {
    let labels = r#"pg_up{cluster="west", instance="db", job="pgvigil", server="db"}"#;
    told.get(labels).map_or(0, Vec::len)
}

#[test]
fn what_is_collected_arrives_everywhere_over_a_reload_and_an_outage() {
    let postgres = Postgres::start(18);
    let prometheus = Prometheus::configured("", &["--web.enable-remote-write-receiver"]);
    let (sink, scorn, late) = (HttpSink::start(), HttpSink::start(), free_port());
    let words = format!("no sample of s3cr3t-word is wanted {}", "x".repeat(1000));
    scorn.usually(Answer::new(400, &[], &words));
    let (scratch, port) = (Scratch::new(), free_port());
    let config = format!(
        "
listen: 127.0.0.1:{port}
state_dir: {state}
servers: [{{name: db, url: '{url}'}}]
collect: {{interval: 1s, load_budget: off}}
external_labels: {{cluster: west, job: elsewhere}}
remote_write:
  - {{name: prometheus, url: '{prometheus}/api/v1/write', queue_config: {{batch_send_deadline: 1s}}}}
  - {{name: sink, url: '{sink}', queue_config: {{batch_send_deadline: 1s, max_samples_per_send: 100}}}}
  - {{name: late, url: 'http://127.0.0.1:{late}', queue_config: {{batch_send_deadline: 1s}}}}
  - {{name: scorn, url: '{scorn}/?token=s3cr3t', basic_auth: {{username: us, password: s3cr3t-word}}, queue_config: {{batch_send_deadline: 1s}}}}
",
        state = scratch.path().join("state").display(),
        url = postgres.url("postgres", "postgres"),
        prometheus = prometheus.url(),
        sink = sink.url(),
        scorn = scorn.url(),
    );
    let config = scratch.write("pgvigil.yml", config);
    let mut command = pgvigil();
    command.arg("--config").arg(config);
    let mut watch = Daemon::spawn(command);

    let heard = |least: usize| {
        let what = format!("{least} points of `pg_up` have come");
        eventually(&what, PATIENCE, || {
            (beats(&told(&sink.requests())) >= least).then_some(())
        });
    };
    heard(3);
    watch.signal("HUP");
    eventually("the configuration was read again", PATIENCE, || {
        watch
            .output()
            .contains("configuration read again")
            .then_some(())
    });
    let before = beats(&told(&sink.requests()));
    heard(before + 3);
    let late = HttpSink::listen(late);
    eventually("the late one is heard", PATIENCE, || {
        (!late.requests().is_empty()).then_some(())
    });
    watch.signal("TERM");
    assert_eq!(watch.wait(PATIENCE), Some(0), "{}", watch.output());

    let told_sink = told(&sink.requests());
    assert_eq!(
        told(&late.requests()),
        told_sink,
        "an outage lost something"
    );
    let told_sink = wire::without_markers(told_sink);
    assert_eq!(wire::raw(&prometheus.url(), ""), told_sink);
    assert!(beats(&told_sink) >= 6);
    let output = watch.output();
    let refused = output.matches("samples refused").count();
    assert_eq!(refused, 1, "{output}");
    assert!(
        output.contains("answered 400 `no sample of <secret> is wanted xxx"),
        "{output}"
    );
    assert!(
        !output.contains("s3cr3t") && !output.contains(&"x".repeat(256)),
        "{output}"
    );
    let away = "remote.name=\"late\" error=\"cannot reach `127.0.0.1:";
    assert_eq!(output.matches(away).count(), 1, "{output}");
}
