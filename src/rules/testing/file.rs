//! A file of tests, read as strictly as promtool reads it. Takes its text; hands on the tests, or every mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::document::{Node, Place, Problem, Reader, Section, Value, parse_number};
use crate::sample::{Labels, Timestamp};

use super::glob::glob;
use crate::rules::file::yaml;

/// How often rules are evaluated where the file says nothing.
const INTERVAL: Duration = Duration::from_secs(60);

/// A file of tests.
pub(super) struct TestFile {
    rule_files: Vec<(String, Place)>,
    /// How often all rules are evaluated, whatever their groups say.
    pub(super) interval: Duration,
    /// Whether values that differ in their last bit alone are the same.
    pub(super) fuzzy: bool,
    /// The names of groups, in the order of their evaluation.
    pub(super) order: Vec<String>,
    pub(super) tests: Vec<Test>,
}

/// Series, and what is expected over them.
pub(super) struct Test {
    /// Empty for a test without a name.
    pub(super) name: String,
    /// The time between two values of a series.
    pub(super) interval: Duration,
    /// The moment from which all is counted.
    pub(super) start: Timestamp,
    pub(super) input: Vec<Written>,
    pub(super) alerts: Vec<AlertCase>,
    pub(super) expressions: Vec<ExpressionCase>,
    pub(super) external_labels: Labels,
    pub(super) external_url: String,
}

/// A series as it is written.
pub(super) struct Written {
    pub(super) place: Place,
    pub(super) series: String,
    pub(super) values: String,
}

/// The alerts of one name that should fire at a time.
pub(super) struct AlertCase {
    pub(super) place: Place,
    pub(super) at: Duration,
    pub(super) alert: String,
    pub(super) expected: Vec<ExpectedAlert>,
}

/// An alert that should fire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ExpectedAlert {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// The value that an expression should have at a time.
pub(super) struct ExpressionCase {
    pub(super) place: Place,
    pub(super) at: Duration,
    pub(super) text: String,
    /// Labels as they are written, and values.
    pub(super) expected: Vec<(String, f64)>,
}

/// Reads a file of tests.
///
/// # Errors
/// Every mistake.
pub(super) fn read(name: &str, text: &str) -> Result<TestFile, Vec<Problem>> {
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

/// A number that is not written in quotes, for those are texts.
fn number(s: &mut Section, key: &str, doc: &str) -> f64 {
    let Some(node) = s.node(key, "number", doc) else {
        return 0.0;
    };
    let value = match &node.value {
        Value::Scalar(text) if !node.quoted => parse_number(text),
        _ => None,
    };
    value.unwrap_or_else(|| {
        s.problem(
            key,
            "is no number",
            Some("write `3`, `0.5`, `1e3`, `.inf` or `.nan`, without quotes"),
        );
        0.0
    })
}

/// `true` or another of YAML's words for it, which are no texts.
fn flag(s: &mut Section, key: &str, doc: &str) -> bool {
    let Some(node) = s.node(key, "true or false", doc) else {
        return false;
    };
    let word = match &node.value {
        Value::Scalar(text) if !node.quoted => text.to_lowercase(),
        _ => String::new(),
    };
    let yes = ["true", "yes", "on", "y"].contains(&word.as_str());
    if !yes && !["false", "no", "off", "n"].contains(&word.as_str()) {
        s.problem(key, "is neither `true` nor `false`", None);
    }
    yes
}

/// Names and texts; nothing is the empty text.
fn texts(s: &mut Section, key: &str, doc: &str) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let Some(node) = s.node(key, "mapping of texts", doc) else {
        return texts;
    };
    let Value::Map(entries) = &node.value else {
        s.problem(key, "must be a mapping of names to texts", None);
        return texts;
    };
    for (name, Node { value, .. }) in entries {
        match value {
            Value::Scalar(text) => texts.insert(name.text.clone(), text.clone()),
            Value::Null => texts.insert(name.text.clone(), String::new()),
            Value::List(_) | Value::Map(_) => {
                s.problem(key, format!("`{}` must be a single text", name.text), None);
                None
            }
        };
    }
    texts
}

fn placed_texts(s: &mut Section, key: &str, doc: &str) -> Vec<(String, Place)> {
    let Some(node) = s.node(key, "list of texts", doc) else {
        return Vec::new();
    };
    let Value::List(items) = &node.value else {
        s.problem(
            key,
            "must be a list of texts",
            Some("write it in brackets, as in `[one, two]`"),
        );
        return Vec::new();
    };
    let mut texts = Vec::new();
    for item in items {
        match &item.value {
            Value::Scalar(text) => texts.push((text.clone(), item.place.clone())),
            _ => s.problem(key, "each must be a single text", None),
        }
    }
    texts
}

/// Seconds since the epoch, or a moment as RFC 3339 writes it.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Ok(Timestamp::from_seconds(seconds));
    }
    let moment = text.parse::<jiff::Timestamp>().map_err(|_| {
        format!("`{text}` is no moment; write seconds since 1970, or a text such as `2026-01-31T12:00:00Z`")
    })?;
    Ok(Timestamp(moment.as_millisecond()))
}

impl TestFile {
    /// Every rule file, those of relative names under the folder of the tests; and what pattern means no file, which is
    /// no mistake.
    ///
    /// # Errors
    /// The patterns that are none.
    pub(super) fn rule_files(
        &self,
        folder: &Path,
    ) -> Result<(Vec<PathBuf>, Vec<Problem>), Vec<Problem>> {
        let (mut files, mut missing, mut mistakes) = (Vec::new(), Vec::new(), Vec::new());
        let patterns = self.rule_files.iter();
        for (pattern, place) in patterns.filter(|(pattern, _)| !pattern.is_empty()) {
            match glob(&folder.join(pattern)) {
                Ok(found) if found.is_empty() => {
                    missing.push(Problem::at(place, format!("no file matches `{pattern}`")));
                }
                // A file that two patterns mean counts once.
                Ok(found) => {
                    for path in found {
                        if !files.contains(&path) {
                            files.push(path);
                        }
                    }
                }
                Err(cause) => mistakes.push(Problem::at(place, cause)),
            }
        }
        if mistakes.is_empty() {
            Ok((files, missing))
        } else {
            Err(mistakes)
        }
    }
}
