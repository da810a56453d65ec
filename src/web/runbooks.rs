//! The runbooks as pages: what an alert means, how to look, what to do.
//! Takes their Markdown from `rules`; hands on HTML.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, Parser};

use crate::rules::{runbook, runbook_names};

/// What only a text needs.
const TEXT_STYLE: &str = "main p, main pre, main ul, main ol { margin-block: .6rem } \
    main ul, main ol { padding-left: 1.4rem } main li { margin-block: .25rem } main h1 { margin-bottom: .8rem } \
    main pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; overflow-x: auto }";

/// `/runbooks` lists them, `/runbooks/NAME` shows one.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/runbooks", get(list))
        .route("/runbooks/", get(list))
        .route("/runbooks/{alert}", get(show))
}

async fn list() -> Response {
    answer(&page(
        "Runbooks",
        &html! {
            h1 { "Runbooks" }
            ul { @for name in runbook_names() { li { a href={ "/runbooks/" (name) } { (name) } } } }
        },
    ))
}

async fn show(Path(alert): Path<String>) -> Response {
    let Some(text) = runbook(&alert) else {
        let message =
            format!("there is no runbook for `{alert}`; `/runbooks` lists those that there are\n");
        return (StatusCode::NOT_FOUND, message).into_response();
    };
    answer(&page(&alert, &PreEscaped(rendered(text))))
}

fn answer(page: &Markup) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, super::pages::POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, page.0.clone()).into_response()
}

fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="/favicon.ico";
                title { (title) " · pgvigil" }
                style { (PreEscaped(super::page::STYLE)) (PreEscaped(TEXT_STYLE)) }
            }
            body {
                main { (content) }
                footer { p { a href="/runbooks" { "All runbooks" } " · " a href="/" { "Status" } } }
            }
        }
    }
}

/// The Markdown as HTML; the name of another alert is a link to its page.
fn rendered(text: &str) -> String {
    let linked = Parser::new(text).map(|event| match event {
        Event::Code(name) if runbook(&name).is_some() => Event::Html(CowStr::from(format!(
            "<a href=\"/runbooks/{name}\"><code>{name}</code></a>"
        ))),
        other => other,
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, linked);
    html
}
