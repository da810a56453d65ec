//! The pages for people, without a socket: what stands in the store and in the book is what they say.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use pgvigil::backup::{
    self, Archive, Backup, Facts, Kind, Log, LogError, Proof, Record, Records, Reports, Sighting,
    Space, State,
};
use pgvigil::document::{Reader, parse};
use pgvigil::incident::{Acknowledgement, Delivery, Event, Evidence, Ledger, Matcher, Silence};
use pgvigil::rules::{self, Alert, Due, RuleStatus};
use pgvigil::sample::{Labels, NAME, Source, Sources, Timestamp};
use pgvigil::scrape::Board;
use pgvigil::store::{self, Store};
use pgvigil::web::api::Watched;
use pgvigil::web::{Settings, View, overview, page};

use super::{Answer, api, ask, view};
use crate::incident::{firing, opened, resolved};

/// As bad as a name comes: longer than a phone is wide, markup, quotes, and text that runs backwards.
const HOSTILE: &str = "orders_\"x\"_</style><script src=//evil.example></script>_\u{202e}_averyveryveryverylongname_without_a_blank";

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// A view with nothing in it, whose history may be a day long.
fn blank(now: Timestamp) -> View {
    let settings = store::Settings {
        retention: minutes(1_440),
        max_bytes: 64 << 20,
    };
    let store = Arc::new(Store::new(&settings, now.before(minutes(240))));
    View {
        board: Arc::new(Board::new(store.clone(), true)),
        ledger: Arc::new(Ledger::memory()),
        store,
        ..Arc::into_inner(view(&["rachel"])).unwrap()
    }
}

/// A sample of the server `rachel` as it is now.
fn put(view: &View, name: &str, labels: &[(&str, &str)], value: f64) {
    put_at(view, Timestamp::now(), name, labels, value);
}

fn put_at(view: &View, at: Timestamp, name: &str, labels: &[(&str, &str)], value: f64) {
    let sources = Sources::one(Source::new("rachel", "", "test"));
    let common = [(NAME, name), ("job", "pgvigil")];
    let place = [("instance", "rachel"), ("server", "rachel")];
    let all = common.into_iter().chain(labels.iter().copied());
    let own = labels.iter().any(|(name, _)| *name == "instance");
    let all = all.chain(place.into_iter().skip(if own { 2 } else { 0 }));
    view.store.append(at, &sources, [(Labels::new(all), value)]);
}

/// Everything that the pages can show, at once.
pub(super) fn scene() -> View {
    let now = Timestamp::now();
    let mut view = blank(now);
    numbers(&view, now);
    incidents(&view.ledger, now);
    view.servers = vec!["rachel".into(), HOSTILE.into()];
    view.backups = Archive::new(
        Arc::new(backups(now)),
        Reports::new(Path::new("/nonexistent")),
        Path::new("/nonexistent"),
    );
    let watched = |pool, name: &str| Watched {
        pool,
        name: name.into(),
        url: String::new(),
        source: Source::new(name, "", "liveness"),
        timeout: None,
    };
    view.api.watched = vec![watched("pgbouncer", "pool"), watched("patroni", "node1")];
    let embedded = rules::Settings {
        interval: minutes(1),
        files: Vec::new(),
        disable: Vec::new(),
        overrides: Vec::new(),
    };
    view.api.groups = rules::load(&embedded).unwrap().groups;
    let status = |place: usize| RuleStatus {
        begun: now,
        took: Duration::from_micros(900),
        error: (place == 1).then(|| format!("many-to-many matching: {HOSTILE}").into()),
    };
    for group in &view.api.groups {
        let statuses = (0..group.rules.len()).map(status).collect();
        let due = Due {
            slot: now,
            missed: 1,
        };
        view.api
            .statuses
            .evaluated(group, due, Duration::from_millis(3), statuses);
    }
    view
}

