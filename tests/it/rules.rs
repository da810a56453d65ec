//! Rule files, templates and the default set against promtool, which is Prometheus' own reading of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use pgvigil::rules::{Before, Context, RuleSet, Settings, evaluate, load};
use pgvigil::sample::{Labels, Timestamp};
use pgvigil::store::{self, Store};

use super::harness::{Scratch, tool};

mod check;
mod lint;
mod running;
mod timeline;
mod unit;

const ALERTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/alerts");

fn promtool(arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new(tool("promtool"));
    command
        .args(arguments)
        .arg(file)
        .output()
        .expect("promtool")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn accepted(arguments: &[&str], file: &Path) {
    let output = promtool(arguments, file);
    assert!(
        output.status.success(),
        "{}\n{}",
        file.display(),
        said(&output)
    );
}

fn files(folder: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(Path::new(ALERTS).join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "yml"))
        .collect();
    paths.sort();
    paths
}

/// The texts of a file of cases, which a line of `=====` sets apart.
fn cases(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/rules")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.split("=====\n").map(str::to_owned).collect()
}

fn settings(files: &[&str]) -> Settings {
    Settings {
        interval: Duration::from_secs(15),
        files: files.iter().map(|name| (*name).to_owned()).collect(),
        disable: Vec::new(),
        overrides: Vec::new(),
    }
}

#[test]
fn promtool_accepts_every_rule_file_without_a_finding() {
    for path in files(".").iter().chain(&files("examples")) {
        accepted(&["check", "rules", "--lint-fatal"], path);
    }
}

#[test]
fn every_rule_fires_and_clears_in_prometheus() {
    for path in files("tests") {
        accepted(&["test", "rules"], &path);
    }
}

#[test]
fn every_rule_has_a_test_and_says_what_it_means() {
    let set = load(&settings(&["example:guide", "example:performance"])).unwrap();
    let tests: String = files("tests")
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for rule in set.groups.iter().flat_map(|group| &group.rules) {
        let (name, severity) = (&rule.name, rule.severity());
        let expected = format!(r#"alertname="{name}", severity="{severity}""#);
        assert!(
            tests.contains(&expected) || **name == *"Watchdog",
            "{name}/{severity} has no test"
        );
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{name}: {severity}"
        );
        let annotations: BTreeSet<&str> = rule
            .alerting()
            .unwrap()
            .annotations
            .keys()
            .map(String::as_str)
            .collect();
        assert!(
            ["summary", "description", "hint"]
                .iter()
                .all(|name| annotations.contains(name)),
            "{name}"
        );
    }
}

#[test]
fn every_metric_of_a_default_rule_is_declared() {
    let set = load(&settings(&["example:guide", "example:performance"])).unwrap();
    let collectors = pgvigil::collectors::load(&[]).unwrap();
    let known = pgvigil::app::selectable_metrics(&collectors, false);
    let unknown: Vec<String> = set
        .unknown_metrics(&known)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}

const VALUES: [&str; 10] = [
    "1234567",
    "0.123456789",
    "93784.5",
    "100000",
    "-0.00042",
    "-1500",
    "0",
    "NaN",
    "Inf",
    "1.2345678901234568e23",
];

