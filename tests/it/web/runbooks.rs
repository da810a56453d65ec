//! The runbooks as pages.

use axum::http::StatusCode;
use pgvigil::rules::runbook_names;
use pgvigil::web::Settings;

use super::{ask, view};

#[tokio::test]
async fn every_runbook_is_a_page_and_leads_to_others() {
    let (view, settings) = (view(&["rachel"]), Settings::default());
    let list = ask(&view, &settings, "/runbooks", &[]).await;
    for name in runbook_names() {
        let link = format!("href=\"/runbooks/{name}\"");
        assert!(list.text().contains(&link), "{name}");
        let page = ask(&view, &settings, &format!("/runbooks/{name}"), &[]).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains(&format!("<h1>{name}</h1>")), "{name}");
        assert!(!page.text().contains("<script"), "{name}");
    }
    let page = ask(&view, &settings, "/runbooks/PostgresqlSessionsBlocked", &[]).await;
    let link = "<a href=\"/runbooks/PostgresqlLockWait\"><code>PostgresqlLockWait</code></a>";
    assert!(page.text().contains(link), "{}", page.text());
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_runbook_that_is_not_there_is_told_so() {
    let (view, settings) = (view(&["rachel"]), Settings::default());
    let lost = ask(&view, &settings, "/runbooks/Nonsense", &[]).await;
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
    assert!(lost.text().contains("`/runbooks` lists"), "{}", lost.text());
}
