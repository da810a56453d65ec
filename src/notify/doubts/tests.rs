use super::*;
use crate::document::{Reader, parse};
use crate::rules::check;

const RULES: &str = r#"
groups:
- name: test
  rules:
  - {alert: Watchdog, expr: vector(1), labels: {severity: info}}
  - {alert: PgDown, expr: pg_up == 0, labels: {severity: critical}}
  - {alert: PgSlow, expr: 'pg_slow{severety=""} > 1', labels: {severity: warning, team: db}}
"#;

/// What is said of a policy, or of inhibitions, each as place in the settings, message and hint.
fn said(rules: &str, written: &str) -> Vec<String> {
    let groups = check("rules.yml", rules, false).groups;
    let receivers =
        "receivers: [{name: a, command: {run: [sh]}}, {name: b, command: {run: [sh]}}]\n";
    let root = parse("x.yml", &format!("{receivers}{written}")).unwrap();
    let reader = Reader::new(None);
    let settings = reader.read(&root, Settings::read);
    assert_eq!(reader.problems(), []);
    let doubts = doubts(&settings, &groups).into_iter();
    doubts
        .map(|doubt| {
            assert!(doubt.place.line >= 2, "{doubt}");
            let hint = doubt.hint.unwrap_or_default();
            format!("{}: {}; {hint}", doubt.path, doubt.message)
        })
        .collect()
}

#[test]
fn what_no_alert_meets_is_named() {
    let cases = [
        (
            "[alertname=PgDwon]",
            "alertname=\"PgDwon\"`; did you mean `PgDown`?",
        ),
        ("['alertname=~\"Pgdown|PgSlo\"']", "meets `alertname=~"),
        ("['alertname=']", "meets `alertname=\"\"`"),
        ("[severity=critcal]", "critcal\"`; did you mean `critical`?"),
        ("[severity=x]", "there are critical, info, warning"),
        ("['severity=~page|err.*']", "no rule gives a severity"),
        (
            "[sevrity=critical]",
            "no alert has a label `sevrity`; did you mean `severity`?",
        ),
        ("[alertName=PgDown]", "did you mean `alertname`?"),
        (
            "[alertname=PgDown, severity=warning]",
            "meets all of these matchers",
        ),
        ("['alertname!~\".*\"']", "no rule has a name"),
    ];
    for (matchers, expected) in cases {
        let policy = said(RULES, &format!("policy: [{{match: {matchers}, to: a}}]"));
        assert_eq!(policy.len(), 1, "{matchers}: {policy:?}");
        assert!(policy[0].contains(expected), "{policy:?}");
        assert!(policy[0].starts_with("notify.policy[0].match: "));
        let inhibit = format!("inhibit: [{{source: severity=critical, target: {matchers}}}]");
        let inhibit = said(RULES, &inhibit);
        assert!(inhibit[0].contains(expected), "{inhibit:?}");
        assert!(inhibit[0].starts_with("notify.inhibit[0].target: "));
    }
}

#[test]
fn what_an_alert_may_meet_is_no_doubt() {
    let cases = [
        "[alertname=PgDown, severity=critical]",
        "['alertname=~Pg.*']",
        "[alertname!=Gone]",
        "['severity!~critical|warning']",
        "[severety=x]",
        "[team=db, shard=7]",
    ];
    for matchers in cases {
        let policy = format!("policy: [{{match: {matchers}, to: a}}]");
        assert_eq!(said(RULES, &policy), [""; 0], "{matchers}");
    }
    // Here the expression decides.
    let open = format!("{RULES}  - {{alert: Any, expr: ALERTS}}\n");
    assert_eq!(
        said(&open, "policy: [{match: severity=page, to: a}]"),
        [""; 0]
    );
    assert_eq!(said(RULES, ""), [""; 0]);
}

#[test]
fn lines_that_nothing_reaches_are_named() {
    let cases = [
        ("[{to: a}, {match: severity=critical, to: b}]", true),
        ("[{to: a}, {to: b}]", true),
        (
            "[{match: severity=info, to: a}, {match: [team=x, severity=info], to: b}]",
            true,
        ),
        (
            "[{to: a, continue: true}, {match: severity=critical, to: b}]",
            false,
        ),
        ("[{match: severity=critical, to: a}, {to: b}]", false),
        // A line without matchers does not take the watchdog.
        ("[{to: a}, {match: alertname=Watchdog, to: b}]", false),
    ];
    for (policy, unreached) in cases {
        let said = said(RULES, &format!("policy: {policy}"));
        let expected = "notify.policy[1]: no alert comes here: `notify.policy[0]` takes all of them; write it before \
                        `notify.policy[0]`, or let that one `continue: true`";
        let expected: Vec<&str> = [expected][..usize::from(unreached)].into();
        assert_eq!(said, expected, "{policy}");
    }
}