/// A source of backups whose newest has a bad name, and whose log tells of an error.
fn backups(now: Timestamp) -> Records {
    let text = "backups: [{name: nightly, server: rachel, files: /backups, log: /log, keep: 30d}]";
    let reader = Reader::new(None);
    let settings = reader.read(&parse("test", text).unwrap(), backup::Settings::read);
    let dump = |name: &str, hours: u64| Backup {
        state: State::Done,
        bytes: 1_546_188_226,
        proof: Proof::Summed,
        ..Backup::listed(name, Kind::Dump, now.before(minutes(60 * hours)))
    };
    let mut damaged = dump(HOSTILE, 3);
    (damaged.state, damaged.problem) = (
        State::Damaged,
        Some(format!("is cut short in table {HOSTILE}")),
    );
    let error = LogError {
        at: now.before(minutes(180)),
        text: format!("pg_dump: error: {HOSTILE}"),
    };
    let facts = Facts {
        looked: Some(now),
        sighting: Some(Sighting {
            backups: vec![
                damaged,
                dump("rachel_2026-11-28.dump", 27),
                dump("rachel_2026-11-27.dump", 51),
            ],
            space: Some(Space { free: 80 << 30 }),
            ..Sighting::default()
        }),
        log: Some(Log {
            read: Some(now),
            errors: vec![error],
            ..Log::default()
        }),
        ..Facts::default()
    };
    let records = Records::default();
    for settings in settings {
        let facts = facts.clone();
        records.put(Record { settings, facts });
    }
    records
}

fn numbers(view: &View, now: Timestamp) {
    for minute in (0..180).rev() {
        let at = now.before(minutes(minute));
        let wave = (minute as f64 / 20.0).sin();
        let counted = (180 - minute) as f64;
        put_at(view, at, "pg_up", &[], 1.0);
        put_at(
            view,
            at,
            "pg_connections_used",
            &[],
            (60.0 + 30.0 * wave).round(),
        );
        put_at(view, at, "pg_connections_limit", &[], 97.0);
        put_at(
            view,
            at,
            "pg_connections_active",
            &[],
            (8.0 + 7.0 * wave).round(),
        );
        let shop = [("datname", "shop")];
        put_at(
            view,
            at,
            "pg_stat_database_xact_commit",
            &shop,
            counted * 60.0 * (40.0 + wave),
        );
        put_at(view, at, "pg_stat_database_xact_rollback", &shop, counted);
        put_at(
            view,
            at,
            "pg_stat_database_blks_hit",
            &shop,
            counted * 9_900.0,
        );
        put_at(
            view,
            at,
            "pg_stat_database_blks_read",
            &shop,
            counted * 70.0,
        );
        put_at(
            view,
            at,
            "pg_database_size_bytes",
            &shop,
            4e9 + counted * 1e6,
        );
    }
    put(view, "pg_static", &[("short_version", "17.11.0")], 1.0);
    put(view, "pg_replication_is_replica", &[], 0.0);
    put(view, "pg_database_xid_age", &[("datname", HOSTILE)], 1.9e9);
    put(
        view,
        "pgvigil_store_snapshot_damaged",
        &[("file", HOSTILE)],
        1.0,
    );
    let pool = ("instance", "pool");
    put(view, "pgbouncer_up", &[pool], 1.0);
    put(
        view,
        "pgbouncer_version_info",
        &[pool, ("version", "PgBouncer 1.18.0")],
        1.0,
    );
    put(view, "pgbouncer_used_clients", &[pool], 41.0);
    put(
        view,
        "pgbouncer_config_max_client_connections",
        &[pool],
        100.0,
    );
    let node = ("instance", "node1");
    put(view, "patroni_up", &[node], 1.0);
    put(view, "patroni_version", &[node], 30_002.0);
    put(view, "patroni_primary", &[node], 1.0);
    put(view, "patroni_postgres_running", &[node], 1.0);
    put(view, "patroni_is_paused", &[node], 1.0);
    advised(view, HOSTILE);
}

/// All that advice is given on.
fn advised(view: &View, name: &str) {
    let index = [
        ("datname", "shop"),
        ("schemaname", "public"),
        ("relname", name),
        ("indexrelname", name),
    ];
    let with = |label, value| {
        let mut labels = index.to_vec();
        labels.push((label, value));
        labels
    };
    put(view, "pg_unused_index_size_bytes", &index, 3e9);
    put(view, "pg_index_duplicate", &with("instead", "kept"), 1.0);
    put(view, "pg_index_redundant", &with("instead", "longer"), 1.0);
    put(view, "pg_index_invalid", &index, 1.0);
    put(
        view,
        "pg_autovacuum_due_ratio",
        &[("reason", "dead rows"), index[0], index[1], index[2]],
        7.5,
    );
    put(view, "pg_settings_fsync", &[], 0.0);
    put(view, "pg_settings_shared_buffers_bytes", &[], 134_217_728.0);
    put(view, "pgvigil_server_memory_bytes", &[], 17_179_869_184.0);
}

