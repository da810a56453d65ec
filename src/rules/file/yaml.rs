//! The YAML of Prometheus' files, which is that of Go: what ours reads and Go's does not is a mistake here.

use crate::document::{Node, Place, Problem, parse_first};

/// The first document, and where a second begins.
///
/// # Errors
/// The first mistake.
pub(in crate::rules) fn read(file: &str, text: &str) -> Result<(Node, Option<Place>), Problem> {
    match refused(file, text) {
        Some(problem) => Err(problem),
        None => parse_first(file, text),
    }
}

fn refused(file: &str, text: &str) -> Option<Problem> {
    for (line, words) in text.lines().enumerate() {
        let place = |column: usize| Place {
            origin: file.into(),
            line: line + 1,
            column,
        };
        if words.starts_with("%YAML") && words.split_whitespace().nth(1) != Some("1.1") {
            return Some(Problem {
                hint: Some("leave the line out".into()),
                ..Problem::at(&place(1), "Prometheus reads YAML 1.1 alone")
            });
        }
        let odd = words.chars().position(is_refused);
        if let Some(column) = odd {
            let message = "a control character, which Prometheus does not read";
            return Some(Problem::at(&place(column + 1), message));
        }
    }
    None
}

fn is_refused(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
}
