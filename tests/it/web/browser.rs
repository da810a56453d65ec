//! The pages in a real browser: at the widths of phones and desktops, light and dark, without JavaScript.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pgvigil::web::{Door, Settings};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::pages::scene;
use crate::harness::{Daemon, HttpSink, Postgres, Scratch, browse, free_port, pgvigil};

const PATIENCE: Duration = Duration::from_secs(120);

/// Rules that fire at once, and one that cannot be evaluated.
const RULES: &str = r#"
groups:
  - name: test
    interval: 1s
    rules:
      - alert: PostgresqlConnectionsHigh
        expr: pg_connections_used / pg_connections_limit > 0.2
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its connections in use"
          description: "New clients are refused once they are all taken, and so is whoever comes to mend it."
          hint: "Look who holds them, end sessions that are idle in a transaction, and put a pooler in front."
          runbook_url: "https://runbooks.example/connections"
      - alert: Broken
        expr: pg_up * on (job) {__name__=~"pg_connections_(used|limit)"}
"#;

/// A server with everything that advice is given on.
const FAULTS: &str = r#"
CREATE TABLE "Odd ""<b>" (id int, a int, b int);
INSERT INTO "Odd ""<b>" SELECT n, n % 2, n FROM generate_series(1, 60000) AS n;
CREATE INDEX "never ""used" ON "Odd ""<b>" (b);
CREATE INDEX twice ON "Odd ""<b>" (a, b);
CREATE INDEX twice_again ON "Odd ""<b>" (a, b);
ALTER TABLE "Odd ""<b>" SET (autovacuum_enabled = off);
"#;

/// What the browser found wrong.
fn look(urls: &[String], shots: &[Value]) {
    let report = browse(
        "web/browser/look.cjs",
        json!({"urls": urls, "shots": shots}),
    );
    assert_eq!(report["looked"], urls.len() * 6, "{report:#}");
    assert_eq!(report["troubles"], json!([]), "{report:#}");
}

/// Pictures of a page, for a person to look at, where `PGVIGIL_PICTURES` names a folder for them.
fn pictures(name: &str, url: &str) -> Vec<Value> {
    let Some(folder) = std::env::var_os("PGVIGIL_PICTURES").map(PathBuf::from) else {
        return Vec::new();
    };
    let each = [
        (320, "light"),
        (390, "dark"),
        (1_280, "light"),
        (1_280, "dark"),
    ];
    let each = each.iter().map(|(width, scheme)| {
        let file = folder.join(format!("{name}-{width}-{scheme}.png"));
        json!({"url": url, "width": width, "height": 900, "scheme": scheme, "file": file, "whole": true})
    });
    each.collect()
}

