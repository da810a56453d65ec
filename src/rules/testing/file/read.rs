//! A file of tests, read as strictly as promtool reads it. Takes its text; hands on the tests, or every mistake.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::document::{Problem, Reader, Section};
use crate::rules::file::yaml;
use crate::sample::Labels;

use super::values::{flag, moment, number, placed_texts, texts};
use super::{AlertCase, ExpectedAlert, ExpressionCase, Test, TestFile, Written};

/// How often rules are evaluated where the file says nothing.
const INTERVAL: Duration = Duration::from_secs(60);

/// Reads a file of tests.
///
/// # Errors
/// Every mistake.
pub(in crate::rules::testing) fn read(name: &str, text: &str) -> Result<TestFile, Vec<Problem>> {
    let (root, _) = yaml::read(name, text).map_err(|problem| vec![problem])?;
    let reader = Reader::as_in_go();
    let file = reader.read(&root, file);
    match reader.problems() {
        problems if problems.is_empty() => Ok(file),
        problems => Err(problems),
    }
}

fn file(s: &mut Section) -> TestFile {
    let rule_files = placed_texts(
        s,
        "rule_files",
        "The rules to test; `*` and `?` match in the file name.",
    );
    let interval = s.optional_duration("evaluation_interval", "How often rules are evaluated.");
    let interval = interval
        .filter(|interval| !interval.is_zero())
        .unwrap_or(INTERVAL);
    let fuzzy = flag(
        s,
        "fuzzy_compare",
        "Whether the last bit of a value does not count.",
    );
    let order = placed_texts(
        s,
        "group_eval_order",
        "Names of groups, in the order of their evaluation.",
    );
    let mut seen = BTreeSet::new();
    for (name, _) in &order {
        if !seen.insert(name) {
            s.problem(
                "group_eval_order",
                format!("group `{name}` stands here twice"),
                None,
            );
        }
    }
    TestFile {
        rule_files,
        interval,
        fuzzy,
        order: order.into_iter().map(|(name, _)| name).collect(),
        tests: s.list("tests", "Series, and what is expected over them.", |s| {
            test(s, interval)
        }),
    }
}

fn test(s: &mut Section, default: Duration) -> Test {
    let interval = s.optional_duration("interval", "The time between two values of a series.");
    let start = s.parsed(
        "start_timestamp",
        "moment",
        "0",
        "The moment of the first values.",
        moment,
    );
    Test {
        name: s.text("name", "", "What is tested."),
        interval: interval
            .filter(|interval| !interval.is_zero())
            .unwrap_or(default),
        start: start.unwrap_or_default(),
        input: s.list("input_series", "Series with their values.", |s| Written {
            place: s.place().clone(),
            series: s.text("series", "", "Name and labels."),
            values: s.text("values", "", "The values, such as `1 2 5+1x3 _x2 stale`."),
        }),
        alerts: s.list("alert_rule_test", "Alerts that should fire.", alert_case),
        expressions: s.list(
            "promql_expr_test",
            "Values that expressions should have.",
            expression_case,
        ),
        external_labels: Labels::new(texts(
            s,
            "external_labels",
            "Labels of the whole Prometheus, for templates.",
        )),
        external_url: s.text(
            "external_url",
            "",
            "The address of the whole Prometheus, for templates.",
        ),
    }
}

fn alert_case(s: &mut Section) -> AlertCase {
    let at = s.optional_duration("eval_time", "When, counted from the start.");
    let alert = s.text("alertname", "", "The alert.");
    if alert.is_empty() {
        s.problem(
            "",
            "`alertname` is missing",
            Some("write the name of the alert whose state is expected here"),
        );
    }
    let expected = s.list(
        "exp_alerts",
        "Each alert that fires; none where nothing should.",
        |s| {
            let mut labels = texts(s, "exp_labels", "All its labels but `alertname`.");
            labels.insert("alertname".into(), alert.clone());
            ExpectedAlert {
                labels,
                annotations: texts(s, "exp_annotations", "All its annotations."),
            }
        },
    );
    AlertCase {
        place: s.place().clone(),
        at: at.unwrap_or_default(),
        alert,
        expected,
    }
}

fn expression_case(s: &mut Section) -> ExpressionCase {
    ExpressionCase {
        place: s.place().clone(),
        text: s.text("expr", "", "The expression."),
        at: s
            .optional_duration("eval_time", "When, counted from the start.")
            .unwrap_or_default(),
        expected: s.list("exp_samples", "Each element of the value.", |s| {
            if !s.text("histogram", "", "A native histogram.").is_empty() {
                s.problem(
                    "histogram",
                    "native histograms are not evaluated here",
                    Some("expect a number under `value`"),
                );
            }
            (
                s.text("labels", "", "Name and labels."),
                number(s, "value", "The value."),
            )
        }),
    }
}
