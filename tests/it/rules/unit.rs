//! Unit tests of rules: verdicts and exit codes are promtool's, test by test, and what fails is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::super::harness::{Scratch, pgvigil, prometheus3};
use super::{cases, files, said};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules");

/// The files of tests in the corpus; beside them lie the rules that they test.
fn corpus() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(Path::new(CORPUS).join("unit"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.ends_with(".yml") && !name.ends_with(".rules.yml")
        })
        .collect();
    found.sort();
    found
}

/// Which tests failed, by name, and how the program ended.
fn verdicts(mut command: Command, path: &Path) -> (BTreeMap<String, bool>, Output) {
    let scratch = Scratch::new();
    let junit = scratch.join("junit.xml");
    let output = command
        .arg("--junit")
        .arg(&junit)
        .arg(path)
        .output()
        .unwrap();
    let xml = fs::read_to_string(&junit).unwrap_or_default();
    let mut verdicts = BTreeMap::new();
    for case in xml.split("<testcase name=\"").skip(1) {
        let (name, rest) = case.split_once('"').unwrap();
        let body = rest.split("</testcase>").next().unwrap();
        let name = name
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&quot;", "\"");
        verdicts.insert(name, body.contains("<failure"));
    }
    (verdicts, output)
}

fn ours() -> Command {
    let mut command = pgvigil();
    command.args(["rules", "test"]);
    command
}

fn theirs() -> Command {
    let mut command = Command::new(prometheus3("promtool"));
    command.args(["test", "rules"]);
    command
}

#[test]
fn verdicts_are_those_of_promtool_test_by_test() {
    let mut count = 0;
    for path in corpus().iter().chain(&files("tests")) {
        let (expected, their_output) = verdicts(theirs(), path);
        let (found, our_output) = verdicts(ours(), path);
        assert_eq!(
            found,
            expected,
            "{}\n{}\n{}",
            path.display(),
            said(&our_output),
            said(&their_output)
        );
        assert_eq!(our_output.status.code(), their_output.status.code());
        // The corpus says of itself what is to fail, lest all fail alike for a reason nobody meant.
        if path.starts_with(CORPUS) {
            for (name, failed) in &expected {
                assert_eq!(
                    *failed,
                    name.starts_with("fails: "),
                    "{}: {name}",
                    path.display()
                );
            }
        }
        count += expected.len();
    }
    assert!(count > 150, "only {count} tests were compared");
}

#[test]
fn files_of_tests_are_refused_as_by_promtool() {
    let scratch = Scratch::new();
    scratch.write("bad.yml", "groups: [{name: g, rules: [{alert: A}]}]");
    let cases = cases("unit-files.txt");
    for (number, text) in cases.iter().enumerate() {
        let path = scratch.write(format!("{number}.yml"), text);
        let (mut ours, mut theirs) = (ours(), theirs());
        let (ours, theirs) = (
            ours.arg(&path).output().unwrap(),
            theirs.arg(&path).output().unwrap(),
        );
        assert_eq!(
            ours.status.code(),
            theirs.status.code(),
            "{text}\nours: {}\ntheirs: {}",
            said(&ours),
            said(&theirs)
        );
    }
    assert!(cases.len() > 60);
}

#[test]
fn what_is_not_there_ends_as_in_promtool() {
    for program in [ours(), theirs()] {
        let mut program = program;
        let output = program.arg("/nowhere/tests.yml").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    }
}

const RULES: &str = "
groups:
- name: g
  rules:
  - alert: High
    expr: m > 80
    for: 5m
    labels: {severity: page}
    annotations: {summary: '{{ $labels.instance }} is at {{ $value }}'}
";

const TESTS: &str = "\
rule_files: [rules.yml]
tests:
- name: too early
  input_series:
  - {series: 'm{instance=\"a\"}', values: '10 90x3 10 90x9 95'}
  alert_rule_test:
  - {eval_time: 8m, alertname: High, exp_alerts: [{exp_labels: {instance: a, severity: page}}]}
  - eval_time: 14m
    alertname: High
    exp_alerts:
    - exp_labels: {instance: a, severity: critical}
      exp_annotations: {summary: a is at 90}
  promql_expr_test:
  - {expr: 'm > 80', eval_time: 6m, exp_samples: [{labels: 'm{instance=\"a\"}', value: 91}]}