#[test]
fn a_browser_shows_the_pages_of_a_real_server_at_every_width() {
    let (postgres, hook, scratch, port) = (
        Postgres::start(17),
        HttpSink::start(),
        Scratch::new(),
        free_port(),
    );
    postgres.sql("postgres", FAULTS);
    let rules = scratch.write("rules.yml", RULES);
    let config = format!(
        "listen: 127.0.0.1:{port}\n\
         state_dir: {state}\n\
         servers: [{{name: rachel, url: '{url}', memory: 16GiB}}]\n\
         collect: {{interval: 1s, timeout: 2s, load_budget: off}}\n\
         rules: {{interval: 5s, files: [{rules}]}}\n\
         notify:\n\
         \x20 receivers: [{{name: team, slack: {{webhook_url: '{hook}/services/secret'}}}}]\n",
        state = scratch.path().join("state").display(),
        url = postgres.url("postgres", "postgres"),
        rules = rules.display(),
        hook = hook.url(),
    );
    let config = scratch.write("pgvigil.yml", config);
    let session = || {
        let mut command = postgres.command("psql");
        command.args(["-X", "-c", "SELECT pg_sleep(600)"]);
        Daemon::spawn(command)
    };
    let _sessions: Vec<Daemon> = (0..10).map(|_| session()).collect();
    let mut command = pgvigil();
    command.arg("--config").arg(config);
    let watch = Daemon::spawn(command);

    let base = format!("http://127.0.0.1:{port}");
    let shows = |path: &str, texts: &[&str]| {
        let begun = Instant::now();
        loop {
            let output = Command::new("curl")
                .args(["-s", "-m", "5", &format!("{base}{path}")])
                .output()
                .unwrap();
            let page = String::from_utf8_lossy(&output.stdout).into_owned();
            let Some(missing) = texts.iter().find(|text| !page.contains(**text)) else {
                return page;
            };
            assert!(
                begun.elapsed() < PATIENCE,
                "{path} does not show `{missing}`: {page}\n{}",
                watch.output()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let status = shows(
        "/",
        &[
            "Told: team",
            "of its connections in use",
            "class=\"spark\"",
            "16.0 GiB",
            "Settings <span",
        ],
    );
    let incident = status.split_once("href=\"/incident/").unwrap().1;
    let incident = format!("/incident/{}", incident.split_once('"').unwrap().0);
    shows(
        &incident,
        &[
            "it began to fire",
            "team was told",
            "Acknowledge or silence",
        ],
    );
    shows(
        "/rules",
        &[
            "1 rule cannot be evaluated",
            "PostgresqlConnectionsHigh",
            "firing",
        ],
    );
    shows(
        "/advice",
        &[
            "ALTER SYSTEM SET shared_buffers = '4GB'; -- then restart the server",
            "DROP INDEX CONCURRENTLY public.&quot;never &quot;&quot;used&quot;;",
            "the same as twice",
            "DROP INDEX CONCURRENTLY public.twice_again;",
            "autovacuum is switched off on 1 table",
            "of the way.",
        ],
    );

    let paths = [
        "/",
        "/incidents",
        &incident,
        "/rules",
        "/advice",
        "/graph?g0.expr=pg_up",
    ];
    let urls = paths.map(|path| format!("{base}{path}"));
    let mut shots = Vec::new();
    for (name, url) in [
        "real-status",
        "real-incidents",
        "real-incident",
        "real-rules",
        "real-advice",
    ]
    .iter()
    .zip(&urls)
    {
        shots.extend(pictures(name, url));
    }
    look(&urls, &shots);
    assert!(
        watch.output().contains("pgvigil watches"),
        "{}",
        watch.output()
    );
}

/// With names as bad as they come: the layout must hold, and no name may become markup.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_everything_at_once_and_hostile_names_harmlessly() {
    let view = Arc::new(scene());
    let incident = view.ledger.read(|book| {
        let open = book.firing().filter_map(|alert| alert.incident());
        open.last().unwrap()
    });
    let ended = view.ledger.read(|book| book.ended[0].incident().unwrap());
    let door = Door::open(([127, 0, 0, 1], 0).into(), Settings::default()).unwrap();
    let (base, stop) = (door.url(), CancellationToken::new());
    let serving = tokio::spawn(door.serve(view, stop.clone()));
    let (incident, ended) = (
        format!("/incident/{incident}"),
        format!("/incident/{ended}"),
    );
    let paths = [
        "/",
        "/incidents",
        &incident,
        &ended,
        "/rules",
        "/advice",
        "/graph?g0.expr=pg_up",
    ];
    let urls = paths.map(|path| format!("{}{path}", base.trim_end_matches('/')));
    let mut shots = Vec::new();
    for (name, url) in [
        "all-status",
        "all-incidents",
        "all-incident",
        "all-ended",
        "all-rules",
        "all-advice",
    ]
    .iter()
    .zip(&urls)
    {
        shots.extend(pictures(name, url));
    }
    tokio::task::spawn_blocking(move || look(&urls, &shots))
        .await
        .unwrap();
    stop.cancel();
    serving.await.unwrap().unwrap();
}
