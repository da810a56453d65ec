//! The runbooks as pages: what an alert means, how to look, what to do; and what to do when a backup is needed.
//! Takes their Markdown from `rules` and `backup`; hands on HTML.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, Parser, Tag};

use super::page::head;
use super::{View, overview};
use crate::backup::{GUIDES, Guide};
use crate::rules::{runbook, runbook_names};
use crate::sample::Timestamp;

/// What only a text needs.
const TEXT_STYLE: &str = "main p, main pre, main ul, main ol { margin-block: .6rem } \
    main ul, main ol { padding-left: 1.4rem } main li { margin-block: .25rem } main h1 { margin-bottom: .8rem } \
    main pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; overflow-x: auto }";

/// `/runbooks` lists them, `/runbooks/NAME` shows one.
pub(super) fn routes() -> Router<Arc<View>> {
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
            h2 { "When a backup is needed" }
            ul { @for guide in GUIDES { li { a href={ "/runbooks/" (guide.name) } { (guide.name) } } } }
            h2 { "When an alert fires" }
            ul { @for name in runbook_names() { li { a href={ "/runbooks/" (name) } { (name) } } } }
        },
    ))
}

async fn show(State(view): State<Arc<View>>, Path(alert): Path<String>) -> Response {
    if let Some(guide) = GUIDES.into_iter().find(|guide| guide.name == alert) {
        return show_guide(guide, view).await;
    }
    let Some(text) = runbook(&alert) else {
        let message =
            format!("there is no runbook for `{alert}`; `/runbooks` lists those that there are\n");
        return (StatusCode::NOT_FOUND, message).into_response();
    };
    answer(&page(&alert, &PreEscaped(rendered(text))))
}

/// What is known of backups is read from files, so that it is done aside.
async fn show_guide(guide: Guide, view: Arc<View>) -> Response {
    let fill = move || guide.filled(&overview::account(&view, Timestamp::now()));
    match tokio::task::spawn_blocking(fill).await {
        Ok(text) => answer(&page(guide.name, &PreEscaped(rendered(&text)))),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
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
            (head(title, TEXT_STYLE, &html! { link rel="icon" href="/favicon.ico"; }))
            body {
                main { (content) }
                footer { p { a href="/runbooks" { "All runbooks" } " · " a href="/" { "Status" } } }
            }
        }
    }
}

/// The Markdown as HTML; the name of another alert, and a link to the file of a guide, lead to its page. No page has
/// markup of its own, so what looks like it was filled in, and is shown as it is.
fn rendered(text: &str) -> String {
    let linked = Parser::new(text).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Code(name) if runbook(&name).is_some() => Event::Html(CowStr::from(format!(
            "<a href=\"/runbooks/{name}\"><code>{name}</code></a>"
        ))),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: place(dest_url),
            title,
            id,
        }),
        other => other,
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, linked);
    html
}

/// Where a link leads here.
fn place(link: CowStr<'_>) -> CowStr<'_> {
    match GUIDES.iter().find(|guide| *link == *guide.file) {
        Some(guide) => CowStr::from(format!("/runbooks/{}", guide.name)),
        None => link,
    }
}
