//! `write_relabel_configs`: which series are sent. Of Prometheus' actions there are the two that choose: `keep` and
//! `drop`; names and labels of what is sent stay as they are.

use regex::Regex;

use crate::document::Section;
use crate::sample::Labels;

/// One choice among series.
#[derive(Debug, Clone)]
pub(super) struct Relabel {
    source_labels: Vec<String>,
    separator: String,
    regex: Regex,
    keeps: bool,
}

/// Reads the list.
pub(super) fn read_all(s: &mut Section) -> Vec<Relabel> {
    let doc = "Which series are sent, chosen in this order after `external_labels` are added.";
    let read = s.list("write_relabel_configs", doc, read);
    read.into_iter().flatten().collect()
}

fn read(s: &mut Section) -> Option<Relabel> {
    let doc = "The labels whose values are looked at; `__name__` is the metric.";
    let source_labels = s.texts("source_labels", doc);
    if source_labels.is_empty() {
        let hint = "write `source_labels: [__name__]`";
        s.problem("", "`source_labels` is missing", Some(hint));
    }
    let separator = s.text("separator", ";", "What stands between the values.");
    let doc = "What the values, joined, must match as a whole.";
    let regex = s.parsed("regex", "regular expression", "(.*)", doc, anchored);
    let doc =
        "Whether series that match are the only ones that are sent, or the ones that are not.";
    let action = s.parsed("action", "keep or drop", "", doc, action);
    if !s.has("action") {
        let hint = "write `action: keep` or `action: drop`";
        s.problem("", "`action` is missing", Some(hint));
    }
    Some(Relabel {
        source_labels,
        separator,
        regex: regex?,
        keeps: action?,
    })
}

fn anchored(text: &str) -> Result<Regex, String> {
    let whole = Regex::new(&format!("^(?s:{text})$"));
    whole.map_err(|error| format!("`{text}` is no regular expression: {error}"))
}

fn action(text: &str) -> Result<bool, String> {
    match text {
        "keep" => Ok(true),
        "drop" => Ok(false),
        _ => Err(format!(
            "`{text}` is not done here; there are `keep` and `drop`"
        )),
    }
}

/// Whether a series is sent.
pub(super) fn admits(choices: &[Relabel], labels: &Labels) -> bool {
    choices.iter().all(|choice| {
        let values = choice.source_labels.iter().map(|name| labels.get(name));
        let joined = values.collect::<Vec<_>>().join(&choice.separator);
        choice.regex.is_match(&joined) == choice.keeps
    })
}
