//! Who may silence and acknowledge over HTTP, and who is turned away.

use pgvigil::incident::Ledger;
use pgvigil::web::Settings;

use super::{TOKEN, send, service, told, with_token};
use crate::harness::Scratch;

const SILENCE: &str = r#"{"matchers":[{"name":"alertname","value":"A","isRegex":false}],"startsAt":"2020-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","createdBy":"me","comment":"c"}"#;

const JSON: (&str, &str) = ("content-type", "application/json");

/// `ops:hunter2`, whose hash is the cheapest there is.
fn with_users() -> Settings {
    let hash = bcrypt::hash("hunter2", 4).unwrap();
    Settings {
        users: vec![("ops".into(), hash)],
        ..Settings::default()
    }
}

fn basic(name: &str, password: &str) -> String {
    use base64::Engine;
    let pair = format!("{name}:{password}");
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
}

/// The status of a posted silence, and whether there is one.
async fn posted(settings: &Settings, headers: &[(&str, &str)]) -> (u16, bool) {
    let view = told(Ledger::memory());
    let headers = [&[JSON], headers].concat();
    let answer = send(
        &service(&view, settings),
        "POST",
        "/api/v2/silences",
        &headers,
        SILENCE,
    )
    .await;
    let silenced = view.ledger.read(|book| !book.silences.is_empty());
    (answer.status.as_u16(), silenced)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_known_may_silence() {
    let (token, users) = (with_token(), with_users());
    let both = Settings {
        token: token.token.clone(),
        ..with_users()
    };
    let bearer = format!("Bearer {TOKEN}");
    let (ops, wrong) = (basic("ops", "hunter2"), basic("ops", "hunter3"));
    let with_password = basic("ann", TOKEN);
    let open = Settings::default();
    let cases: [(&str, &Settings, &str, (u16, bool)); 12] = [
        ("nobody is configured", &open, "", (403, false)),
        ("whoever says what", &open, &bearer, (403, false)),
        ("nobody", &token, "", (401, false)),
        ("a wrong token", &token, "Bearer x", (401, false)),
        ("an empty one", &token, "Bearer ", (401, false)),
        ("the token", &token, &bearer, (200, true)),
        (
            "the token as a password",
            &token,
            &with_password,
            (200, true),
        ),
        ("a user where there are none", &token, &ops, (401, false)),
        ("a user", &users, &ops, (200, true)),
        ("a wrong password", &users, &wrong, (401, false)),
        ("the token beside users", &both, &bearer, (200, true)),
        ("a token where there is none", &users, &bearer, (401, false)),
    ];
    for (what, settings, shown, expected) in cases {
        let headers: &[(&str, &str)] = match shown {
            "" => &[],
            shown => &[("authorization", shown)],
        };
        assert_eq!(posted(settings, headers).await, expected, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_cannot_use_a_browsers_password() {
    let users = with_users();
    let ops = basic("ops", "hunter2");
    let shown = ("authorization", ops.as_str());
    let host = ("host", "here:1");
    let cases = [
        (vec![shown, host, ("origin", "http://evil.example")], 403),
        (vec![shown, host, ("origin", "null")], 403),
        (vec![shown, host, ("sec-fetch-site", "cross-site")], 403),
        (
            vec![
                shown,
                host,
                ("sec-fetch-site", "same-origin"),
                ("origin", "null"),
            ],
            200,
        ),
        (vec![shown, host, ("origin", "http://here:1")], 200),
        (vec![shown, host, ("origin", "http://pgvigil.example")], 200),
        (vec![shown, host], 200),
    ];
    for (headers, status) in cases {
        assert_eq!(
            posted(&users, &headers).await,
            (status, status == 200),
            "{headers:?}"
        );
    }
    // What a browser does not send by itself is no other page's doing.
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(posted(&with_token(), &headers).await, (200, true));
    // A form cannot say that it is JSON.
    let view = told(Ledger::memory());
    let form = [shown, ("content-type", "text/plain")];
    let answer = send(
        &service(&view, &users),
        "POST",
        "/api/v2/silences",
        &form,
        SILENCE,
    )
    .await;
    assert_eq!(answer.status, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_open_but_behind_a_password() {
    let view = told(Ledger::memory());
    for (settings, status) in [
        (Settings::default(), 200),
        (with_token(), 200),
        (with_users(), 401),
    ] {
        let answer = send(&service(&view, &settings), "GET", "/api/v2/alerts", &[], "").await;
        assert_eq!(answer.status, status);
    }
    let refused = send(
        &service(&view, &Settings::default()),
        "DELETE",
        "/api/v2/silence/x",
        &[],
        "",
    )
    .await;
    assert!(
        refused.text.contains("web.token_file"),
        "the way out: {}",
        refused.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_file_is_read_again() {
    let scratch = Scratch::new();
    let file = scratch.write("token", "one\n");
    let settings = Settings {
        token: Some(pgvigil::document::Secret::File(file)),
        ..Settings::default()
    };
    let bearer = |token: &str| format!("Bearer {token}");
    assert_eq!(
        posted(&settings, &[("authorization", &bearer("one"))])
            .await
            .0,
        200
    );
    scratch.write("token", "two\n");
    assert_eq!(
        posted(&settings, &[("authorization", &bearer("one"))])
            .await
            .0,
        401
    );
    assert_eq!(
        posted(&settings, &[("authorization", &bearer("two"))])
            .await
            .0,
        200
    );
    scratch.write("token", "\n");
    assert_eq!(
        posted(&settings, &[("authorization", &bearer(""))]).await.0,
        401
    );
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_silence_that_cannot_be_written_holds_and_says_so() {
    let scratch = Scratch::new();
    std::os::unix::fs::symlink("/dev/full", scratch.join("incidents.log.new")).unwrap();
    let view = told(Ledger::open(scratch.path()).unwrap().0);
    let bearer = format!("Bearer {TOKEN}");
    let headers = [JSON, ("authorization", bearer.as_str())];
    let router = service(&view, &with_token());
    let answer = send(&router, "POST", "/api/v2/silences", &headers, SILENCE).await;
    assert_eq!(answer.status, 200);
    let warning = answer.headers["x-pgvigil-warning"].to_str().unwrap();
    assert!(
        warning.contains("the incident log cannot be written"),
        "{warning}"
    );
    assert_eq!(view.ledger.read(|book| book.silences.len()), 1);
}
