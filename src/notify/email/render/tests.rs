use super::*;
use crate::notify::trial;
use crate::sample::Timestamp;

fn message(incidents: usize) -> Message {
    let one = |place: usize| Incident {
        id: format!("{place}-1"),
        resolved: false,
        state: "FIRING",
        name: "PostgresqlLockWait".into(),
        place: "rachel".into(),
        severity: "critical".into(),
        summary: "A lock is awaited".into(),
        description: String::new(),
        facts: vec![("What to do".into(), "End the root blocker".into())],
        evidence: vec![trial::evidence(Timestamp(0))],
        told: None,
        silence: String::new(),
        alert: trial::alert(Timestamp(0)),
    };
    Message {
        subject: "[rachel] PostgresqlLockWait".into(),
        thread: String::new(),
        headline: format!("{incidents} firing"),
        standing: String::new(),
        incidents: (0..incidents).map(one).collect(),
        others: Vec::new(),
        page: "https://pgvigil.example".into(),
        at: Timestamp(0),
    }
}

#[test]
fn a_mail_reads_top_down_what_where_why_and_what_to_do() {
    let expected = "FIRING: PostgresqlLockWait on rachel (critical)

A lock is awaited

What to do: End the root blocker
Incident:   0-1

Who blocks whom (rachel, 1970-01-01T00:00:00Z)

  pid     user  for
  4242    app   00:05:10
      UPDATE accounts SET balance = balance - $1 WHERE id = $2
    4243  app   00:04:59
  and 37 more

Status page: https://pgvigil.example
";
    assert_eq!(text(&message(1)), expected);
}

#[test]
fn a_digest_begins_with_its_contents_and_shows_evidence_once() {
    let text = text(&message(60));
    let begin = "60 firing

- FIRING: PostgresqlLockWait on rachel (critical): A lock is awaited
- FIRING";
    assert!(text.starts_with(begin), "{text}");
    assert!(text.contains("\n… and 10 more\n"), "{text}");
    assert_eq!(text.matches("Who blocks whom").count(), 1, "{text}");
    let page = page(&message(60)).into_string();
    assert_eq!(page.matches("Who blocks whom").count(), 1);
    assert!(
        page.contains("<a href=\"https://pgvigil.example\">and 37 more</a>"),
        "{page}"
    );
    assert!(page.len() < 100_000, "{}", page.len());
}

#[test]
fn words_of_a_machine_are_set_apart_and_long_ones_break() {
    let mut message = message(1);
    message.incidents[0].description = "The table `<orders>` waits".into();
    message.incidents[0].facts = vec![("What to do".into(), "Run `VACUUM`".into())];
    let page = page(&message).into_string();
    assert!(
        page.contains("The table <code>&lt;orders&gt;</code> waits"),
        "{page}"
    );
    assert!(
        page.contains("overflow-wrap:anywhere\">Run <code>VACUUM</code></td>"),
        "{page}"
    );
    assert!(text(&message).contains("Run `VACUUM`"));
}
