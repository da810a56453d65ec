//! Every channel over HTTP against every way in which a server can behave badly (alerting.md, section 2): what passes
//! is tried again, what does not is not, and nobody's secret is told.

use std::time::Duration;

use pgvigil::incident::Ledger;

use super::{DEADLINE, Senders};
use crate::harness::{Answer, HttpSink, eventually};

/// What becomes of a message whose first answer is bad and whose second is good.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It is sent again.
    Retried,
    /// It is given up.
    Refused,
    /// It counts as taken.
    Taken,
    /// It is written in another way and sent again at once.
    Rewritten,
}

use Fate::{Refused, Retried, Rewritten, Taken};

struct Channel {
    name: &'static str,
    taken: Answer,
    /// The settings, for an address and a secret.
    settings: fn(&str, &str) -> String,
}

fn channels() -> [Channel; 4] {
    let posted = r#"{"ok":true,"channel":"C1","ts":"1.2"}"#;
    let new = |name, taken, settings| Channel {
        name,
        taken,
        settings,
    };
    [
        new("webhook", Answer::new(204, &[], ""), |url, secret| {
            let headers = format!("{{Authorization: 'Bearer {secret}'}}");
            format!(
                "webhook: {{url: '{url}/{secret}?key={secret}', secret: '{secret}', headers: {headers}}}"
            )
        }),
        new("slack", Answer::default(), |url, secret| {
            format!("slack: {{webhook_url: '{url}/services/T0/B0/{secret}'}}")
        }),
        new("bot", Answer::new(200, &[], posted), |url, secret| {
            format!("slack: {{bot_token: 'xoxb-{secret}', channel: C1, api_url: '{url}/api'}}")
        }),
        new("pagerduty", Answer::new(202, &[], "{}"), |url, secret| {
            format!("pagerduty: {{routing_key: '{secret:x<32.32}', url: '{url}/v2/enqueue'}}")
        }),
    ]
}

fn secret(case: &str) -> String {
    format!("hunter2-{case}-hunter2-hunter2-hunter2")
}

/// What the server says first, and what becomes of the message on most channels.
fn cases() -> Vec<(&'static str, Answer, Fate)> {
    let said = |status, case: &str| Answer::new(status, &[], &format!("no: {}", secret(case)));
    let bare = |text: &str| Answer::bare(text);
    vec![
        (
            "limit",
            Answer::new(429, &[("Retry-After", "1")], ""),
            Retried,
        ),
        ("limit-plain", said(429, "limit-plain"), Retried),
        ("408", said(408, "408"), Retried),
        ("500", said(500, "500"), Retried),
        ("503", said(503, "503"), Retried),
        (
            "huge",
            Answer::new(503, &[], &secret("huge").repeat(60_000)),
            Retried,
        ),
        ("cut", bare(""), Retried),
        ("half-head", bare("HTTP/1.1 20"), Retried),
        (
            "half-body",
            bare("HTTP/1.1 503 No\r\nContent-Length: 99\r\n\r\nhalf"),
            Retried,
        ),
        ("not-http", bare("220 mail.example ESMTP\r\n"), Retried),
        ("hang", Answer::default().after(3 * DEADLINE), Retried),
        (
            "redirect",
            Answer::new(302, &[("Location", "http://127.0.0.1:1/x")], ""),
            Refused,
        ),
        ("400", said(400, "400"), Refused),
        ("401", said(401, "401"), Refused),
        ("403", said(403, "403"), Refused),
        ("404", said(404, "404"), Refused),
        ("410", said(410, "410"), Refused),
        ("413", said(413, "413"), Refused),
        (
            "half-taken",
            bare("HTTP/1.1 202 Yes\r\nContent-Length: 99\r\n\r\n{\"ok"),
            Taken,
        ),
    ]
}

