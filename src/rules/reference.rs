//! The reference of the embedded rules, written from the rule files.

use std::fmt::Write;
use std::time::Duration;

use crate::document::format_duration;

use super::embedded::{DEFAULT, EXAMPLES};
use super::file::Strictness;
use super::{Group, Rule, Template, file};

const HEAD: &str = "# Rules

Written from the rule files by `make docs`. The default set is always in force, but for what
`rules.disable` names; `rules.override` changes one rule by `Name` or `Name/severity`. Examples are switched on by their
name in `rules.files`. The files in `alerts/` are plain Prometheus rule files and work there unchanged.
";

/// The text of `docs/rules.md`.
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    for (name, source) in DEFAULT.iter().chain(&EXAMPLES) {
        // The interval of a group is not shown, so any will do.
        let read = file::parse(name, source, Duration::ZERO, Strictness::default());
        let groups = read.unwrap_or_default().groups;
        let _ = writeln!(text, "\n## {name}\n\n{}", comment(source));
        for group in &groups {
            section(&mut text, group);
        }
    }
    text
}

/// The comment that a file begins with.
fn comment(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("# "));
    lines.collect::<Vec<_>>().join("\n")
}

fn section(text: &mut String, group: &Group) {
    let _ = writeln!(text, "\n### {}\n", group.name);
    text.push_str("| alert | severity | for | condition | meaning | first |\n| --- | --- | --- | --- | --- | --- |\n");
    for rule in &group.rules {
        let _ = writeln!(
            text,
            "| {} | {} | {} | `{}` | {} | {} |",
            rule.name,
            rule.severity(),
            hold(rule),
            cell(rule.query.text()),
            annotation(rule, "description"),
            annotation(rule, "hint"),
        );
    }
}

fn hold(rule: &Rule) -> String {
    let hold = rule
        .alerting()
        .map(|alerting| alerting.hold)
        .unwrap_or_default();
    if hold.is_zero() {
        String::new()
    } else {
        format_duration(hold)
    }
}

fn annotation(rule: &Rule, name: &str) -> String {
    let template = rule
        .alerting()
        .and_then(|alerting| alerting.annotations.get(name));
    cell(template.map_or("", Template::source))
}

/// On one line, and without what would end a cell.
fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}
