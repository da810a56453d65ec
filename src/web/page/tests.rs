use std::time::Duration;

use super::*;
use crate::incident::{Acknowledgement, Evidence};
use crate::sample::Timestamp;
use crate::web::overview::{
    Address, Advice, Backup, DeadLetter, Fact, Finding, Headline, History, Notice, Quiet,
    RuleGroup, RuleLine, Rules, Server, Standing, Step, Story, Telling, Topic, Trend, Trouble,
};

const NOW: Timestamp = Timestamp(1_795_438_800_000);

fn ago(seconds: u64) -> Timestamp {
    NOW.before(Duration::from_secs(seconds))
}

fn edition() -> Edition {
    Edition {
        now: NOW,
        running: Duration::from_secs(187_200),
        version: "0.1.0",
    }
}

fn calm() -> Overview {
    let fact = |label, text: &str, used| Fact {
        label,
        text: (!text.is_empty()).then(|| text.to_owned()),
        used,
        trend: None,
    };
    let trend = Trend {
        points: vec![Some(1.0), None, Some(3.0)],
        span: Duration::from_secs(3 * 3_600),
        lowest: "1".into(),
        highest: "3".into(),
    };
    let server = |name: &str, product, role, version: &str, facts| Server {
        name: name.into(),
        product,
        standing: Standing::Up,
        role,
        version: version.into(),
        reason: String::new(),
        facts,
    };
    Overview {
        edition: edition(),
        headline: Headline {
            text: "All is well".into(),
            more: String::new(),
            tone: Tone::Good,
        },
        servers: vec![server(
            "rachel",
            "PostgreSQL",
            "primary",
            "15.18",
            vec![
                Fact {
                    trend: Some(trend),
                    ..fact("connections", "91 of 97", Some(0.938))
                },
                fact("size", "", None),
            ],
        )],
        pgbouncers: vec![server(
            "pool",
            "PgBouncer",
            "",
            "1.18.0",
            vec![fact("clients", "4 of 100", Some(0.04))],
        )],
        patronis: vec![server("node1", "Patroni", "leader", "3.0.2", Vec::new())],
        backups: vec![Backup {
            name: "nightly".into(),
            tone: Tone::Good,
            age: Some(Duration::from_secs(12_000)),
            running: None,
            promised: Some(Duration::from_secs(86_400)),
            size: "1.44 GiB".into(),
            typical_size: "1.40 GiB".into(),
            count: Some(30),
            proof: "read to its end",
            kinds: vec!["full 3 d".into(), "incr 3 h 20 min".into()],
            window: Some((ago(172_800), ago(12_000))),
            full_in: Some(Duration::from_secs(864_000)),
            problems: Vec::new(),
            details: Vec::new(),
        }],
        log_written: true,
        ..Overview::default()
    }
}

fn notice() -> Notice {
    Notice {
        incident: "00ff-1".into(),
        name: "PostgresqlConnectionsHigh".into(),
        severity: "critical".into(),
        tone: Tone::Critical,
        summary: "<b>rachel</b> has 93 % of its connections in use".into(),
        description: "They run out.".into(),
        hint: "Find who holds them: `SELECT 1 < 2`.".into(),
        runbook: Some("https://runbooks.example/connections".into()),
        since: ago(720),
        lasting: Duration::from_secs(720),
        value: "0.94".into(),
        labels: vec![("instance".into(), "rachel".into())],
        stale: Some(Duration::from_secs(90)),
        evidence: vec![
            Evidence {
                query: "connections".into(),
                title: "Connections by application".into(),
                server: "rachel".into(),
                at: ago(719),
                columns: vec!["application_name".into(), "count".into()],
                rows: vec![vec!["<script>alert(1)</script>".into(), "71".into()]],
                more: 4,
                error: String::new(),
            },
            Evidence {
                query: "blockers".into(),
                title: "Who blocks whom".into(),
                server: "rachel".into(),
                at: ago(719),
                columns: Vec::new(),
                rows: Vec::new(),
                more: 0,
                error: "permission denied".into(),
            },
        ],
        acknowledged: Some(Acknowledgement {
            incident: "00ff-1".into(),
            at: ago(600),
            by: "monica".into(),
            comment: "on it".into(),
        }),
        told: vec![
            Telling {
                receiver: "oncall".into(),
                at: ago(718),
                ..Telling::default()
            },
            Telling {
                receiver: "team".into(),
                at: ago(700),
                error: "no_team".into(),
                ..Telling::default()
            },
        ],
        ..Notice::default()
    }
}

fn ended() -> Notice {
    Notice {
        incident: "00ff-0".into(),
        ended: Some(ago(3_600)),
        since: ago(7_200),
        lasting: Duration::from_secs(3_600),
        stale: None,
        ..notice()
    }
}

