//! The harness proves itself before others lean on it.

use std::process::Command;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};

use super::{
    Answer, Authority, Daemon, HttpSink, Postgres, Prometheus, Scratch, SmtpOptions, SmtpSink,
    Stage, Transport, Written, eventually, majors,
};
use pgvigil::sample::STALE;

#[test]
fn clusters_of_every_installed_major_start_side_by_side() {
    assert!(
        majors().contains(&15) && majors().contains(&18),
        "run `make lab`"
    );
    std::thread::scope(|scope| {
        for major in majors().into_iter().flat_map(|major| [major, major]) {
            scope.spawn(move || {
                let postgres = Postgres::with(major, &["max_connections=17"]);
                assert_eq!(postgres.sql("postgres", "SHOW max_connections"), "17");
                let version = postgres.sql("postgres", "SHOW server_version_num");
                assert!(version.starts_with(&major.to_string()), "{version}");
                postgres.sql(
                    "postgres",
                    "CREATE DATABASE app; CREATE EXTENSION pg_stat_statements",
                );
            });
        }
    });
}

#[test]
fn a_cluster_stops_freezes_dies_and_comes_back() {
    let postgres = Postgres::start(15);
    postgres.stop();
    postgres.start_again();
    postgres.freeze();
    let mut ready = postgres.command("pg_isready");
    assert!(!ready.args(["-q", "-t", "1"]).status().unwrap().success());
    postgres.thaw();
    eventually("it answers", Duration::from_secs(30), || {
        ready.status().unwrap().success().then_some(())
    });
    postgres.kill();
    postgres.start_again();
    assert_eq!(postgres.sql("postgres", "SELECT 1"), "1");

    let directory = postgres.dir().to_owned();
    drop(postgres);
    assert!(!directory.exists());
}

#[test]
fn a_standby_follows_its_primary() {
    for major in [15, 18] {
        let primary = Postgres::start(major);
        let standby = primary.standby();
        primary.sql("postgres", "CREATE TABLE t AS SELECT 7 AS n");
        eventually("the row arrives", Duration::from_secs(30), || {
            let found = standby.sql(
                "postgres",
                "SELECT count(*) FROM pg_class WHERE relname = 't'",
            );
            (found == "1").then_some(())
        });
        assert_eq!(standby.sql("postgres", "SELECT pg_is_in_recovery()"), "t");
    }
}

#[test]
fn a_daemon_is_ended_when_it_is_dropped() {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "trap '' TERM; echo up; while :; do read -r line </dev/zero; done",
    ]);
    let mut daemon = Daemon::spawn(command);
    eventually("it says so", Duration::from_secs(10), || {
        daemon.output().contains("up").then_some(())
    });
    assert_eq!(daemon.wait(Duration::ZERO), None);
    daemon.signal("KILL");
    assert_eq!(daemon.wait(Duration::from_secs(10)), Some(137));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_http_sink_records_and_follows_its_script() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sink = HttpSink::start();
    sink.script([Answer::new(429, &[("Retry-After", "7")], "slow down")]);
    let client = reqwest::Client::new();
    let post = || {
        client
            .post(format!("{}/hook?a=b", sink.url()))
            .body("{\"n\": 1}")
            .send()
    };
    let refused = post().await.unwrap();
    assert_eq!(
        (
            refused.status().as_u16(),
            refused.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "7")
    );
    assert_eq!(post().await.unwrap().status(), 200);
    let requests = sink.requests();
    assert_eq!(requests[1].method, "POST");
    assert_eq!(requests[1].header("Content-Length"), Some("8"));
    assert_eq!(
        (
            requests.len(),
            requests[1].path.as_str(),
            requests[1].json()["n"].as_i64()
        ),
        (2, "/hook?a=b", Some(1))
    );
}

