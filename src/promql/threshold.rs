//! Replaces one number in the text of an expression: the one to the right of its outermost comparison.

use std::ops::Range;

use super::number::format_plain;
use super::token::{Token, tokens};

const COMPARISONS: [&str; 6] = ["==", "!=", "<", ">", "<=", ">="];

/// The text with the number replaced; `None` where there is no such number.
pub(super) fn replaced(text: &str, threshold: f64) -> Option<String> {
    let words = tokens(text);
    let number = number(&words)?;
    let mut changed = text.to_owned();
    changed.replace_range(number, &format_plain(threshold));
    Some(changed)
}

/// Where the number stands. The left side of `and` and `unless` makes the value, so its comparison is the one.
fn number(words: &[Token<'_>]) -> Option<Range<usize>> {
    let words = unwrapped(words);
    let outer = outer(words);
    let is_any = |place: &usize, of: &[&str]| of.iter().any(|word| words[*place].is(word));
    if outer.iter().any(|place| is_any(place, &["or"])) {
        return None;
    }
    if let Some(end) = outer.iter().find(|place| is_any(place, &["and", "unless"])) {
        return number(&words[..*end]);
    }
    let comparison = outer.iter().rfind(|place| is_any(place, &COMPARISONS))?;
    let right = &words[comparison + 1..];
    let right = match right {
        [first, rest @ ..] if first.is("bool") => rest,
        other => other,
    };
    literal(right)
}

/// The place of a number with its sign, brackets around it left aside.
fn literal(words: &[Token<'_>]) -> Option<Range<usize>> {
    let words = unwrapped(words);
    let (first, last) = (words.first()?, words.last()?);
    let unsigned = match words {
        [sign, rest @ ..] if sign.text == "-" || sign.text == "+" => rest,
        other => other,
    };
    let is_number = |word: &Token<'_>| word.is_numeric() || word.is("inf") || word.is("nan");
    match unsigned {
        [number] if is_number(number) => Some(first.place.start..last.place.end),
        _ => None,
    }
}

/// The words without brackets around all of them.
fn unwrapped<'a, 't>(words: &'a [Token<'t>]) -> &'a [Token<'t>] {
    match words {
        [open, inner @ .., close] if open.text == "(" && close.text == ")" => {
            match outer(words).len() {
                2 => unwrapped(inner),
                _ => words,
            }
        }
        _ => words,
    }
}

/// Places of the words that stand in no bracket; brackets themselves count.
fn outer(words: &[Token<'_>]) -> Vec<usize> {
    let mut depth = 0usize;
    let mut outer = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let closes = matches!(word.text, ")" | "]" | "}");
        if closes {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            outer.push(place);
        }
        if matches!(word.text, "(" | "[" | "{") {
            depth += 1;
        }
    }
    outer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_right_of_the_outermost_comparison_is_replaced() {
        let cases = [
            ("a > 5", Some("a > 0.7")),
            ("a / b > bool -5e3 # > 6", Some("a / b > bool 0.7 # > 6")),
            ("(a{x=\">\"} > 5)", Some("(a{x=\">\"} > 0.7)")),
            ("(a > 1) / (b > 2)", None),
            ("sum(a > 1) > 2", Some("sum(a > 1) > 0.7")),
            (
                "a > 5 and on (x) b > 3 unless c",
                Some("a > 0.7 and on (x) b > 3 unless c"),
            ),
            ("a > 5 or b > 5", None),
            ("a > (5)", Some("a > (0.7)")),
            ("a > 5 * 2", None),
            ("a > b", None),
            ("5 < a", None),
            ("absent(a)", None),
            ("a > 1h", Some("a > 0.7")),
            ("1 < a > 5", Some("1 < a > 0.7")),
        ];
        for (text, expected) in cases {
            assert_eq!(replaced(text, 0.7).as_deref(), expected, "{text}");
        }
    }
}
