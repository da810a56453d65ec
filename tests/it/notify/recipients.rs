//! Claim 12: one bad recipient hurts nobody else, whatever is wrong with it. Alertmanager gives all of one receiver's
//! recipients one message, and tries it over and over for nobody (M18 of alerting.md).

use std::time::Instant;

use pgvigil::incident::Ledger;

use super::{DEADLINE, Senders};
use crate::harness::{Letter, Misbehaviour, SmtpSink, eventually};

fn receiver(sink: &SmtpSink) -> String {
    let port = sink.port();
    format!(
        "{{name: oncall, email: {{to: [bad@example.com, good@example.com], from: pgvigil@example.com, smtp: 'smtp://127.0.0.1:{port}'}}}}"
    )
}

fn to<'l>(letters: &'l [Letter], mailbox: &str) -> Vec<&'l Letter> {
    let to = [mailbox.to_owned()];
    letters.iter().filter(|letter| letter.to == to).collect()
}

fn state(letter: &Letter) -> String {
    letter.header("X-Pgvigil-State").unwrap()
}

/// M18: put off for ever, refused for good, or silent after all of it was sent: the good one is told of begin and end.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_one_the_other_is_told_at_once() {
    let replies = [
        Some("451 4.7.1 greylisted"),
        Some("550 5.1.1 no such user"),
        None,
    ];
    for reply in replies {
        let sink = SmtpSink::start();
        match reply {
            Some(reply) => sink.refuse("bad@example.com", reply),
            None => sink.misbehave("bad@example.com", Misbehaviour::Silence),
        }
        let senders = Senders::start(&receiver(&sink), Ledger::memory());
        let begun = Instant::now();
        let alert = senders.fire("A");
        sink.wait_for(1, DEADLINE);
        senders.end(&alert);
        let letters = sink.wait_for(2, DEADLINE);
        // A silent server is given a minute; nobody else waits for that.
        assert!(begun.elapsed() < DEADLINE, "{reply:?}");
        let states: Vec<String> = to(&letters, "good@example.com")
            .into_iter()
            .map(state)
            .collect();
        assert_eq!(states, ["firing", "resolved"], "{reply:?}");
        assert_eq!(senders.error("oncall/good@example.com"), None);
        senders.kill().await;
        assert!(
            sink.connections() < 20,
            "{reply:?}: {} connections",
            sink.connections()
        );
    }
}

/// The server has the message, and the connection breaks before it says so: it comes again, as the same mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_after_the_final_dot_repeats_that_mail_under_its_id() {
    let sink = SmtpSink::start();
    sink.misbehave("bad@example.com", Misbehaviour::BreakOnce);
    let senders = Senders::start(&receiver(&sink), Ledger::memory());
    let alert = senders.fire("A");
    sink.wait_for(3, DEADLINE);
    eventually("it is noted", DEADLINE, || {
        let all = senders.tally.all();
        let taken = |name: &str| all.get(name).is_some_and(|status| status.delivered == 1);
        (taken("oncall/bad@example.com") && taken("oncall/good@example.com")).then_some(())
    });
    senders.end(&alert);
    let letters = sink.wait_for(5, DEADLINE);
    senders.stop().await;
    let bad = to(&letters, "bad@example.com");
    let states: Vec<String> = bad.iter().map(|letter| state(letter)).collect();
    assert_eq!(states, ["firing", "firing", "resolved"]);
    assert_eq!(bad[0].header("Message-ID"), bad[1].header("Message-ID"));
    assert_eq!(bad[2].header("In-Reply-To"), bad[0].header("Message-ID"));
    assert_eq!(to(&letters, "good@example.com").len(), 2);
}