fn silence() -> Quiet {
    Quiet {
        id: "s1".into(),
        matchers: vec!["alertname=\"Noisy\"".into()],
        by: "ross".into(),
        comment: "migration".into(),
        from: ago(600),
        until: NOW + Duration::from_secs(1_800),
        holds: true,
        hides: 1,
    }
}

fn alarmed() -> Overview {
    Overview {
        headline: Headline {
            text: "1 alert firing".into(),
            more: "1 alert pending".into(),
            tone: Tone::Critical,
        },
        firing: vec![notice()],
        silenced: vec![Notice {
            name: "Noisy".into(),
            summary: "Noisy as ever".into(),
            silenced: Some(silence()),
            acknowledged: None,
            evidence: Vec::new(),
            told: Vec::new(),
            ..notice()
        }],
        ended: vec![ended()],
        silences: vec![silence()],
        advice: vec![topic()],
        dead: vec![DeadLetter {
            receiver: "team".into(),
            at: ago(700),
            subject: "[rachel] PostgresqlConnectionsHigh".into(),
            incidents: vec![("00ff-1".into(), "PostgresqlConnectionsHigh".into())],
            error: "no_team".into(),
        }],
        damaged: vec!["snapshot.damaged-2026".into()],
        troubles: vec![Trouble {
            source: "rachel/shop/tables".into(),
            reason: "permission denied".into(),
            last_success: None,
            dropped: 0,
        }],
        addresses: vec![Address {
            name: "oncall".into(),
            channel: "email",
            tone: Tone::Warning,
            delivered: 3,
            failed: 0,
            retried: 2,
            waiting: 1,
            last_success: Some(ago(3_600)),
            reason: "connection refused".into(),
        }],
        log_written: false,
        ..calm()
    }
}

fn topic() -> Topic {
    Topic {
        id: "unused",
        title: "Unused indexes",
        meaning: "They cost.",
        doubt: "A standby may use them.",
        findings: vec![Finding {
            server: "rachel".into(),
            database: "shop".into(),
            name: "public.<i>".into(),
            what: "1.20 GiB, never scanned".into(),
            tone: Tone::Info,
            statement: "DROP INDEX CONCURRENTLY public.\"<i>\";".into(),
        }],
        more: 2,
        calm: String::new(),
        unknown: vec!["monica: not read yet".into()],
    }
}

/// The text between the tags, a line for each piece.
fn texts(page: Markup) -> Vec<String> {
    let html = page.into_string();
    let body = html.split_once("</style>").unwrap().1;
    let pieces = body.split('>').filter_map(|piece| piece.split_once('<'));
    let texts = pieces
        .map(|(text, _)| text.trim())
        .filter(|text| !text.is_empty());
    texts.map(str::to_owned).collect()
}

fn check(page: Markup, expected: &[&str]) {
    let texts = texts(page);
    let mut left = texts.iter();
    for line in expected {
        assert!(
            left.any(|text| text == line),
            "`{line}` is not next in {texts:#?}"
        );
    }
}

#[test]
fn a_calm_page_shows_numbers_and_backups() {
    check(
        page(&calm()),
        &[
            "All is well",
            "Servers",
            "rachel",
            "up",
            "PostgreSQL 15.18, primary",
            "connections",
            "last 3 h: 1 to 3",
            "91 of 97",
            "94 %",
            "size",
            "not known",
            "PgBouncers",
            "pool",
            "PgBouncer 1.18.0",
            "clients",
            "4 of 100",
            "Patroni",
            "node1",
            "Patroni 3.0.2, leader",
            "Backups",
            "nightly",
            "good",
            "newest",
            "3 h 20 min old",
            "full 3 d, incr 3 h 20 min",
            "21 Nov 13:00 to 09:40 UTC",
            "1.44 GiB, usually 1.40 GiB",
            "room lasts for",
            "10 d",
            "read to its end",
            "Advice",
            "Nothing that could be better has been found.",
            "Who is told",
            "Nobody: no receiver is configured.",
            "Silences",
            "None: everything that fires is told.",
            "Ended lately",
            "No incident that is still known.",
            "23 Nov 2026 13:00:00 UTC",
        ],
    );
    let texts = texts(page(&calm()));
    assert!(
        !texts
            .iter()
            .any(|text| text == "Firing" || text == "Pending"),
        "{texts:#?}"
    );
}

