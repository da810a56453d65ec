//! The binary over a real PostgreSQL, sending to a Prometheus and others.

use super::{PATIENCE, receiver};
use std::process::Command;

use super::wire::{self, Told, told};
use crate::harness::{
    Answer, Daemon, HttpSink, Postgres, Prometheus, Scratch, eventually, free_port, lint, pgvigil,
};

/// Points of `pg_up`.
fn beats(told: &Told) -> usize {
    let labels = r#"pg_up{cluster="west", instance="db", job="pgvigil", server="db"}"#;
    told.get(labels).map_or(0, Vec::len)
}

fn weight(sink: &HttpSink) -> usize {
    sink.requests()
        .iter()
        .map(|request| request.bytes.len())
        .sum()
}

#[test]
fn what_is_collected_arrives_everywhere_over_a_reload_and_an_outage() {
    let postgres = Postgres::start(18);
    let prometheus = receiver(&[]);
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
    let page = Command::new("curl")
        .args(["-sf", &format!("http://127.0.0.1:{port}/metrics")])
        .output()
        .unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    let lost = r#"pgvigil_remote_write_lost_samples_total{reason="refused",remote_name="scorn"}"#;
    assert!(page.contains(lost), "{page}");
    let complaints = lint(&page);
    let own = complaints
        .iter()
        .filter(|line| line.contains("remote_write"));
    assert_eq!(own.count(), 0, "{complaints:?}");
    let late = HttpSink::listen(late);
    eventually("the late one is heard", PATIENCE, || {
        (!late.requests().is_empty()).then_some(())
    });
    watch.signal("TERM");
    assert_eq!(watch.wait(PATIENCE), Some(0), "{}", watch.output());

    let told_sink = told(&sink.requests());
    let (samples, bytes) = (
        told_sink.values().map(Vec::len).sum::<usize>(),
        weight(&late),
    );
    println!("{samples} samples, {bytes} bytes on the wire");
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

#[test]
fn check_says_who_takes_samples_and_why_others_do_not() {
    let receiver = receiver(&[]);
    let other = Prometheus::configured("", &[]);
    let (scratch, guarded) = (Scratch::new(), HttpSink::start());
    guarded.usually(Answer::new(401, &[], "who is s3cr3t-word?"));
    let config = format!(
        "
servers: [{{url: 'postgresql://u@127.0.0.1:{closed}/d'}}]
state_dir: {state}
remote_write:
  - {{name: receiver, url: '{receiver}/api/v1/write'}}
  - {{name: other, url: '{other}/api/v1/write'}}
  - {{name: guarded, url: '{guarded}', authorization: {{credentials: s3cr3t-word}}}}
  - {{name: closed, url: 'http://u:s3cr3t@127.0.0.1:{closed}/'}}
  - {{name: unread, url: '{guarded}', basic_auth: {{username: u, password_file: /no/such/file}}}}
",
        closed = free_port(),
        state = scratch.path().display(),
        receiver = receiver.url(),
        other = other.url(),
        guarded = guarded.url(),
    );
    let config = scratch.write("pgvigil.yml", config);
    let checked = pgvigil().arg("--config").arg(config).arg("check").output();
    let said = String::from_utf8(checked.unwrap().stdout).unwrap();
    for line in [
        "ok       receiver       takes samples",
        "bad      other          takes no samples: answered 404 `remote write receiver needs to be enabled with --web.enable-remote-write-receiver`",
        "bad      guarded        takes no samples: answered 401 `who is <secret>?`",
        "bad      closed         takes no samples: cannot reach `127.0.0.1:",
        "bad      unread         takes no samples: cannot read `/no/such/file`: No such file",
    ] {
        assert!(
            said.lines().any(|shown| shown.starts_with(line)),
            "{line}\nin {said}"
        );
    }
    assert!(!said.contains("s3cr3t"), "{said}");
}
