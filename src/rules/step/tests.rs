use super::*;

/// What happens to one alert over slots a minute apart: `!` the condition holds, `.` it does not, `?` nobody can
/// tell. The answer has a letter per slot: p(ending) O(pened) C(hanged) K(ept) s(tale) F(resh) R(esolved) x.
fn course(hold: u64, keep: u64, slots: &str) -> String {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let alerting = Alerting {
        hold: minutes(hold),
        keep_firing_for: minutes(keep),
        annotations: BTreeMap::new(),
    };
    let rule = RuleKey {
        file: "f".into(),
        group: "g".into(),
        rule: "r".into(),
    };
    let labels = Labels::new([("alertname", "r")]);
    let mut alert: Option<Alert> = None;
    let each = slots.chars().enumerate().map(|(minute, what)| {
        let slot = Timestamp(1_000_000) + minutes(minute as u64);
        let found = |text: &str| Present {
            value: minute as f64,
            annotations: BTreeMap::from([("summary".into(), text.into())]),
            sources: Sources::default(),
        };
        let step = match (what, &alert) {
            ('!', old) => present(old.as_ref(), &rule, &labels, &found("one"), &alerting, slot),
            ('2', old) => present(old.as_ref(), &rule, &labels, &found("two"), &alerting, slot),
            (_, None) => Step {
                alert: None,
                transition: None,
            },
            (what, Some(old)) => absent(old, &alerting, slot, what == '.'),
        };
        alert = step.alert;
        match step.transition.map(|transition| transition.change) {
            None => '-',
            Some(Change::Pending) => 'p',
            Some(Change::Opened) => 'O',
            Some(Change::Changed) => 'C',
            Some(Change::KeptFiring) => 'K',
            Some(Change::Stale) => 's',
            Some(Change::Fresh) => 'F',
            Some(Change::Resolved) => 'R',
            Some(Change::Forgotten) => 'x',
        }
    });
    each.collect()
}

#[test]
fn an_alert_takes_its_course() {
    let cases = [
        ("without `for` it fires at once", 0, 0, "!!.", "O-R"),
        (
            "with `for` it fires when it has held that long",
            2,
            0,
            "!!!!.",
            "p-O-R",
        ),
        ("a pending one is forgotten at once", 2, 0, "!.!", "pxp"),
        (
            "a resolved one is remembered for 15 minutes",
            0,
            0,
            "!................ .",
            "OR--------------- x",
        ),
        ("one that comes back is a new one", 1, 0, "!!.!!", "pORpO"),
        (
            "`keep_firing_for` counts from the first absence",
            0,
            2,
            "!...",
            "OK-R",
        ),
        (
            "its return starts the count again",
            0,
            2,
            "!.!...",
            "OKFK-R",
        ),
        ("nothing known is not an end", 0, 0, "!??.", "Os-R"),
        ("known again and still so", 0, 0, "!??!", "Os-F"),
        (
            "nothing known counts for `keep_firing_for` neither",
            0,
            2,
            "!?...",
            "OsK-R",
        ),
        ("nothing known while kept", 0, 3, "!.?..", "OKsFR"),
        ("nothing known forgets a pending one", 2, 0, "!?", "px"),
        (
            "changed annotations are recorded a minute later, once",
            0,
            0,
            "!22222",
            "O-C---",
        ),
    ];
    for (what, hold, keep, slots, expected) in cases {
        let (slots, expected) = (slots.replace(' ', ""), expected.replace(' ', ""));
        assert_eq!(course(hold, keep, &slots), expected, "{what}: {slots}");
    }
}