fn alert(name: &str, severity: &str, at: Timestamp) -> Alert {
    let alert = firing(name, at);
    let hint = ("hint".to_owned(), format!("Look who holds it.\n{HOSTILE}"));
    Alert {
        labels: alert
            .labels
            .with("severity", severity)
            .with("relname", HOSTILE),
        annotations: alert.annotations.into_iter().chain([hint]).collect(),
        ..alert
    }
}

fn incidents(ledger: &Ledger, now: Timestamp) {
    let open = alert(
        "PostgresqlConnectionsHigh",
        "critical",
        now.before(minutes(12)),
    );
    let noisy = alert("PostgresqlBloat", "warning", now.before(minutes(300)));
    let past = alert("PostgresqlLagHigh", "warning", now.before(minutes(90)));
    let signal = alert("Watchdog", "none", now.before(minutes(400)));
    let (id, past_id) = (open.incident().unwrap(), past.incident().unwrap());
    let told = |incident: &str, at, resolved, error: &str| Delivery {
        receiver: "oncall/ops@example.com".into(),
        at,
        incidents: vec![(incident.to_owned(), resolved)],
        thread: String::new(),
        subject: format!("[rachel] {HOSTILE}"),
        error: error.to_owned(),
    };
    ledger.record(&[
        opened(&signal),
        opened(&noisy),
        opened(&past),
        Event::Delivered(told(&past_id, now.before(minutes(89)), false, "")),
        Event::Evidence {
            incident: past_id.clone(),
            found: vec![evidence(now.before(minutes(90)))],
        },
        resolved(&past, now.before(minutes(30))),
        Event::Failed(told(
            &past_id,
            now.before(minutes(29)),
            true,
            "552 the mailbox is full",
        )),
        opened(&open),
        Event::Evidence {
            incident: id.clone(),
            found: vec![evidence(now.before(minutes(12)))],
        },
        Event::Delivered(told(&id, now.before(minutes(11)), false, "")),
        Event::Acknowledged(Acknowledgement {
            incident: id,
            at: now.before(minutes(9)),
            by: "monica".into(),
            comment: format!("on it {HOSTILE}"),
        }),
        Event::Silenced(Silence {
            id: "7c1f".into(),
            matchers: vec![Matcher::equal("alertname", "PostgresqlBloat")],
            starts_at: now.before(minutes(60)),
            ends_at: now + minutes(60),
            created_by: "ross".into(),
            comment: "the migration runs until six".into(),
            updated_at: now.before(minutes(60)),
        }),
    ]);
}

fn evidence(at: Timestamp) -> Evidence {
    let columns = [
        "application_name",
        "state",
        "sessions",
        "oldest_seconds",
        "query",
    ];
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    Evidence {
        query: "connections".into(),
        title: "Connections by application".into(),
        server: "rachel".into(),
        at,
        columns: columns.map(str::to_owned).to_vec(),
        rows: vec![
            row([
                "shop-web",
                "idle in transaction",
                "71",
                "1804.2",
                "SELECT * FROM orders WHERE id = $1 FOR UPDATE",
            ]),
            row([
                HOSTILE,
                "active",
                "12",
                "0.4",
                "UPDATE stock SET amount = amount - $1 WHERE item = $2 AND amount >= $3",
            ]),
        ],
        more: 3,
        error: String::new(),
    }
}

async fn shown(view: &Arc<View>, path: &str, texts: &[&str]) -> Answer {
    let answer = ask(view, &Settings::default(), path, &[]).await;
    let mut rest = answer.text();
    for text in texts {
        let Some(place) = rest.find(text) else {
            panic!("{path}: `{text}` is not next in {rest}");
        };
        rest = &rest[place + text.len()..];
    }
    answer
}

