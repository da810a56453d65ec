//! SMTP servers of every kind, and mailboxes that do not exist.

use std::time::Duration;

use pgvigil::incident::Ledger;
use pgvigil::notify;
use pgvigil::sample::Timestamp;

use super::{DEADLINE, Senders, context, settings};
use crate::harness::{Letter, Scratch, SmtpOptions, SmtpSink, Stage, Transport, eventually};
use crate::incident::{firing, opened};

fn receiver(sink: &SmtpSink, to: &str) -> String {
    let port = sink.port();
    format!(
        "{{name: oncall, email: {{to: [{to}], from: pgvigil@example.com, smtp: 'smtp://127.0.0.1:{port}'}}}}"
    )
}

fn header(letter: &Letter, name: &str) -> String {
    letter.header(name).unwrap_or_default()
}

/// A mail without the line breaks that only keep its lines short.
fn whole(letter: &Letter) -> String {
    letter.data.replace("=\r\n", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_one_thread_under_one_subject() {
    let sink = SmtpSink::start();
    let senders = Senders::start(&receiver(&sink, "oncall@example.com"), Ledger::memory());
    let alert = senders.fire("PostgresqlConnectionsHigh");
    sink.wait_for(1, DEADLINE);
    senders.end(&alert);
    let letters = sink.wait_for(2, DEADLINE);
    senders.stop().await;

    let root = format!("<{}@example.com>", alert.incident().unwrap());
    let (first, last) = (&letters[0], &letters[1]);
    assert_eq!(header(first, "Message-ID"), root);
    assert_eq!(first.header("In-Reply-To"), None);
    assert_eq!(header(last, "In-Reply-To"), root);
    assert_eq!(header(last, "References"), root);
    assert_ne!(header(last, "Message-ID"), root);
    for (letter, state) in [(first, "firing"), (last, "resolved")] {
        assert_eq!(
            header(letter, "Subject"),
            "[rachel] PostgresqlConnectionsHigh"
        );
        assert_eq!(header(letter, "Auto-Submitted"), "auto-generated");
        assert_eq!(header(letter, "Precedence"), "bulk");
        assert_eq!(header(letter, "List-Id"), "<oncall.example.com>");
        assert_eq!(header(letter, "X-Pgvigil-State"), state);
        assert!(letter.header("Date").is_some());
        assert!(header(letter, "Content-Type").starts_with("multipart/alternative"));
        let text = letter.data.find("text/plain").unwrap();
        assert!(
            text < letter.data.find("text/html").unwrap(),
            "plain text comes first"
        );
    }
    for expected in [
        "FIRING: PostgresqlConnectionsHigh on rachel (warning)",
        "PostgresqlConnectionsHigh has something to say",
        "https://pgvigil.example/runbook",
        "86.5",
        " ago)",
    ] {
        assert!(
            first.data.contains(expected),
            "{expected} is not in\n{}",
            first.data
        );
    }
    assert!(
        last.data
            .contains("RESOLVED: PostgresqlConnectionsHigh on rachel"),
        "{}",
        last.data
    );
    assert!(last.data.contains(", after "), "{}", last.data);
    let sentence = "PostgresqlConnectionsHigh has something to say";
    let past = format!("It was: {sentence}");
    let whole = whole(last);
    let counts = [sentence, &past].map(|words| whole.matches(words).count());
    assert_eq!(counts, [2, 2], "as text and HTML: {whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_about_a_part_of_its_thread_says_how_the_rest_stands() {
    let sink = SmtpSink::start();
    let senders = Senders::start(&receiver(&sink, "oncall@example.com"), Ledger::memory());
    let at = Timestamp::now().before(Duration::from_secs(5));
    let (graver, other) = (firing("A", at), firing("B", at + Duration::from_millis(1)));
    senders.ledger.record(&[opened(&graver), opened(&other)]);
    sink.wait_for(1, DEADLINE);
    senders.end(&other);
    sink.wait_for(2, DEADLINE);
    senders.end(&graver);
    let letters = sink.wait_for(3, DEADLINE);
    senders.stop().await;

    let openings = letters.iter().map(|letter| {
        assert_eq!(header(letter, "Subject"), "[rachel] A and 1 more");
        let (_, text) = letter.data.split_once("text/plain").unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        body.lines().next().unwrap().to_owned()
    });
    let expected = [
        "2 firing",
        "Ended: B on rachel. Still firing: A on rachel.",
        "Ended: A on rachel, B on rachel.",
    ];
    assert_eq!(openings.collect::<Vec<_>>(), expected);
    let html = "<strong>Ended: B on rachel. Still firing: A on rachel.</strong>";
    assert!(whole(&letters[1]).contains(html), "{}", letters[1].data);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_recipient_hurts_nobody_else() {
    let sink = SmtpSink::start();
    sink.refuse("gone@example.com", "550 5.1.1 no such user");
    let to = "gone@example.com, oncall@example.com";
    let senders = Senders::start(&receiver(&sink, to), Ledger::memory());
    let alert = senders.fire("A");
    sink.wait_for(1, DEADLINE);
    let error = eventually("it is refused", DEADLINE, || {
        senders.error("oncall/gone@example.com")
    });
    assert!(
        error.contains("did not take RCPT TO:<gone@example.com>: 550 5.1.1 no such user"),
        "{error}"
    );
    senders.end(&alert);
    let letters = sink.wait_for(2, DEADLINE);
    assert!(
        letters
            .iter()
            .all(|letter| letter.to == ["oncall@example.com"])
    );
    assert_eq!(
        header(&letters[0], "To"),
        "gone@example.com, oncall@example.com"
    );
    assert_eq!(senders.error("oncall/oncall@example.com"), None);
    senders.stop().await;
    assert_eq!(
        sink.connections(),
        3,
        "the bad one is not tried over and over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_puts_off_is_tried_again() {
    let sink = SmtpSink::start();
    sink.reply(Stage::Connect, "421 4.3.2 too busy");
    sink.reply(Stage::Rcpt, "450 4.2.0 greylisted");
    sink.reply(Stage::Data, "451 4.3.0 try again later");
    let senders = Senders::start(&receiver(&sink, "oncall@example.com"), Ledger::memory());
    let alert = senders.fire("A");
    let letters = sink.wait_for(1, DEADLINE);
    assert_eq!(
        header(&letters[0], "Message-ID"),
        format!("<{}@example.com>", alert.incident().unwrap())
    );
    eventually("it is noted", DEADLINE, || {
        (senders.tally.all()["oncall"].delivered == 1).then_some(())
    });
    assert_eq!(senders.tally.all()["oncall"].retried, 3);
    senders.stop().await;
    assert_eq!(sink.letters().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_off_for_ever_lets_others_pass() {
    let sink = SmtpSink::start();
    sink.choke_on(Some("Poison"));
    let senders = Senders::start(&receiver(&sink, "oncall@example.com"), Ledger::memory());
    let poison = senders.fire("Poison");
    eventually("it is put off", DEADLINE, || senders.error("oncall"));
    let good = senders.fire("Good");
    sink.wait_for(1, DEADLINE);
    senders.end(&good);
    sink.wait_for(2, DEADLINE);
    sink.choke_on(None);
    sink.wait_for(3, DEADLINE);
    senders.end(&poison);
    let letters = sink.wait_for(4, DEADLINE);
    senders.stop().await;
    let told: Vec<String> = letters
        .iter()
        .map(|letter| header(letter, "Subject") + " " + &header(letter, "X-Pgvigil-State"))
        .collect();
    let expected = [
        "[rachel] Good firing",
        "[rachel] Good resolved",
        "[rachel] Poison firing",
        "[rachel] Poison resolved",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_encryption_and_login_works() {
    let cases = [
        (Transport::StartTls, "smtp", "PLAIN"),
        (Transport::StartTls, "smtp", "LOGIN"),
        (Transport::Implicit, "smtps", "PLAIN"),
        (Transport::Implicit, "smtps", "LOGIN"),
    ];
    for (transport, scheme, mechanisms) in cases {
        let (sink, ca) = secured(transport, mechanisms);
        let smtp = format!("{scheme}://u:hunter2@localhost:{}", sink.port());
        let outcomes = try_out(&smtp, ca.join("ca.pem").to_str().unwrap()).await;
        assert_eq!(
            outcomes[0].error, None,
            "{transport:?} {mechanisms}: {outcomes:?}"
        );
        assert!(!format!("{outcomes:?}").contains("hunter2"), "{outcomes:?}");
        let letters = sink.letters();
        assert_eq!(letters.len(), 2);
        assert!(
            letters
                .iter()
                .all(|letter| letter.encrypted && letter.user.as_deref() == Some("u"))
        );
        assert_eq!(
            header(&letters[0], "Subject"),
            header(&letters[1], "Subject")
        );
        assert!(
            outcomes[0]
                .dialogue
                .iter()
                .any(|line| line.starts_with("AUTH as `u`: 235")),
            "{outcomes:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_wrongly_is_said_without_the_secret() {
    let (sink, ca) = secured(Transport::StartTls, "");
    let (plain, port) = (SmtpSink::start(), sink.port());
    let ca = ca.join("ca.pem");
    let ca = ca.to_str().unwrap();
    let cases = [
        (
            format!("smtp://u:hunter3@localhost:{port}"),
            ca,
            "AUTH as `u`: 535",
            "check the user in `smtp` and `password`",
        ),
        (
            format!("smtp://u:secret@localhost:{port}"),
            "",
            "certificate",
            "set `ca`",
        ),
        (
            format!("smtp://localhost:{}", plain.port()),
            ca,
            "offers no STARTTLS",
            "set `tls: none`",
        ),
        (
            "smtp://localhost:1".into(),
            ca,
            "cannot reach `localhost:1`",
            "refused",
        ),
        (
            format!("smtp://localhost:{port}"),
            "/nowhere.pem",
            "`ca` `/nowhere.pem` cannot be used",
            "No such file",
        ),
    ];
    for (smtp, ca, what, way_out) in cases {
        let outcomes = try_out(&smtp, ca).await;
        let error = outcomes[0].error.clone().unwrap();
        assert!(
            error.contains(what) && error.contains(way_out),
            "{smtp}: {error}"
        );
        let all = format!("{outcomes:?}");
        assert!(
            !all.contains("hunter3") && !all.contains("secret@"),
            "{all}"
        );
    }
}

/// A server for user `u` with the password `hunter2`, and its authority as `ca.pem`.
fn secured(transport: Transport, mechanisms: &'static str) -> (SmtpSink, Scratch) {
    // The sink's TLS needs it as much as ours.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sink = SmtpSink::with(SmtpOptions {
        transport,
        login: Some(("u".into(), "hunter2".into())),
        mechanisms,
    });
    let scratch = Scratch::new();
    scratch.write("ca.pem", sink.ca_pem());
    (sink, scratch)
}

async fn try_out(smtp: &str, ca: &str) -> Vec<notify::Outcome> {
    let tls = if smtp.starts_with("smtps") {
        "implicit"
    } else {
        "starttls"
    };
    let ca = if ca.is_empty() {
        String::new()
    } else {
        format!(", ca: '{ca}'")
    };
    let receiver = format!(
        "{{name: oncall, email: {{to: oncall@example.com, smtp: '{smtp}', tls: {tls}{ca}}}}}"
    );
    notify::test(&settings(&receiver), &context()).await
}
