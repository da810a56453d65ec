//! Rule files are accepted and refused as promtool does (R1 to R9), each refusal with line and column.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use pgvigil::rules::{Checked, check};

use super::super::harness::{Scratch, pgvigil, prometheus3};
use super::{cases, said};

/// Files that a text editor would not show as they are.
const PECULIAR: [&str; 11] = [
    "",
    "groups:\r\n- name: g\r\n  rules:\r\n  - alert: A\r\n    expr: |\r\n      up ==\r\n      0\r\n",
    "groups:\r- name: g\r",
    "\u{feff}groups: []\n",
    "\u{feff}---\ngroups: []\n",
    "groups:\n- name: \u{7}\n",
    "groups:\n- name: \"\0\"\n",
    "groups:\n- name: a\u{7f}b\n",
    "groups:\n\t- name: g\n",
    "groups: \t[]",
    "groups: [{name: g}]",
];

/// What we judge otherwise, and why.
const OTHERWISE: [(&str, bool, &str); 10] = [
    (
        "groups:\n- name: \"a\n  b\"\n",
        false,
        "YAML asks for more indentation than that of the key",
    ),
    (
        "groups:\n- name: g\n  rules:\n  - alert: \"a\\\n    b\"\n    expr: up\n",
        false,
        "YAML asks for more indentation than that of the key",
    ),
    ("groups:\n- name:\tg\n", false, "a tab after a colon"),
    (
        "groups:\n- name: a\u{85}b\n",
        true,
        "a line break of YAML 1.1 that is none in 1.2",
    ),
    (
        "groups:\n- name: a\u{2028}b\n",
        true,
        "a line break of YAML 1.1 that is none in 1.2",
    ),
    (
        "groups: []\n\u{feff}\n",
        true,
        "a byte order mark in the middle is passed over",
    ),
    (
        "groups:\n- {name: !!int g}\n",
        true,
        "tags of texts are not looked at",
    ),
    (
        "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {a: '{{ now }}'}}]}]\n",
        true,
        "templates know what later versions of Prometheus do",
    ),
    (
        "groups: [{name: g, rules: [{alert: A, expr: up, annotations: {a: '{{ urlQueryEscape \"a\" }}'}}]}]\n",
        true,
        "templates know what later versions of Prometheus do",
    ),
    (
        "groups: [{name: g, rules: [{alert: A, expr: 'histogram_count(up)'}]}]\n",
        false,
        "native histograms are not evaluated here",
    ),
];

fn theirs(scratch: &Scratch, number: usize, text: &str) -> Output {
    let path = scratch.write(format!("{number}.yml"), text);
    let mut promtool = Command::new(prometheus3("promtool"));
    promtool
        .args(["check", "rules"])
        .arg(path)
        .output()
        .unwrap()
}