#[test]
fn the_smtp_sink_talks_in_every_way() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for transport in [Transport::Plain, Transport::StartTls, Transport::Implicit] {
        for mechanisms in ["PLAIN", "LOGIN"] {
            let login = Some(("ops".to_owned(), "secret".to_owned()));
            let sink = SmtpSink::with(SmtpOptions {
                transport,
                login,
                mechanisms,
            });
            client(&sink, transport, "secret").send(&letter()).unwrap();
            let wrong = client(&sink, transport, "guess")
                .send(&letter())
                .unwrap_err();
            assert!(wrong.is_permanent(), "{wrong}");

            let letters = sink.letters();
            assert_eq!(letters.len(), 1);
            assert_eq!(letters[0].encrypted, transport != Transport::Plain);
            assert_eq!(letters[0].user.as_deref(), Some("ops"));
            assert_eq!(letters[0].from, "a@example.com");
            assert_eq!(letters[0].to, ["b@example.com", "c@example.com"]);
            assert!(
                letters[0].data.contains("\r\n.dot\r\n"),
                "{}",
                letters[0].data
            );
        }
    }
}

#[test]
fn the_smtp_sink_refuses_as_told() {
    let sink = SmtpSink::start();
    let client = SmtpTransport::builder_dangerous("127.0.0.1")
        .port(sink.port())
        .build();
    sink.reply(Stage::Data, "451 4.3.0 later");
    assert!(client.send(&letter()).unwrap_err().is_transient());
    sink.refuse("c@example.com", "550 5.1.1 no such user");
    assert!(client.send(&letter()).unwrap_err().is_permanent());
    assert!(sink.letters().is_empty());
}

#[test]
fn what_a_killed_run_left_is_swept() {
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let left = std::env::temp_dir().join(format!("pgv-{}-left", gone.id()));
    std::fs::create_dir(&left).unwrap();
    super::scratch::sweep();
    assert!(!left.exists());
    assert!(Scratch::new().path().exists());
    assert!(Authority::new().pem().starts_with("-----BEGIN"));
}

fn letter() -> Message {
    Message::builder()
        .from("a@example.com".parse().unwrap())
        .to("b@example.com".parse().unwrap())
        .to("c@example.com".parse().unwrap())
        .subject("hello")
        .body("one\n.dot\n".to_owned())
        .unwrap()
}

fn client(sink: &SmtpSink, transport: Transport, password: &str) -> SmtpTransport {
    let certificate = Certificate::from_pem(sink.ca_pem().as_bytes()).unwrap();
    let parameters = TlsParameters::builder("localhost".into())
        .add_root_certificate(certificate)
        .build_rustls()
        .unwrap();
    let tls = match transport {
        Transport::Plain => Tls::None,
        Transport::StartTls => Tls::Required(parameters),
        Transport::Implicit => Tls::Wrapper(parameters),
    };
    SmtpTransport::builder_dangerous("127.0.0.1")
        .port(sink.port())
        .tls(tls)
        .authentication(vec![Mechanism::Plain, Mechanism::Login])
        .credentials(Credentials::new("ops".into(), password.into()))
        .build()
}

#[test]
fn prometheus_answers_over_the_samples_it_was_given() {
    let prometheus = Prometheus::over("a{b=\"c\"} 7 1000\n# EOF\n", &[]);
    let asked = format!("{}/api/v1/query?query=a&time=1000", prometheus.url());
    let answer = Command::new("curl").args(["-s", &asked]).output().unwrap();
    let answer = String::from_utf8(answer.stdout).unwrap();
    assert!(answer.contains(r#""value":[1000,"7"]"#), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_keeps_what_is_written_to_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let written = Written {
        labels: vec![("__name__", "a")],
        samples: vec![(1_600_000_000_000, 1.0), (1_600_000_015_000, STALE)],
    };
    let mut prometheus = Prometheus::written(&[written], &[]).await;
    prometheus.restart();
    assert!(prometheus.data().join("wal").is_dir());
    for (at, found) in [(1_600_000_014, true), (1_600_000_016, false)] {
        let asked = format!("{}/api/v1/query?query=a&time={at}", prometheus.url());
        let answer = reqwest::get(asked).await.unwrap().text().await.unwrap();
        assert_eq!(answer.contains("\"a\""), found, "{answer}");
    }
}
