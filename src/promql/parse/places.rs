//! Where the arguments of functions and aggregations begin, which promql-parser does not tell.

use crate::promql::token::Token;

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

/// A call or an aggregation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    /// Where each of its arguments begins.
    pub(super) arguments: Vec<usize>,
}

/// Every call and aggregation in the order of the text.
pub(super) fn of_calls<'a>(words: &[Token<'a>]) -> Vec<Place<'a>> {
    let mut depth = 0usize;
    let mut found = Vec::new();
    for (place, word) in words.iter().enumerate() {
        match word.text {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            _ if depth == 0 => {
                let open = opened_by(words, place);
                found.extend(open.map(|open| Place {
                    name: word.text,
                    arguments: starts(words, open),
                }));
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

/// Where each argument behind an opening bracket begins, brackets around the whole of it left aside.
fn starts(words: &[Token<'_>], open: usize) -> Vec<usize> {
    let close = end(words, open).unwrap_or(words.len());
    let mut starts = Vec::new();
    let mut first = open + 1;
    while first < close {
        let mut depth = 0usize;
        let behind = (first..close).find(|place| match words[*place].text {
            "(" | "[" | "{" => {
                depth += 1;
                false
            }
            ")" | "]" | "}" => {
                depth = depth.saturating_sub(1);
                false
            }
            text => text == "," && depth == 0,
        });
        let behind = behind.unwrap_or(close);
        starts.push(words[unwrapped(words, first, behind)].place.start);
        first = behind + 1;
    }
    starts
}

/// The first word that is not in brackets around all words from `first` to before `behind`.
fn unwrapped(words: &[Token<'_>], first: usize, behind: usize) -> usize {
    let wraps_all = words[first].text == "(" && end(words, first) == behind.checked_sub(1);
    match wraps_all && first + 1 < behind {
        true => unwrapped(words, first + 1, behind - 1),
        false => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::token::tokens;

    #[test]
    fn arguments_are_found_in_the_order_of_the_text() {
        let cases: [(&str, &[&[usize]]); 6] = [
            ("rate(a[5m])", &[&[5]]),
            ("quantile by (x) (0.5, sum(a) by (y))", &[&[17, 22], &[26]]),
            (
                "clamp( (a), -1,2) and on (b) abs(c)",
                &[&[8, 12, 15], &[33]],
            ),
            ("abs(((a) + (b)))", &[&[5]]),
            ("a @ start() offset 5m > pi()", &[&[]]),
            ("label_join(a{b=\"(\"}, 'x', ',')", &[&[11, 21, 26]]),
        ];
        for (text, expected) in cases {
            let words = tokens(text);
            let found = of_calls(&words).into_iter().map(|call| call.arguments);
            assert_eq!(found.collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
