use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::backup::{Facts, Record, Settings, title};
use crate::document::{Reader, parse};

const NOW: Timestamp = Timestamp(1_795_438_800_000);
const HOSTILE: &str = "<script>\u{202e}`<b>`\" onload=x";

fn ago(hours: u64) -> Timestamp {
    NOW.before(Duration::from_secs(3600 * hours))
}

fn line(key: &'static str, standing: Standing, words: &str) -> Line {
    let (title, rhythm) = title(key).unwrap();
    let is_ticked = standing != Standing::Unticked;
    let said = |shown: bool| shown.then(|| words.to_owned()).into_iter().collect();
    Line {
        key,
        rhythm,
        period: rhythm.period(),
        title,
        is_optional: key == "replica-for-failover",
        standing,
        at: is_ticked.then(|| ago(2)),
        refuted: None,
        evidence: said(is_ticked),
        missing: said(!is_ticked),
        way: if is_ticked {
            String::new()
        } else {
            format!("pgvigil backup attest {key} --by NAME")
        },
    }
}

fn report(outcome: Outcome, backup: &str) -> Report {
    Report::sample("nightly", backup, ago(3), outcome)
}

fn source(drill: Option<Report>) -> Brief {
    let reader = Reader::new(None);
    let text = "backups: [{name: nightly, files: /b}]";
    let settings = reader
        .read(&parse("test", text).unwrap(), Settings::read)
        .remove(0);
    Brief {
        record: Arc::new(Record {
            settings,
            facts: Facts::default(),
        }),
        newest: None,
        recovery_point: None,
        lag: Default::default(),
        drill,
        problems: Vec::new(),
        doubts: Vec::new(),
    }
}

fn account(drill: Option<Report>, checklist: Vec<Line>) -> Account {
    Account {
        sources: vec![source(drill)],
        checklist,
        now: NOW,
        ..Account::default()
    }
}

fn shown(account: &Account) -> String {
    checklist(account).into_string()
}

#[test]
fn what_is_ticked_is_one_line_until_it_is_opened() {
    let lines = vec![
        line(
            "backup-ran",
            Standing::Proved,
            "nightly: `a.dump` was finished at 11:00",
        ),
        line(
            "contacts-current",
            Standing::Attested {
                by: "monica".into(),
            },
            "attested by `monica`",
        ),
        line(
            "replica-for-failover",
            Standing::Unticked,
            "no standby streams",
        ),
    ];
    let html = shown(&account(Some(report(Outcome::Restored, "a.dump")), lines));
    let (open, folded) = html
        .split_once("<details class=\"rule good\"><summary>All is ticked: 2 lines</summary>")
        .unwrap();
    assert!(
        !open.contains("backup-ran") && !open.contains("replica-for-failover"),
        "{open}"
    );
    for words in [
        "<code>a.dump</code> was finished at 11:00",
        "<span class=\"badge good\">proved</span>",
        "<span class=\"badge info\">attested</span>",
        "<span class=\"badge unknown\">optional</span>",
        "good until 24 Nov 11:00",
        "good until 23 Feb 11:00",
    ] {
        assert!(folded.contains(words), "{words}: {folded}");
    }
    assert!(
        open.contains("restored</span>") && open.contains("took 1 min"),
        "{open}"
    );
}

#[test]
fn what_is_not_ticked_stands_open_with_what_to_do() {
    let lines = vec![
        line("backup-ran", Standing::Observed, "seen"),
        line(
            "contacts-current",
            Standing::Unticked,
            "nobody has said that it is",
        ),
    ];
    let mut account = account(None, lines);
    account.complaint = Some("attestations cannot be read: <b>".into());
    let html = shown(&account);
    let (open, folded) = html
        .split_once("<summary>1 line is ticked</summary>")
        .unwrap();
    for words in [
        "never restored",
        "<code>pgvigil backup drill nightly</code>",
        "nobody has said that it is",
        "<code>pgvigil backup attest contacts-current --by NAME</code>",
        "attestations cannot be read: &lt;b&gt;",
    ] {
        assert!(open.contains(words), "{words}: {open}");
    }
    assert!(
        folded.contains("seen") && !folded.contains("contacts-current"),
        "{folded}"
    );
    assert_eq!(
        shown(&Account::default()),
        "",
        "nothing is said where nothing is configured"
    );
}

#[test]
fn what_others_have_named_is_text() {
    let with = |text: &str| {
        let failed = report(Outcome::Failed(text.into()), text);
        let lines = vec![
            line("backup-ran", Standing::Unticked, text),
            line("backup-size", Standing::Attested { by: text.into() }, text),
        ];
        shown(&account(Some(failed), lines))
    };
    let (hostile, harmless) = (with(HOSTILE), with("x`x`x"));
    let tags = |page: &str| page.matches('<').count();
    assert_eq!(tags(&hostile), tags(&harmless));
    assert!(
        !hostile.contains("<script") && !hostile.contains("\" onload"),
        "{hostile}"
    );
}
