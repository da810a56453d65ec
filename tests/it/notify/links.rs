//! The link by which an incident can be silenced stands in what tells of it, and not in what tells of its end.

use std::sync::Arc;

use pgvigil::incident::Ledger;
use pgvigil::notify::{self, Context, Links, Tally};
use pgvigil::sample::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{DEADLINE, context, settings};
use crate::harness::{HttpSink, Letter, SmtpSink};
use crate::incident::{firing, opened, resolved};

/// Text and HTML of a mail, without what quoted-printable makes of them.
fn parts(letter: &Letter) -> (String, String) {
    let whole = letter.data.replace("=\r\n", "").replace("=3D", "=");
    let (text, html) = whole.split_once("text/html").unwrap();
    (text.to_owned(), html.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_the_link_until_the_end() {
    let (mail, hook) = (SmtpSink::start(), HttpSink::start());
    let receivers = format!(
        "{{name: oncall, email: {{to: [o@example.com], from: p@example.com, smtp: 'smtp://127.0.0.1:{}'}}}}, \
         {{name: team, slack: {{webhook_url: '{}'}}}}",
        mail.port(),
        hook.url()
    );
    let links = Links::in_memory("https://pgvigil.example/pg");
    let context = Context {
        links: Some(links.clone()),
        ..context()
    };
    let (ledger, stop) = (Arc::new(Ledger::memory()), CancellationToken::new());
    let tally = Arc::new(Tally::default());
    let senders = notify::run(
        settings(&receivers),
        ledger.clone(),
        context,
        tally,
        stop.clone(),
    );
    let senders = tokio::spawn(senders);
    let alert = firing("A", Timestamp::now());
    let start = format!(
        "https://pgvigil.example/pg/silence?incident={}&expires=",
        alert.incident().unwrap()
    );
    ledger.record(&[opened(&alert)]);
    let letters = mail.wait_for(1, DEADLINE);
    let (text, html) = parts(&letters[0]);
    let (_, rest) = text.split_once("Silence or acknowledge: ").unwrap();
    assert!(rest.starts_with(&start), "{text}");
    assert!(html.contains(&start.replace('&', "&amp;")), "{html}");
    let said = hook.wait_for(1, DEADLINE)[0].body.clone();
    let slack = start.replace('&', "&amp;");
    assert!(said.contains(&format!("<{slack}")), "{said}");
    assert!(said.contains("|silence or acknowledge>"), "{said}");

    ledger.record(&[resolved(&alert, Timestamp::now())]);
    let letters = mail.wait_for(2, DEADLINE);
    let (text, html) = parts(&letters[1]);
    assert!(
        !text.contains("/silence?") && !html.contains("/silence?"),
        "{text}"
    );
    let requests = hook.wait_for(2, DEADLINE);
    assert!(!requests[1].body.contains("/silence?"));
    stop.cancel();
    senders.await.unwrap();
}