#[test]
fn an_alarmed_page_says_what_since_when_and_what_to_do() {
    check(
        page(&alarmed()),
        &[
            "1 alert firing",
            "1 alert pending",
            "Firing",
            "critical",
            "&lt;b&gt;rachel&lt;/b&gt; has 93 % of its connections in use",
            "12 min",
            ", since 12:48 UTC · value",
            "0.94",
            "acknowledged",
            "monica",
            ", 12:50 UTC: on it",
            "Stale for 1 min: what it was read from does not answer, so it cannot be said whether this is over.",
            "They run out.",
            "What to do:",
            "Find who holds them:",
            "SELECT 1 &lt; 2",
            ".",
            "Runbook",
            "Connections by application",
            "on rachel, read 12:48 UTC",
            "application name",
            "count",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "71",
            "and 4 more",
            "Who blocks whom",
            "Could not be read: permission denied",
            "Told: oncall 12:48",
            "Could not be told: team, 12:48 UTC: no_team",
            "instance=rachel",
            "Acknowledge or silence",
            "Silenced",
            "Noisy as ever",
            "silenced",
            "ross",
            "until 13:30 UTC: migration",
            "Advice",
            "Unused indexes",
            "3",
            "Who is told",
            "Incidents cannot be written to the disk: a restart would forget who was told.",
            "oncall",
            "out of reach",
            "email, 3 delivered, 2 tried again, 1 waiting, last 1 h ago",
            "connection refused",
            "Messages that were given up",
            "team",
            "no_team",
            "PostgresqlConnectionsHigh",
            "Silences",
            "holds",
            "alertname=&quot;Noisy&quot;",
            "13:30 UTC",
            "Hides 1 firing alert.",
            "Ended lately",
            "11:00 to 12:00 UTC, for",
            "1 h",
            "Not read in full",
            "rachel/shop/tables",
            "permission denied",
            "never read",
            "History that was lost",
            "snapshot.damaged-2026",
        ],
    );
}

#[test]
fn the_numbers_beside_a_bad_backup_are_those_of_the_good_one() {
    let mut overview = calm();
    overview.backups[0].problems = vec!["the newest is cut off".into()];
    overview.backups[0].details = vec!["`<b>.sql`: it ends too early".into()];
    check(
        page(&overview),
        &[
            "the newest is cut off",
            "&lt;b&gt;.sql",
            ": it ends too early",
            "newest good one",
            "3 h 20 min old",
            "its size",
            "its proof",
            "read to its end",
        ],
    );
}

#[test]
fn all_incidents_stand_on_one_page() {
    let page = history(&History {
        edition: edition(),
        open: vec![notice()],
        ended: vec![ended()],
    });
    check(
        page,
        &[
            "1 incident is open",
            "1 that ended is known",
            "Open",
            "acknowledged",
            "12:48 UTC, firing for",
            "12 min",
            "Ended",
            "11:00 to 12:00 UTC, for",
        ],
    );
}

#[test]
fn one_incident_has_its_course() {
    let step = |seconds, text: &str, detail: &str| Step {
        at: ago(seconds),
        tone: Tone::Info,
        text: text.into(),
        detail: detail.into(),
    };
    let story = Story {
        edition: edition(),
        notice: notice(),
        steps: vec![
            step(900, "the condition began to hold", ""),
            step(720, "it began to fire", ""),
            step(700, "team could not be told", "no_team"),
        ],
    };
    check(
        incident(&story),
        &[
            "PostgresqlConnectionsHigh on rachel",
            "firing for 12 min",
            "What it is about",
            "Connections by application",
            "Course",
            "23 Nov 2026 12:45:00",
            "the condition began to hold",
            "it began to fire",
            "team could not be told:",
            "no_team",
            "00ff-1",
        ],
    );
    check(
        unknown_incident(edition()),
        &[
            "No incident is known by this id",
            "All incidents that are known",
        ],
    );
}

#[test]
fn rules_say_how_they_stand_and_what_failed() {
    let rule = |name: &str, state, tone, error: &str| RuleLine {
        name: name.into(),
        severity: "warning".into(),
        state,
        tone,
        expression: "a > 1 < 2".into(),
        hold: Duration::from_secs(60),
        error: error.into(),
        last: Some(ago(5)),
        took: Duration::from_micros(1_500),
        ..RuleLine::default()
    };
    let page = rules(&Rules {
        edition: edition(),
        groups: vec![RuleGroup {
            file: "own.yml".into(),
            name: "mine".into(),
            interval: Duration::from_secs(15),
            last: Some(ago(5)),
            took: Duration::from_millis(3),
            missed: 2,
            rules: vec![
                rule("Calm", "calm", Tone::Good, ""),
                RuleLine {
                    alerts: vec![notice()],
                    ..rule("Burning", "firing", Tone::Warning, "")
                },
                rule("Broken", "failing", Tone::Critical, "many-to-many"),
            ],
        }],
    });
    check(
        page,
        &[
            "1 rule cannot be evaluated",
            "1 firing, 1 calm",
            "mine",
            "in own.yml",
            "every 15 s, last at 23 Nov 2026 12:59:55 UTC, which took 3.0 ms, 2 evaluations missed",
            "calm",
            "Calm",
            "a &gt; 1 &lt; 2",
            "fires after 1 min · evaluated 23 Nov 2026 12:59:55 UTC in 1.5 ms",
            "firing",
            "Burning",
            "firing for 12 min, since 12:48 UTC · value 0.94",
            "failing",
            "Broken",
            "many-to-many",
        ],
    );
}