#[tokio::test]
async fn the_status_page_says_who_sees_to_what_and_who_could_not_be_told() {
    let view = Arc::new(scene());
    let texts = [
        "1 alert firing",
        "acknowledged, 1 alert silenced",
        "monica",
        "Connections by application",
        "idle in transaction",
        "Told: oncall/ops@example.com",
        "PostgresqlBloat has something to say",
        "ross",
        "PostgreSQL 17.11, primary",
        "class=\"spark\"",
        "PgBouncer 1.18.0",
        "41 of 100",
        "Patroni 3.0.2, leader",
        "switched off",
        "Messages that were given up",
        "552 the mailbox is full",
        "alertname=&quot;PostgresqlBloat&quot;",
        "Hides 1 firing alert.",
        "Ended lately",
        "PostgresqlLagHigh has something to say",
        "Could not be told: oncall/ops@example.com",
        "many-to-many",
        "History that was lost",
    ];
    let page = shown(&view, "/", &texts).await;
    assert!(!page.text().contains("<script"), "{}", page.text());
    assert!(!page.text().contains("Watchdog"), "{}", page.text());
}

#[tokio::test]
async fn an_incident_is_told_from_its_beginning_to_its_end() {
    let view = Arc::new(scene());
    let page = shown(
        &view,
        "/incidents",
        &[
            "2 incidents are open",
            "1 that ended is known",
            "silenced",
            "Ended",
            "PostgresqlLagHigh",
        ],
    )
    .await;
    assert!(!page.text().contains("Watchdog"), "{}", page.text());
    let ended = view.ledger.read(|book| book.ended[0].incident().unwrap());
    let course = [
        "PostgresqlLagHigh on rachel",
        "ended after 1 h",
        "Course",
        "the condition began to hold",
        "it began to fire",
        "read: Connections by application",
        "it ended",
        "oncall/ops@example.com could not be told",
        "552 the mailbox is full",
    ];
    let page = shown(&view, &format!("/incident/{ended}"), &course).await;
    assert!(
        !page.text().contains("/silence?incident"),
        "{}",
        page.text()
    );

    for id in ["0000", "%00%ff", "..%2f..%2fetc%2fpasswd", "%3Cscript%3E"] {
        let unknown = ask(&view, &Settings::default(), &format!("/incident/{id}"), &[]).await;
        let refused = [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST];
        assert!(
            refused.contains(&unknown.status),
            "{id}: {}",
            unknown.status
        );
        assert!(!unknown.text().contains("<script"), "{}", unknown.text());
    }
}

#[tokio::test]
async fn advice_quotes_names_and_says_what_it_does_not_know() {
    let view = Arc::new(View {
        servers: vec!["rachel".into(), "monica".into()],
        ..blank(Timestamp::now())
    });
    advised(&view, "a\"; DROP TABLE b; --");
    let quoted = "public.&quot;a&quot;&quot;; DROP TABLE b; --&quot;;";
    let texts = [
        "fsync",
        "ALTER SYSTEM SET fsync = 'on'; SELECT pg_reload_conf();",
        "ALTER SYSTEM SET shared_buffers = '4GB';",
        "monica: not read;",
    ];
    shown(&view, "/advice", &texts).await;
    for statement in [
        "DROP INDEX CONCURRENTLY ",
        "REINDEX INDEX CONCURRENTLY ",
        "VACUUM (ANALYZE, VERBOSE) ",
    ] {
        shown(&view, "/advice", &[&format!("{statement}{quoted}")]).await;
    }
    shown(&view, "/", &["Settings", "Unused indexes", "All advice"]).await;
}

#[tokio::test]
async fn rules_that_fail_come_first_to_the_eye() {
    let view = Arc::new(scene());
    shown(
        &view,
        "/rules",
        &[
            "cannot be evaluated",
            "1 evaluations missed",
            "failing",
            "many-to-many",
        ],
    )
    .await;
    let unread = Arc::new(View {
        api: api::told(),
        ..scene()
    });
    shown(&unread, "/rules", &["0 rules in 0 groups"]).await;
}

#[tokio::test]
async fn a_course_is_drawn_as_soon_as_there_are_two_points() {
    let (now, view) = (Timestamp::now(), blank(Timestamp::now()));
    for seconds in [20, 10, 0] {
        let at = now.before(Duration::from_secs(seconds));
        put_at(&view, at, "pg_up", &[], 1.0);
        put_at(&view, at, "pg_connections_used", &[], 5.0);
    }
    shown(
        &Arc::new(view),
        "/",
        &["class=\"spark\"", "last 2 min: 5 to 5"],
    )
    .await;
}

