use super::*;

fn read(text: &str) -> Result<Parsed, Vec<Problem>> {
    parse(
        "r.yml",
        text,
        Duration::from_secs(15),
        Strictness::default(),
    )
}

fn complaints(text: &str) -> Vec<String> {
    match read(text) {
        Ok(read) => read
            .doubts
            .iter()
            .chain(&read.duplicates)
            .map(|warning| format!("warning: {warning}"))
            .collect(),
        Err(problems) => problems.iter().map(Problem::to_string).collect(),
    }
}

fn rule(lines: &str) -> String {
    let indented: String = lines
        .lines()
        .map(|line| format!("        {line}\n"))
        .collect();
    format!("groups:\n  - name: g\n    rules:\n      -\n{indented}")
}

#[test]
fn mistakes_name_line_group_rule_and_cause() {
    let cases = [
        (
            rule("alert: A\nexpr: up\nfro: 5m"),
            "r.yml:7:9: group `g`, rule 1, `A`, fro: unknown key\n  hint: did you mean `for`?",
        ),
        (
            rule("alert: A\nexpr: up ==="),
            "r.yml:6:20: group `g`, rule 1, `A`, expr: could not parse expression: unexpected \"=\"",
        ),
        (
            rule("alert: A\nexpr: |\n  up ==\n    (1 *)"),
            "r.yml:8:17: group `g`, rule 1, `A`, expr: could not parse expression: ",
        ),
        (
            rule("alert: A\nexpr: >\n  up ==\n  (1 *)"),
            "r.yml:7:11: group `g`, rule 1, `A`, expr: could not parse expression: ",
        ),
        (
            rule("alert: A\nexpr: '(up{a=\"ö\"} * )'"),
            "r.yml:6:29: group `g`, rule 1, `A`, expr: could not parse expression: ",
        ),
        (
            rule("alert: A\nexpr: up\nannotations:\n  summary: \"{{ $label.x }}\""),
            "r.yml:8:20: group `g`, rule 1, `A`: template of annotation `summary`: undefined variable \"$label\"",
        ),
        (
            rule("alert: A\nrecord: a\nexpr: up"),
            "r.yml:5:9: group `g`, rule 1, `A`: only one of `record` and `alert` must be set",
        ),
        (
            rule("expr: up"),
            "r.yml:5:9: group `g`, rule 1, ``: one of `record` or `alert` must be set",
        ),
        (
            rule("record: a\nexpr: up\nfor: 5m"),
            "r.yml:7:14: group `g`, rule 1, `a`, for: a recording rule cannot have it",
        ),
        (
            rule("record: a{b}\nexpr: up"),
            "r.yml:5:17: group `g`, rule 1, `a{b}`, record: `a{b}` is no metric name\n",
        ),
        (
            rule("alert: A\nexpr: up\nfor: 1.5h"),
            "r.yml:7:14: group `g`, rule 1, `A`, for: `1.5h` is no duration",
        ),
        (
            rule("alert: A\nexpr: up\nlabels: {__name__: x}"),
            "r.yml:7:28: group `g`, rule 1, `A`: `__name__` is no label",
        ),
        (
            "groups:\n  - {name: g}\n  - {name: g}\n".into(),
            "r.yml:3:12: group `g`, name: there is already a group `g`",
        ),
        (
            "group: []\n".into(),
            "r.yml:1:1: group: unknown key\n  hint: did you mean `groups`?",
        ),
    ];
    for (text, expected) in cases {
        let found = complaints(&text);
        assert!(found[0].starts_with(expected), "{text}\n{found:#?}");
    }
}

#[test]
fn files_may_be_empty_and_a_second_document_is_passed_over() {
    assert_eq!(complaints(""), Vec::<String>::new());
    assert_eq!(complaints("groups:\n"), Vec::<String>::new());
    let text = "groups: []\n---\nnonsense: {\n";
    assert_eq!(
        complaints(text),
        ["warning: r.yml:2:1: a second YAML document is not read"]
    );
}

#[test]
fn groups_give_their_labels_and_interval_and_rules_of_one_name_are_told_apart() {
    let text = "groups:\n- name: g\n  interval: 1m\n  labels: {team: a, severity: info}\n  rules:\n  \
                - {alert: A, expr: up, labels: {severity: page}}\n  - {alert: A, expr: up}\n  - {alert: A, expr: up}\n";
    let read = read(text).unwrap();
    let group = &read.groups[0];
    assert_eq!(group.interval, Duration::from_secs(60));
    let keys: Vec<_> = group
        .rules
        .iter()
        .map(|rule| (rule.severity(), &*rule.key.rule))
        .collect();
    assert_eq!(keys, [("page", "A"), ("info", "A"), ("info", "A#2")]);
    assert_eq!(group.rules[0].labels["team"].source(), "a");
    assert_eq!(read.duplicates.len(), 1);
}