- name: misspelt
  alert_rule_test: [{eval_time: 1m, alertname: Hihg, exp_alerts: [{}]}]
- name: native
  input_series: [{series: h, values: '{{schema:0}}'}]
";

const TOLD: &str = "\
tests.yml: 0 passed, 3 failed

failed: too early
  tests.yml:7:5: alert `High` at 8m: 1 is expected to fire, none does
    - {instance=\"a\", severity=\"page\"}
    states of `High`:
      {instance=\"a\", severity=\"page\"}: inactive → pending at 1m (value 90) → inactive at 5m → pending at 6m (value 90)
  tests.yml:8:5: alert `High` at 14m: what fires is not what is expected
      {instance=\"a\", severity=\"critical\"}
    -   label severity: \"critical\"
    +   label severity: \"page\"
    states of `High`:
      {instance=\"a\", severity=\"page\"}: inactive → pending at 1m (value 90) → inactive at 5m → pending at 6m (value 90) → firing at 11m (value 90)
  tests.yml:14:5: `m > 80` at 6m: the value is not as expected
    - m{instance=\"a\"} 91
    + m{instance=\"a\"} 90
    values until then:
      m{instance=\"a\"}: absent → 90 at 1m → absent at 5m → 90 at 6m

failed: misspelt
  tests.yml:16:21: alert `Hihg` at 1m: 1 is expected to fire, none does
    - {}
    no rule is called `Hihg`; did you mean `High`?
    `Hihg` was inactive all the time

failed: native
  tests.yml:18:18: series `h {{schema:0}}`: native histograms (`{{…}}`) are not evaluated here, numbers alone are
";

#[test]
fn a_failure_tells_how_it_came_to_it() {
    let scratch = Scratch::new();
    scratch.write("rules.yml", RULES);
    scratch.write("tests.yml", TESTS);
    let mut command = ours();
    let output = command
        .arg("tests.yml")
        .current_dir(scratch.path())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told, TOLD);
}

#[test]
fn a_test_may_begin_at_any_moment_and_only_some_be_run() {
    let scratch = Scratch::new();
    let tests = "tests:\n- name: dated\n  start_timestamp: 2026-01-31T12:00:00Z\n  input_series: [{series: m, values: 1 2}]\n  \
                 promql_expr_test:\n  - {expr: timestamp(m), eval_time: 1m, exp_samples: [{labels: '{}', value: 1769860860}]}\n\
                 - name: seconds\n  start_timestamp: 60.5\n  promql_expr_test: [{expr: time(), eval_time: 1m, exp_samples: [{value: 120.5}]}]\n\
                 - {name: broken, promql_expr_test: [{expr: nosuch(1)}]}\n";
    let path = scratch.write("tests.yml", tests);
    let mut command = ours();
    let output = command
        .arg(&path)
        .args(["--run", "dated", "--run", "^sec"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("2 passed"), "{}", said(&output));
}

#[test]
fn unknown_keys_of_rule_files_are_passed_over_where_it_is_asked_for() {
    let scratch = Scratch::new();
    scratch.write("rules.yml", "owner: me\ngroups: [{name: g, team: x, rules: [{alert: A, expr: vector(1), runbook: y}]}]\n");
    let path = scratch.write("tests.yml", "rule_files: [rules.yml]\ntests:\n- {alert_rule_test: [{alertname: A, exp_alerts: [{}]}]}\n");
    for (program, flag, code) in [
        (ours(), None, 1),
        (theirs(), None, 1),
        (ours(), Some("--ignore-unknown-fields"), 0),
        (theirs(), Some("--ignore-unknown-fields"), 0),
    ] {
        let mut program = program;
        let output = program.args(flag).arg(&path).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{flag:?} {}",
            said(&output)
        );
    }
}