fn told(checked: &Checked) -> Vec<String> {
    checked.mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn files_are_accepted_and_refused_as_by_promtool() {
    let scratch = Scratch::new();
    let mut texts = cases("check.txt");
    texts.extend(PECULIAR.map(str::to_owned));
    let mut refused = 0;
    for (number, text) in texts.iter().enumerate() {
        let theirs = theirs(&scratch, number, text);
        let ours = check("r.yml", text, false);
        let told = told(&ours);
        assert_eq!(
            told.is_empty(),
            theirs.status.success(),
            "{text}\nours: {told:#?}\ntheirs: {}",
            said(&theirs)
        );
        for mistake in &told {
            let mut place = mistake.strip_prefix("r.yml:").unwrap().split(':');
            let mut number = || place.next().and_then(|part| part.parse::<usize>().ok());
            assert!(
                number() > Some(0) && number() > Some(0),
                "{text}\n{mistake}"
            );
        }
        refused += usize::from(!told.is_empty());
    }
    assert!(refused > 100 && texts.len() - refused > 100, "{refused}");
}

#[test]
fn what_is_judged_otherwise_is_known() {
    let scratch = Scratch::new();
    for (number, (text, accepted, reason)) in OTHERWISE.iter().enumerate() {
        let theirs = theirs(&scratch, number, text);
        let ours = told(&check("r.yml", text, false));
        assert_eq!(ours.is_empty(), *accepted, "{reason}: {text}\n{ours:#?}");
        assert_eq!(
            theirs.status.success(),
            !accepted,
            "{reason}: {text}\n{}",
            said(&theirs)
        );
    }
}

const TWICE: &str = "groups:\n- {name: g, labels: {a: b}, rules: [{alert: A, expr: up}, {record: c, expr: up}]}\n\
                     - {name: h, rules: [{alert: A, expr: down, labels: {a: b}}]}\n";
const ONCE: &str = "groups:\n- {name: g, labels: {a: b}, rules: [{alert: A, expr: up}]}\n\
                    - {name: h, rules: [{alert: A, expr: down}]}\n";
const BAD: &str = "groups:\n- name: g\n  rules: [{alert: A}]\n";

#[test]
fn lints_and_exit_codes_are_promtools() {
    let scratch = Scratch::new();
    let twice = scratch.write("twice.yml", TWICE);
    let once = scratch.write("once.yml", ONCE);
    let bad = scratch.write("bad.yml", BAD);
    let good = scratch.write("good.yml", "groups: []\n");
    let nowhere = scratch.join("nowhere.yml");
    let cases = [
        (vec![], vec![&good], 0),
        (vec!["--lint-fatal"], vec![&good], 0),
        (vec![], vec![&twice], 0),
        (vec!["--lint-fatal"], vec![&twice], 3),
        (vec!["--lint-fatal"], vec![&once], 0),
        (vec!["--lint-fatal", "--lint=none"], vec![&twice], 0),
        (vec!["--lint-fatal", "--lint=all"], vec![&twice, &good], 3),
        (
            vec!["--lint-fatal", "--lint=none,duplicate-rules"],
            vec![&twice],
            3,
        ),
        (vec!["--lint-fatal"], vec![&twice, &bad], 1),
        (vec![], vec![&bad, &good], 1),
        (vec![], vec![&nowhere], 1),
    ];
    for (flags, files, code) in cases {
        for (mut program, words) in [
            (pgvigil(), "check rules"),
            (Command::new(prometheus3("promtool")), "check rules"),
        ] {
            program.args(words.split(' ')).args(&flags).args(&files);
            let output = program.output().unwrap();
            assert_eq!(
                output.status.code(),
                Some(code),
                "{flags:?} {files:?}\n{}",
                said(&output)
            );
        }
    }
}

#[test]
fn a_file_may_come_through_standard_input() {
    for (arguments, text, code) in [
        (&["check", "rules"][..], TWICE, 0),
        (&["check", "rules", "-", "--lint-fatal"], TWICE, 3),
        (&["check", "rules"], BAD, 1),
    ] {
        let mut command = pgvigil();
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(
            said(&output).starts_with("standard input: "),
            "{}",
            said(&output)
        );
    }
}

/// Every mistake in one run: where, in which rule, why, and the way out.
#[test]
fn mistakes_are_told_all_at_once() {
    let text = "groups:\n- name: g\n  intervall: 1m\n  rules:\n  - alert: A\n    expr: sum(up) by (a\n    for: 1.5h\n    \
                labels: {__name__: x}\n    annotations: {summary: '{{ $label.x }}'}\n  - record: r{a=\"b\"}\n    expr: up\n    for: 5m\n";
    let told = told(&check("r.yml", text, false));
    let begins = [
        "r.yml:3:3: group `g`, intervall: unknown key\n  hint: did you mean `interval`?",
        "r.yml:6:11: group `g`, rule 1, `A`, expr: could not parse expression: ",
        "r.yml:7:10: group `g`, rule 1, `A`, for: `1.5h` is no duration; write a number and a unit",
        "r.yml:8:24: group `g`, rule 1, `A`: `__name__` is no label that a rule may set",
        "r.yml:9:28: group `g`, rule 1, `A`: template of annotation `summary`: undefined variable \"$label\"",
        "r.yml:10:13: group `g`, rule 2, `r{a=\"b\"}`, record: `r{a=\"b\"}` is no metric name\n  hint: give the metric's name alone",
        "r.yml:12:10: group `g`, rule 2, `r{a=\"b\"}`, for: a recording rule cannot have it",
    ];
    assert_eq!(told.len(), begins.len(), "{told:#?}");
    for (mistake, begin) in told.iter().zip(begins) {
        assert!(mistake.starts_with(begin), "{mistake}\n{begin}");
    }
}