/// A5: the link of an alert shows what its expression compares.
#[tokio::test]
async fn an_expression_is_shown_with_its_last_hour() {
    let (now, view) = (Timestamp::now(), blank(Timestamp::now()));
    for minutes in [2, 1, 0] {
        let at = now.before(Duration::from_secs(60 * minutes));
        put_at(
            &view,
            at,
            "pg_connections_used",
            &[("datname", "<b>")],
            minutes as f64,
        );
    }
    let view = Arc::new(view);
    let texts = [
        "1 series",
        "pg_connections_used &gt; 0.8",
        "&lt;b&gt;",
        "class=\"spark\"",
        "last 1 h: 0 to 2",
    ];
    let path = "/graph?g0.expr=pg_connections_used%20%3E%200.8&g0.tab=1";
    shown(&view, path, &texts).await;
    shown(
        &view,
        "/graph?g0.expr=sum(",
        &["cannot be evaluated", "note critical"],
    )
    .await;
    shown(
        &view,
        "/graph?g0.expr=nothing",
        &["No series in the last hour"],
    )
    .await;
}

/// A rate over five minutes of which 40 seconds were seen is no eighth of what it is.
#[tokio::test]
async fn transactions_are_counted_right_from_the_start() {
    let rate = |begun: u64| {
        let (now, view) = (Timestamp::now(), blank(Timestamp::now()));
        for ago in (0..=begun).rev().step_by(10) {
            let at = now.before(Duration::from_secs(ago));
            put_at(&view, at, "pg_up", &[], 1.0);
            for (database, each) in [("a", 200), ("b", 100)] {
                let labels = [("datname", database)];
                let count = ((begun - ago) * each) as f64;
                put_at(&view, at, "pg_stat_database_xact_commit", &labels, count);
                put_at(&view, at, "pg_stat_database_xact_rollback", &labels, 0.0);
            }
        }
        view
    };
    for begun in [40, 600] {
        let texts = ["transactions", "300/s", "to 300/s"];
        shown(&Arc::new(rate(begun)), "/", &texts).await;
    }
}

/// Not a promise about this machine, but no accident either: the fastest of several tries, in a build without
/// optimizations, which takes about ten times as long as a release.
#[test]
fn a_page_over_twenty_thousand_series_is_drawn_at_once() {
    let view = scene();
    for table in 0..5_000 {
        let name = format!("table_{table}");
        let labels = [
            ("datname", "shop"),
            ("schemaname", "public"),
            ("relname", &*name),
        ];
        for metric in [
            "pg_stat_user_tables_n_dead_tup",
            "pg_stat_user_tables_n_live_tup",
            "pg_stat_user_tables_seq_scan",
            "pg_table_size_bytes",
        ] {
            put(&view, metric, &labels, 1.0);
        }
    }
    assert!(view.store.size().series > 20_000);
    let draw = || {
        let begun = Instant::now();
        let drawn = page(&overview::overview(&view, Timestamp::now())).into_string();
        assert!(drawn.contains("1 alert firing"));
        begun.elapsed()
    };
    let fastest = (0..5).map(|_| draw()).min().unwrap();
    eprintln!(
        "a page over {} series takes {fastest:?}",
        view.store.size().series
    );
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
}

#[tokio::test]
async fn what_is_known_of_backups_is_on_the_page_and_at_api_backups() {
    let view = Arc::new(scene());
    let texts = [
        "id=\"checklist\"",
        "The newest backup was read to its end and is whole",
        "<code>pgvigil backup drill nightly</code>",
        "its log has an error: <code>pg_dump: error: orders_",
    ];
    let page = shown(&view, "/", &texts).await;
    assert!(!page.text().contains("<script"), "{}", page.text());
    let answer = shown(&view, "/api/backups", &[]).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    let account: serde_json::Value = serde_json::from_str(answer.text()).unwrap();
    let source = &account["sources"][0];
    assert_eq!(account["standing"], "bad");
    assert_eq!(source["backups"][0]["name"], HOSTILE);
    assert_eq!(source["backups"][0]["state"], "damaged");
    assert_eq!(source["newest"], "rachel_2026-11-28.dump");
    assert_eq!(
        source["log"]["errors"][0]["text"],
        format!("pg_dump: error: {HOSTILE}")
    );
    assert_eq!(account["checklist"].as_array().unwrap().len(), 17);
    assert_eq!(account["drills"], serde_json::json!([]));

    let bare = Arc::new(blank(Timestamp::now()));
    shown(
        &bare,
        "/",
        &["To begin, tell where they should be: <code>backups: [{name:"],
    )
    .await;
}
