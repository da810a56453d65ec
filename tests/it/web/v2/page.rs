//! The page to which links in messages lead: it asks before it acts, and does what it says.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use pgvigil::incident::{Ledger, Silence, SilenceState};
use pgvigil::notify::HOLDS;
use pgvigil::rules::Alert;
use pgvigil::sample::Timestamp;
use pgvigil::web::{Settings, View};

use super::{TOKEN, path_of, send, service, told, with_token};
use crate::harness::Scratch;

/// The way to an incident for whoever has the message.
fn link(view: &View, alert: &Alert, sent: Timestamp) -> String {
    let incident = alert.incident().unwrap();
    let url = view.audience.links().unwrap().to(&incident, sent);
    path_of(&url).to_owned()
}

/// The critical alert.
fn alert(view: &View) -> Alert {
    view.ledger.read(|book| {
        let critical = |alert: &&Alert| alert.labels.get("severity") == "critical";
        book.firing().find(critical).cloned().unwrap()
    })
}

fn silences(view: &View) -> Vec<Silence> {
    view.ledger
        .read(|book| book.silences.values().cloned().collect())
}

fn stage() -> (Arc<View>, Router, String) {
    let view = told(Ledger::memory());
    let path = link(&view, &alert(&view), Timestamp::now());
    let router = service(&view, &Settings::default());
    (view, router, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_asks_and_only_its_form_acts() {
    let (view, router, path) = stage();
    for method in ["GET", "HEAD", "GET"] {
        let page = send(&router, method, &path, &[], "").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.headers["referrer-policy"], "same-origin");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert!(
            page.headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("form-action 'self'")
        );
        if method == "GET" {
            for part in [
                "A has something to say",
                "Acknowledge",
                "Silence for 1 hour",
                "Silence until tomorrow",
                "instance=one",
            ] {
                assert!(page.text.contains(part), "{part}: {}", page.text);
            }
            assert!(!page.text.contains("<script"));
        }
    }
    assert!(
        silences(&view).is_empty(),
        "what reads mails changes nothing"
    );

    let form = "action=4h&by=Ann+O%27Hara&comment=disk+%3Cswap%3E";
    let done = send(&router, "POST", &path, &[], form).await;
    assert_eq!(done.status, 200);
    assert!(done.text.contains("Silenced until "), "{}", done.text);
    assert!(done.text.contains("disk &lt;swap&gt;"), "{}", done.text);
    let [silence] = &silences(&view)[..] else {
        panic!()
    };
    let labels: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    assert_eq!(
        labels,
        [
            r#"alertname="A""#,
            r#"instance="one""#,
            r#"severity="critical""#
        ]
    );
    assert_eq!(silence.created_by, "Ann O'Hara");
    assert_eq!(
        silence.ends_at.since(silence.starts_at),
        Duration::from_secs(4 * 3600)
    );
    assert!(silence.mutes(&alert(&view).labels, Timestamp::now()));

    let longer = send(&router, "POST", &path, &[], "action=1w").await;
    assert_eq!(longer.status, 200);
    let [longer] = &silences(&view)[..] else {
        panic!()
    };
    assert_eq!(longer.id, silence.id, "one silence, with another end");
    assert!(longer.ends_at > silence.ends_at);

    let end = format!("action=end&silence={}", silence.id);
    let ended = send(&router, "POST", &path, &[], &end).await;
    assert!(
        ended.text.contains("The silence has ended"),
        "{}",
        ended.text
    );
    assert_eq!(
        silences(&view)[0].state(Timestamp::now()),
        SilenceState::Expired
    );
    let again = send(&router, "POST", &path, &[], &end).await;
    assert_eq!(again.status, 409);
    let strange = send(&router, "POST", &path, &[], "action=format").await;
    assert_eq!(strange.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_has_a_name_and_is_shown() {
    let (view, router, path) = stage();
    let done = send(
        &router,
        "POST",
        &path,
        &[],
        "action=acknowledge&comment=looking",
    )
    .await;
    assert!(
        done.text.contains("Acknowledged by a link in a message"),
        "{}",
        done.text
    );
    assert!(
        !done.text.contains("value=\"acknowledge\""),
        "once is enough"
    );
    let incident = alert(&view).incident().unwrap();
    let word = view
        .ledger
        .read(|book| book.acknowledged[&incident].clone());
    assert_eq!(word.comment, "looking");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_changed_is_old_or_leads_nowhere_says_so() {
    let (view, router, path) = stage();
    let old = link(&view, &alert(&view), Timestamp::now().before(HOLDS));
    let mut gone = alert(&view);
    gone.fired_at = Some(Timestamp(1));
    let gone = link(&view, &gone, Timestamp::now());
    let (signed, _) = path.split_once("&signature=").unwrap();
    let mut other = path.clone().into_bytes();
    let last = other.len() - 10;
    other[last] = if other[last] == b'A' { b'B' } else { b'A' };
    let later = path.replace("expires=1", "expires=2");
    let cases = [
        (old, 410, "This link has expired"),
        (gone, 404, "This incident is not known any more"),
        (
            format!("{signed}&signature=AAAA"),
            403,
            "This link does not hold",
        ),
        (
            String::from_utf8(other).unwrap(),
            403,
            "This link does not hold",
        ),
        (later, 403, "This link does not hold"),
        (
            signed.to_owned(),
            403,
            "Nobody may silence or acknowledge over HTTP",
        ),
        (
            "/silence".into(),
            403,
            "Nobody may silence or acknowledge over HTTP",
        ),
    ];
    for (path, status, said) in cases {
        for method in ["GET", "POST"] {
            let answer = send(&router, method, &path, &[], "action=1h").await;
            assert_eq!(answer.status, status, "{method} {path}");
            assert!(answer.text.contains(said), "{said}: {}", answer.text);
        }
    }
    assert!(silences(&view).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_no_silence_that_it_could_not_have_made() {
    let (view, router, path) = stage();
    let wide = Silence {
        id: "2b1f7a4e-3f1e-4a3b-9f3d-1a2b3c4d5e6f".into(),
        matchers: vec![pgvigil::incident::Matcher::equal("alertname", "A")],
        starts_at: Timestamp(0),
        ends_at: Timestamp::now() + Duration::from_secs(600),
        created_by: "ops".into(),
        comment: "upgrade".into(),
        updated_at: Timestamp(0),
    };
    view.ledger
        .record(&[pgvigil::incident::Event::Silenced(wide.clone())]);
    let page = send(&router, "GET", &path, &[], "").await;
    assert!(
        page.text.contains("by ops: upgrade") && !page.text.contains("End this silence"),
        "{}",
        page.text
    );
    let form = format!("action=end&silence={}", wide.id);
    assert_eq!(send(&router, "POST", &path, &[], &form).await.status, 409);
    // Who is known may.
    let known = service(&view, &with_token());
    let bearer = format!("Bearer {TOKEN}");
    let incident = alert(&view).incident().unwrap();
    let path = format!("/silence?incident={incident}");
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(send(&known, "GET", &path, &[], "").await.status, 401);
    assert_eq!(
        send(&known, "POST", &path, &headers, &form).await.status,
        200
    );
    assert_eq!(
        silences(&view)[0].state(Timestamp::now()),
        SilenceState::Expired
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_its_page_and_nothing_else_where_passwords_are_wanted() {
    let view = told(Ledger::memory());
    let settings = Settings {
        users: vec![("ops".into(), bcrypt::hash("hunter2", 4).unwrap())],
        ..Settings::default()
    };
    let router = service(&view, &settings);
    let path = link(&view, &alert(&view), Timestamp::now());
    assert_eq!(send(&router, "GET", &path, &[], "").await.status, 200);
    let query = path.split_once('?').unwrap().1;
    for other in ["/", "/metrics", "/api/v2/alerts", "/silence/x"] {
        let path = format!("{other}?{query}");
        assert_eq!(
            send(&router, "GET", &path, &[], "").await.status,
            401,
            "{other}"
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_said_on_the_page() {
    let scratch = Scratch::new();
    std::os::unix::fs::symlink("/dev/full", scratch.join("incidents.log.new")).unwrap();
    let view = told(Ledger::open(scratch.path()).unwrap().0);
    let path = link(&view, &alert(&view), Timestamp::now());
    let router = service(&view, &Settings::default());
    let done = send(&router, "POST", &path, &[], "action=1h").await;
    assert_eq!(done.status, 200);
    assert!(
        done.text.contains("the incident log cannot be written"),
        "{}",
        done.text
    );
}
