//! The runbooks as pages.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use pgvigil::backup::{Archive, Records, Reports, survey};
use pgvigil::config::{Flags, load};
use pgvigil::rules::runbook_names;
use pgvigil::web::Settings;

use super::{ask, view};
use crate::harness::{Scratch, pgvigil};

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

/// What an earlier drill has measured stands in the page, and names of others are no markup there.
#[tokio::test]
async fn the_runbook_for_disasters_has_the_times_of_the_last_drill() {
    let scratch = Scratch::new();
    let dump = scratch.write("backups/rachel_20261101T020000Z.dump", "PGDMP");
    // One that may still be written to does not count.
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    File::options()
        .write(true)
        .open(dump)
        .and_then(|file| file.set_modified(yesterday))
        .unwrap();
    let text = format!(
        "servers: [{{name: r, url: 'postgresql://r@127.0.0.1:1/r'}}]\nbackups: [{{name: nightly, files: {}/backups}}]",
        scratch.path().display()
    );
    let config = scratch.write("pgvigil.yml", text);
    let flags = Flags {
        config: Some(config.clone()),
        state_dir: Some(scratch.path().display().to_string()),
        ..Flags::default()
    };
    let nightly = load(&flags).unwrap().backups.remove(0);
    let records = Arc::new(Records::default());
    records.put(survey(&nightly, scratch.path(), false));
    let drill = r#"{"source": "nightly", "backup": "<b>old</b>.dump", "kind": "dump", "started": 1795438800000,
        "finished": 1795438814000, "recovery_point": null, "target": null, "phases": {"fetch": 1.5, "restore": 8.2},
        "outcome": {"how": "restored"}, "restored_bytes": 213000000, "data_age": null, "checks": [], "major": 15}"#;
    scratch.write("drills/nightly-1.json", drill);
    let mut view = view(&["rachel"]);
    Arc::get_mut(&mut view).unwrap().backups =
        Archive::new(records, Reports::new(scratch.path()), scratch.path());
    let page = ask(
        &view,
        &Settings::default(),
        "/runbooks/DisasterRecovery",
        &[],
    )
    .await;
    let text = page.text();
    assert!(
        text.contains("<code>rachel_20261101T020000Z.dump</code>"),
        "{text}"
    );
    assert!(
        text.contains("Restoring took <strong>9.7 s</strong>"),
        "{text}"
    );
    assert!(
        text.contains("<code>&lt;b&gt;old&lt;/b&gt;.dump</code>"),
        "{text}"
    );
    assert!(text.contains("<a href=\"/runbooks/Restoring\">"), "{text}");
    assert!(
        !text.contains("<script") && !text.contains("Nothing was"),
        "{text}"
    );
    let list = ask(&view, &Settings::default(), "/runbooks", &[]).await;
    for name in ["DisasterRecovery", "Restoring", "PointInTimeRecovery"] {
        assert!(list.text().contains(&format!("href=\"/runbooks/{name}\"")));
        let page = ask(
            &view,
            &Settings::default(),
            &format!("/runbooks/{name}"),
            &[],
        )
        .await;
        assert_eq!(page.status, StatusCode::OK);
    }

    // The same by hand, for a day on which no pgvigil runs.
    let mut command = pgvigil();
    command.args(["backup", "runbook", "--config"]).arg(config);
    let output = command
        .arg("--state-dir")
        .arg(scratch.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.starts_with("# Disaster recovery\n"), "{said}");
    assert!(said.contains("Restoring took **9.7 s**"), "{said}");
}
