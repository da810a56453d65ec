use std::time::Duration;

use super::*;
use crate::sample::Timestamp;
use crate::web::overview::{Address, Backup, Fact, Headline, Notice, Server, Standing, Trouble};

const NOW: Timestamp = Timestamp(1_795_438_800_000);

fn calm() -> Overview {
    let fact = |label, text: &str, used| Fact {
        label,
        text: (!text.is_empty()).then(|| text.to_owned()),
        used,
    };
    Overview {
        now: NOW,
        running: Duration::from_secs(187_200),
        version: "0.1.0",
        headline: Headline {
            text: "All is well".into(),
            more: String::new(),
            tone: Tone::Good,
        },
        firing: Vec::new(),
        pending: Vec::new(),
        servers: vec![Server {
            name: "rachel".into(),
            standing: Standing::Up,
            role: "primary",
            version: "15.18".into(),
            reason: String::new(),
            facts: vec![
                fact("connections", "91 of 97", Some(0.938)),
                fact("size", "", None),
            ],
        }],
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
            problems: Vec::new(),
        }],
        troubles: Vec::new(),
        addresses: Vec::new(),
        log_written: true,
    }
}

fn alarmed() -> Overview {
    Overview {
        headline: Headline {
            text: "1 alert firing".into(),
            more: "1 alert pending".into(),
            tone: Tone::Critical,
        },
        firing: vec![Notice {
            name: "PostgresqlConnectionsHigh".into(),
            severity: "critical".into(),
            tone: Tone::Critical,
            summary: "<b>rachel</b> has 93 % of its connections in use".into(),
            description: "They run out.".into(),
            hint: "Find who holds them.".into(),
            runbook: Some("https://runbooks.example/connections".into()),
            since: NOW.before(Duration::from_secs(720)),
            lasting: Duration::from_secs(720),
            value: "0.94".into(),
            labels: vec![("instance".into(), "rachel".into())],
            stale: Some(Duration::from_secs(90)),
            kept: false,
        }],
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
            waiting: 1,
            last_success: Some(NOW.before(Duration::from_secs(3_600))),
            reason: "connection refused".into(),
        }],
        log_written: false,
        ..calm()
    }
}

/// The text between the tags, a line for each piece.
fn read(overview: &Overview) -> Vec<String> {
    let html = page(overview).into_string();
    let body = html.split_once("</style>").unwrap().1;
    let pieces = body.split('>').filter_map(|piece| piece.split_once('<'));
    let texts = pieces
        .map(|(text, _)| text.trim())
        .filter(|text| !text.is_empty());
    texts.map(str::to_owned).collect()
}

fn check(overview: &Overview, expected: &[&str]) {
    let texts = read(overview);
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
        &calm(),
        &[
            "All is well",
            "Servers",
            "rachel",
            "up",
            "PostgreSQL 15.18, primary",
            "connections",
            "91 of 97",
            "94 %",
            "size",
            "not known",
            "Backups",
            "nightly",
            "good",
            "newest",
            "3 h 20 min old",
            "1.44 GiB, usually 1.40 GiB",
            "read to its end",
            "Who is told",
            "Nobody: no receiver is configured.",
            "23 Nov 2026 13:00:00 UTC",
        ],
    );
    let texts = read(&calm());
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
        &alarmed(),
        &[
            "1 alert firing",
            "1 alert pending",
            "Firing",
            "critical",
            "&lt;b&gt;rachel&lt;/b&gt; has 93 % of its connections in use",
            "12 min",
            ", since 12:48 UTC · value",
            "0.94",
            "They run out.",
            "What to do:",
            "Find who holds them.",
            "Runbook: https://runbooks.example/connections",
            "instance=rachel",
            "Not read in full",
            "rachel/shop/tables",
            "permission denied",
            "never read",
            "oncall",
            "out of reach",
            "connection refused",
        ],
    );
}

#[test]
fn the_numbers_beside_a_bad_backup_are_those_of_the_good_one() {
    let mut overview = calm();
    overview.backups[0].problems = vec!["the newest is cut off".into()];
    check(
        &overview,
        &[
            "the newest is cut off",
            "newest good one",
            "3 h 20 min old",
            "its size",
            "its proof",
            "read to its end",
        ],
    );
}

#[test]
fn the_page_asks_for_nothing_from_elsewhere() {
    let html = page(&alarmed()).into_string();
    for foreign in ["<script", "src=", "@import", "url("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}