const TEMPLATES: [&str; 24] = [
    "{{ $value }}|{{ humanize $value }}|{{ humanize1024 $value }}|{{ humanizePercentage $value }}",
    r#"{{ printf "%.2f|%.0f|%f|%.4g|%e|%v|%8.1f|%-8.1f|%+.1f|%08.2f" $value $value $value $value $value $value $value $value $value $value }}"#,
    r#"{{ printf "%d %s %q %x %t %c" $value $value $value 255 true 'x' }}"#,
    r#"{{ printf "%s %d %v" "a" 3 }}{{ printf "x" 1 }}{{ printf "%5d|%-5d|%05d|%+d|%x|%X|%o|%b|%6s|%-6s|%.1s|%q" 42 42 42 42 255 255 8 5 "ab" "ab" "ab" "a\"b" }}"#,
    "{{ humanizeDuration 0.5 }}|{{ humanizeDuration 59.99 }}|{{ humanizeDuration 61 }}|{{ humanizeDuration -3661.5 }}|{{ humanizeDuration 90061 }}",
    "{{ $labels }} {{ $labels.a }} {{ $labels.missing }}. {{ .Labels.b }} {{ .Value }}",
    "{{ humanizeTimestamp 1435065584.128 }} {{ toTime 1435065584 }} {{ title \"two words\" }} {{ toUpper \"a\" }}{{ toLower \"B\" }}",
    "{{ if gt 2.5 1.0 }}yes{{ else }}no{{ end }} {{ and 1 0 }} {{ or \"\" \"x\" }} {{ not 0 }} {{ eq 1 2 1 }} {{ ne \"a\" \"b\" }} {{ le 1 1 }}",
    "{{ range query \"m\" | sortByLabel \"a\" }}<{{ .Labels.a }} {{ .Value }}>{{ end }}{{ with query \"none\" }}x{{ else }}-{{ end }}",
    "{{ range $i, $s := query \"m\" | sortByLabel \"a\" }}{{ if $i }}, {{ end }}{{ $s.Labels.a }}{{ end }}",
    "{{ query \"sum(m)\" | first | value | humanize }} {{ with query \"m{a='1'}\" }}{{ . | first | label \"b\" }}{{ end }}",
    "{{ define \"t\" }}[{{ .arg0 }}/{{ .arg1 }}]{{ end }}{{ template \"t\" (args 1 \"x\") }}{{ template \"t\" (args \"y\" 2.5) }}",
    "{{ $x := 1 }}{{ range query \"m\" }}{{ $x = .Value }}{{ end }}{{ with $y := \"z\" }}{{ $y }}{{ end }} a {{- \" b \" -}} c",
    "{{ reReplaceAll \"(.*)-(.*)\" \"$2+$1\" \"l-r\" }} {{ match \"^a.c$\" \"abc\" }} {{ stripPort \"h.x:1\" }} {{ stripDomain \"h.x:1\" }}",
    "{{ html \"<a href='x'>&\" }} {{ js \"it's <b>\" }} {{ urlquery \"a b&c/d\" }} {{ len \"abc\" }} {{ index \"abc\" 1 }} {{ slice \"abcdef\" 1 3 }}",
    "{{ print 1 2 \"a\" \"b\" 3 4 }} {{ println 1 \"a\" }}{{ `raw \\n` }} {{ \"\\u00e9\\t.\" }} {{ 'a' }} {{ 0x1F }} {{ 1_000 }} {{ -.5 }} {{ 1e3 }}",
    "{{ graphLink \"up == 0\" }} {{ tableLink \"up\" }} {{ parseDuration \"1h30m\" }} {{ safeHtml \"<b>\" }}",
    "{{/* a comment */}}{{- /* another */ -}} x {{ len $labels }} {{ true }} {{ ($labels).a }} {{ (query \"sum(m)\" | first).Value }}",
    "{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}{{ block \"b\" 5 }}<{{ . }}>{{ end }}",
    "{{ 1000000 }} {{ 1000000.0 }} {{ 123456.0 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1e21 }} {{ humanize \"1500\" }} {{ 3.0 }}",
    "{{ range query \"m\" }}{{ break }}{{ end }}{{ range query \"m\" | sortByLabel \"a\" }}{{ if eq .Value 7.0 }}{{ continue }}{{ end }}{{ .Value }}{{ end }}",
    "{{ printf \"%v %v %s\" $labels true $labels }} {{ printf \"%T %T %T\" $value 1 \"a\" }} {{ printf \"%%|%6.2f%%\" 12.345 }} {{ printf \"%*d\" 5 42 }}",
    "{{ $externalLabels }}|{{ $externalURL }}|{{ .ExternalLabels }}|{{ .ExternalURL }}",
    "{{ if and (gt 1 0) (lt 1.5 2.5) }}a{{ else if true }}b{{ end }}{{ with \"\" }}c{{ else }}d{{ end }}",
];

/// Each template for each value, printed by us and expected of promtool.
#[test]
fn templates_print_as_prometheus_prints_them() {
    let scratch = Scratch::new();
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let mut rules = String::from("groups:\n- name: g\n  rules:\n");
    for (number, value) in VALUES.iter().enumerate() {
        rules += &format!(
            "  - alert: A{number}\n    expr: m{{a=\"1\"}} * 0 + {value} or m{{a=\"1\"}} * {value}\n    annotations:\n"
        );
        for (place, template) in TEMPLATES.iter().enumerate() {
            rules += &format!("      t{place}: {}\n", quoted(template));
        }
    }
    let path = scratch.join("rules.yml");
    std::fs::write(&path, &rules).unwrap();
    let set = load(&settings(&[path.to_str().unwrap()]))
        .unwrap_or_else(|problems| panic!("{problems:#?}"));

    let mut tests = format!(
        "rule_files: [{}]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n",
        path.display()
    );
    tests += "  - {series: 'm{a=\"1\", b=\"x y\"}', values: '5 5'}\n  - {series: 'm{a=\"2\", b=\"z\"}', values: '7 7'}\n";
    tests += "  alert_rule_test:\n";
    for (name, annotations) in printed(&set, path.to_str().unwrap()) {
        tests += &format!(
            "  - eval_time: 1m\n    alertname: {name}\n    exp_alerts:\n    - exp_labels: {{a: '1', b: 'x y'}}\n"
        );
        tests += "      exp_annotations:\n";
        for (annotation, text) in annotations {
            tests += &format!("        {annotation}: {}\n", quoted(&text));
        }
    }
    let path = scratch.join("tests.yml");
    std::fs::write(&path, &tests).unwrap();
    accepted(&["test", "rules"], &path);
}

/// The annotations of every alert of a file, by the alert's name.
fn printed(set: &RuleSet, file: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let (start, slot) = (Timestamp(0), Timestamp(60_000));
    let store = Store::new(
        &store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 20,
        },
        start,
    );
    let series = |a: &str, b: &str| Labels::new([("__name__", "m"), ("a", a), ("b", b)]);
    store.append(
        slot,
        &Default::default(),
        [(series("1", "x y"), 5.0), (series("2", "z"), 7.0)],
    );
    let nothing = Labels::default();
    let context = Context {
        external_labels: &nothing,
        external_url: "",
        retired: &|_| false,
        fresh: &|_| true,
        limits: Default::default(),
    };
    let group = set
        .groups
        .iter()
        .find(|group| *group.file == *file)
        .unwrap();
    let each = group.rules.iter().map(|rule| {
        let evaluation = evaluate(rule, group, Before::default(), &store, slot, &context).unwrap();
        (
            rule.name.to_string(),
            evaluation.alerts[0].annotations.clone(),
        )
    });
    each.collect()
}
