//! The verdicts as JUnit's XML, which build servers read.

use crate::document::Problem;
use crate::sample::Timestamp;

use super::{TestResult, Tested};

/// One document for all files, with the moment at which they were tested.
pub fn junit(files: &[Tested], at: Timestamp) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for tested in files {
        let failures: usize = tested.tests.iter().map(|test| test.failures.len()).sum();
        text.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{}\" skipped=\"0\" timestamp=\"{}\">\n",
            escaped(&tested.file),
            tested.tests.len(),
            tested.mistakes.len(),
            at.rfc3339(),
        ));
        for test in &tested.tests {
            text.push_str(&case(test));
        }
        if !tested.mistakes.is_empty() {
            text.push_str(&unreadable(&tested.mistakes));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn case(test: &TestResult) -> String {
    let failures: String = test
        .failures
        .iter()
        .map(|failure| element("failure", &failure.to_string()))
        .collect();
    format!(
        "    <testcase name=\"{}\">\n{failures}    </testcase>\n",
        escaped(&test.name)
    )
}

fn unreadable(mistakes: &[Problem]) -> String {
    let each = mistakes.iter();
    let errors: String = each
        .map(|mistake| element("error", &mistake.to_string()))
        .collect();
    format!("    <testcase name=\"the files can be read\">\n{errors}    </testcase>\n")
}

fn element(name: &str, text: &str) -> String {
    format!("      <{name}>{}</{name}>\n", escaped(text.trim()))
}

/// XML has no place for most control characters, escaped or not.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