#[test]
fn advice_says_what_to_run_and_why_it_may_be_wrong() {
    let page = advice(&Advice {
        edition: edition(),
        topics: vec![topic()],
    });
    check(
        page,
        &[
            "3 things could be better",
            "Unused indexes",
            "They cost.",
            "public.&lt;i&gt;",
            "1.20 GiB, never scanned",
            "rachel",
            "database shop",
            "DROP INDEX CONCURRENTLY public.&quot;&lt;i&gt;&quot;;",
            "and 2 more",
            "Why this may be wrong:",
            "A standby may use them.",
            "Not known:",
            "monica: not read yet",
        ],
    );
}

/// Whatever a name holds, it stays a name: there are as many tags as with a harmless one.
#[test]
fn no_name_becomes_markup() {
    let hostile = "</style><script src=//evil.example>\" onload='x' &amp; \u{202e}";
    let with = |text: &str| {
        let mut overview = alarmed();
        let text = || text.to_owned();
        let told = &mut overview.firing[0];
        (told.name, told.summary, told.hint, told.description) = (text(), text(), text(), text());
        told.labels = vec![(text(), text())];
        told.evidence[0].title = text();
        told.evidence[0].columns = vec![text(), text()];
        told.evidence[0].rows = vec![vec![text(), text()]];
        told.evidence[1].error = text();
        told.told[1].error = text();
        overview.servers[0].name = text().into();
        overview.servers[0].reason = text();
        overview.headline.text = text();
        overview.silences[0].matchers = vec![text()];
        overview.silences[0].comment = text();
        overview.dead[0].subject = text();
        overview.dead[0].error = text();
        overview.troubles[0].source = text();
        overview.damaged = vec![text()];
        page(&overview).into_string()
    };
    let (hostile, harmless) = (with(hostile), with(&"x".repeat(hostile.len())));
    let tags = |page: &str| page.matches('<').count();
    assert_eq!(tags(&hostile), tags(&harmless));
    assert!(!hostile.contains("<script"), "{hostile}");
    assert!(!hostile.contains("\" onload"), "{hostile}");
    assert!(!hostile.contains('\u{202e}'), "{hostile}");
}

#[test]
fn every_page_has_a_language_a_title_and_one_heading() {
    let pages = [
        page(&alarmed()),
        history(&History::default()),
        unknown_incident(edition()),
        rules(&Rules::default()),
        advice(&Advice::default()),
    ];
    for html in pages.map(Markup::into_string) {
        assert!(html.contains("<html lang=\"en\">"), "{html}");
        assert_eq!(html.matches("<h1>").count(), 1, "{html}");
        assert_eq!(
            html.matches("<title>").count() - html.matches("<svg").count(),
            1
        );
        assert_eq!(html.matches("<main id=\"main\">").count(), 1);
    }
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let html = page(&alarmed()).into_string();
    for foreign in ["<script", "src=", "@import", "url("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}

/// What is shown of a tree in which a statement is long.
#[test]
fn evidence_keeps_its_indentation_and_gives_a_long_text_a_row() {
    let texts = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
    let mut told = notice();
    told.evidence.truncate(1);
    told.evidence[0].columns = texts(["pid", "blocks", "query"]);
    told.evidence[0].rows = vec![
        texts(["4242", "1", "UPDATE accounts SET balance = 0 WHERE id = 7"]),
        texts(["  4243", "0", ""]),
    ];
    let page = evidence::tables(&told.evidence, told.since).into_string();
    let tree = "<td data-name=\"pid\">4242</td><td class=\"number\" data-name=\"blocks\">1</td></tr>\
                <tr><td class=\"beneath\" colspan=\"2\"><code>UPDATE accounts SET balance = 0 WHERE id = 7</code></td></tr>\
                </tbody><tbody><tr><td data-name=\"pid\">\u{a0}\u{a0}\u{a0}\u{a0}4243</td><td class=\"number\" data-name=\"blocks\">0</td></tr></tbody>";
    assert!(page.contains(tree), "{page}");
    assert!(!page.contains("<th scope=\"col\">query"), "{page}");
}