/// Slack's Web API says what is wrong with 200.
fn bot_cases() -> Vec<(&'static str, Answer, Fate)> {
    let said = |error: &str| Answer::new(200, &[], &format!(r#"{{"ok":false,"error":"{error}"}}"#));
    let wait = [("Retry-After", "1")];
    let limit = Answer::new(200, &wait, r#"{"ok":false,"error":"ratelimited"}"#);
    vec![
        ("ratelimited", limit, Retried),
        ("internal_error", said("internal_error"), Retried),
        (
            "html",
            Answer::new(200, &[], "<html>log in</html>"),
            Retried,
        ),
        ("invalid_blocks", said("invalid_blocks"), Rewritten),
        ("invalid_auth", said("invalid_auth"), Refused),
        ("channel_not_found", said("channel_not_found"), Refused),
        ("not_in_channel", said("not_in_channel"), Refused),
        ("is_archived", said("is_archived"), Refused),
        ("new_word", said("new_word"), Refused),
    ]
}

/// One receiver and its server.
struct Trial {
    name: String,
    case: &'static str,
    sink: HttpSink,
    fate: Fate,
    receiver: String,
}

impl Trial {
    fn new(channel: &Channel, case: &'static str, answer: Answer, usual: Fate) -> Trial {
        let sink = HttpSink::start();
        let fate = match (channel.name, case) {
            // Without the answer it cannot know where the message stands.
            ("bot", "half-taken") => Retried,
            _ => usual,
        };
        match fate {
            Refused => sink.usually(answer),
            _ => {
                sink.script([answer]);
                sink.usually(channel.taken.clone());
            }
        }
        let name = format!("{}-{case}", channel.name);
        let settings = (channel.settings)(&sink.url(), &secret(case));
        Trial {
            receiver: format!("{{name: {name}, {settings}}}"),
            name,
            case,
            sink,
            fate,
        }
    }

    fn expected_requests(&self) -> usize {
        match self.fate {
            Retried | Rewritten => 2,
            // What Slack finds malformed is offered as plain text once.
            Refused if self.name == "slack-400" => 2,
            Refused | Taken => 1,
        }
    }

    fn check(&self, senders: &Senders, error: &str) {
        let name = &self.name;
        assert_eq!(!error.is_empty(), self.fate == Refused, "{name}: {error}");
        let status = senders.tally.all()[name].clone();
        let counted = (status.delivered, status.retried, status.failed);
        let expected = match self.fate {
            Retried => (1, 1, 0),
            Refused => (0, 0, 1),
            Taken | Rewritten => (1, 0, 0),
        };
        assert_eq!(counted, expected, "{name}: {status:?}");
        let requests = self.sink.requests();
        assert_eq!(requests.len(), self.expected_requests(), "{name}");
        if self.fate == Retried && self.case != "hang" {
            let same = |name| requests[0].header(name) == requests[1].header(name);
            assert!(
                same("idempotency-key") && same("x-pgvigil-signature"),
                "{name}"
            );
            assert_eq!(requests[0].body, requests[1].body, "{name}");
        }
        if self.case.starts_with("limit") && self.case != "limit-plain"
            || self.case == "ratelimited"
        {
            let waited = requests[1].at - requests[0].at;
            assert!(waited >= Duration::from_millis(950), "{name}: {waited:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again_and_what_does_not_is_given_up() {
    let mut trials = Vec::new();
    for channel in channels() {
        let own = if channel.name == "bot" {
            bot_cases()
        } else {
            Vec::new()
        };
        let cases = cases().into_iter().chain(own);
        trials.extend(cases.map(|(case, answer, fate)| Trial::new(&channel, case, answer, fate)));
    }
    let receivers: Vec<&str> = trials.iter().map(|trial| trial.receiver.as_str()).collect();
    let senders = Senders::start(&receivers.join(", "), Ledger::memory());
    let incident = senders.fire("A").incident().unwrap();
    for trial in &trials {
        let told = eventually(&trial.name, DEADLINE, || {
            senders
                .ledger
                .read(|book| book.told(&incident, &trial.name).cloned())
        });
        trial.check(&senders, &told.error);
    }
    let said =
        senders.ledger.read(|book| format!("{book:?}")) + &format!("{:?}", senders.tally.all());
    assert!(!said.contains("hunter2"), "{said}");
    senders.stop().await;
    for trial in &trials {
        let count = trial.sink.requests().len();
        assert_eq!(count, trial.expected_requests(), "{} goes on", trial.name);
    }
}

/// A server that answers 200 to everything is not PagerDuty: nobody was told.
#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_takes_an_event_with_202_alone() {
    let channel = channels()
        .into_iter()
        .find(|channel| channel.name == "pagerduty");
    let trial = Trial::new(&channel.unwrap(), "200", Answer::default(), Retried);
    let senders = Senders::start(&trial.receiver, Ledger::memory());
    let incident = senders.fire("A").incident().unwrap();
    eventually("it is told", DEADLINE, || {
        senders
            .ledger
            .read(|book| book.told(&incident, &trial.name).cloned())
    });
    trial.check(&senders, "");
    senders.stop().await;
}
