//! Where the arguments of functions and aggregations begin, which promql-parser does not tell.

use crate::promql::token::{Token, tokens};

/// Words that may stand before a bracket and are neither function nor aggregation.
const OTHERS: [&str; 18] = [
    "and",
    "or",
    "unless",
    "atan2",
    "bool",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "by",
    "without",
    "offset",
    "start",
    "end",
    "step",
    "range",
    "anchored",
    "smoothed",
];

/// The beginnings of the arguments of each call and aggregation, in the order of the text.
pub(super) fn of_arguments(text: &str) -> Vec<Vec<usize>> {
    let words = tokens(text);
    let mut depth = 0usize;
    let mut found = Vec::new();
    for (place, word) in words.iter().enumerate() {
        match word.text {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            _ if depth == 0 => {
                found.extend(opened_by(&words, place).map(|open| starts(&words, open)))
            }
            _ => {}
        }
    }
    found
}

/// The bracket that a word opens as the name of a function or aggregation, `by (…)` before it left aside.
fn opened_by(words: &[Token<'_>], place: usize) -> Option<usize> {
    let word = &words[place];
    let is_name = word
        .text
        .starts_with(|c: char| c.is_alphabetic() || c == '_');
    if !is_name || OTHERS.iter().any(|other| word.is(other)) {
        return None;
    }
    let next = words.get(place + 1)?;
    let open = match next.is("by") || next.is("without") {
        true => end(words, place + 2)? + 1,
        false => place + 1,
    };
    (words.get(open)?.text == "(").then_some(open)
}

/// The bracket that closes the one at a place.
fn end(words: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (place, word) in words.iter().enumerate().skip(open) {
        match word.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(place);
        }
    }
    None
}

/// Where each argument behind an opening bracket begins.
fn starts(words: &[Token<'_>], open: usize) -> Vec<usize> {
    let close = end(words, open).unwrap_or(words.len());
    let mut depth = 0usize;
    let mut starts = Vec::new();
    let mut begins = true;
    for word in words.iter().take(close).skip(open + 1) {
        if std::mem::take(&mut begins) {
            starts.push(word.place.start);
        }
        match word.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "," if depth == 0 => begins = true,
            _ => {}
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_found_in_the_order_of_the_text() {
        let cases: [(&str, &[&[usize]]); 5] = [
            ("rate(a[5m])", &[&[5]]),
            ("quantile by (x) (0.5, sum(a) by (y))", &[&[17, 22], &[26]]),
            (
                "clamp( (a), -1,2) and on (b) abs(c)",
                &[&[7, 12, 15], &[33]],
            ),
            ("a @ start() offset 5m > pi()", &[&[]]),
            ("label_join(a{b=\"(\"}, 'x', ',')", &[&[11, 21, 26]]),
        ];
        for (text, expected) in cases {
            assert_eq!(of_arguments(text), expected, "{text}");
        }
    }
}
