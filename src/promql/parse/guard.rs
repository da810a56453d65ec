//! What the parser must not be shown, found by looking at the words alone, and what it is shown instead.

use super::duration::{self, Position, Timing};
use super::places::{self, Place};
use crate::promql::ParseError;
use crate::promql::token::{Token, tokens};

/// Operators and brackets that an expression may have in all; each may deepen the tree by one.
const MAX_DEPTH: usize = 500;

/// A text that the parser may be shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) text: String,
    /// Whether it depends on the timing.
    pub(super) timed: bool,
}

/// The text to hand to the parser, which means the same.
pub(super) fn guarded(text: &str, timing: Option<Timing>) -> Result<Shown, ParseError> {
    let words = tokens(text);
    let deepening = words.iter().filter(|word| deepens(word));
    if let Some(word) = deepening.clone().nth(MAX_DEPTH) {
        return Err(ParseError {
            message: format!("expression has more than {MAX_DEPTH} operators and brackets"),
            position: Some(word.place.start),
        });
    }
    check_moments(&words)?;
    let mut shown = Shown {
        text: String::with_capacity(text.len()),
        timed: false,
    };
    let (mut copied, mut place) = (0, 0);
    while let Some(word) = words.get(place) {
        let found = match position(&words, place) {
            Some(position) => duration::read(&words, place, position, timing)?,
            None => None,
        };
        let (span, written) = match found {
            Some(found) => {
                shown.timed |= found.timed;
                place = found.next;
                (found.place, found.seconds.to_string())
            }
            None => {
                place += 1;
                let Some(written) = rewritten(&words, word)? else {
                    continue;
                };
                (word.place.clone(), written)
            }
        };
        shown.text.push_str(&text[copied..span.start]);
        shown.text.push_str(&written);
        copied = span.end;
    }
    shown.text.push_str(&text[copied..]);
    Ok(shown)
}

/// The moment behind `@` must be a number of seconds that 64 bits can hold.
fn check_moments(words: &[Token<'_>]) -> Result<(), ParseError> {
    const LATEST: f64 = 9_223_372_036_854_775_808.0;
    for (place, word) in words
        .iter()
        .enumerate()
        .filter(|(_, word)| word.text == "@")
    {
        let signs = words[place + 1..].iter();
        let mut behind = signs.skip_while(|word| matches!(word.text, "+" | "-"));
        let number = behind.next().and_then(|word| duration::number(word.text));
        if number.is_some_and(|number| number.is_nan() || number >= LATEST) {
            return Err(ParseError {
                message: "timestamp out of bounds for @ modifier".into(),
                position: Some(word.place.start),
            });
        }
    }
    Ok(())
}

/// Whether a duration begins at a place: in brackets, or behind `offset`.
fn position(words: &[Token<'_>], place: usize) -> Option<Position> {
    let before = &words[place.checked_sub(1)?];
    match before.text {
        "[" => Some(Position::Brackets),
        // Names aside, a colon stands in brackets alone.
        ":" if words[place].text != "]" => Some(Position::Brackets),
        _ if before.is("offset") => Some(Position::Offset),
        _ => None,
    }
}

/// What is written in the place of a word that the parser would misread.
fn rewritten(words: &[Token<'_>], word: &Token<'_>) -> Result<Option<String>, ParseError> {
    if word.text.starts_with(['"', '\'']) && word.text.contains('\\') {
        let decoded = with_bytes_decoded(word);
        return decoded.map(Some).ok_or_else(|| ParseError {
            message: no_text(words, word),
            position: Some(word.place.start),
        });
    }
    if !word.is_numeric() {
        return Ok(None);
    }
    // A part of a duration that does not fit 32 bits counts for nothing there, and so does zero.
    let seconds = duration::literal(word.text);
    let misread = seconds.filter(|seconds| *seconds == 0.0 || *seconds > f64::from(u32::MAX));
    let number = is_gos_alone(word.text).then(|| duration::number(word.text));
    Ok(misread
        .or(number.flatten())
        .map(|number| number.to_string()))
}

fn deepens(word: &Token<'_>) -> bool {
    let signs = [
        "(", "[", "+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">=",
    ];
    let words = ["and", "or", "unless", "atan2"];
    signs.contains(&word.text) || words.iter().any(|keyword| word.is(keyword))
}

/// Whether a number is written as Go takes it and the parser does not: in octal, or with underscores between digits.
fn is_gos_alone(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let is_digit = |byte: &u8| match is_hexadecimal {
        true => byte.is_ascii_hexdigit(),
        false => byte.is_ascii_digit(),
    };
    let is_between = |place: usize| {
        let behind = bytes.get(place + 1).is_some_and(is_digit);
        let prefixed = is_hexadecimal && place == 2;
        behind && (prefixed || bytes[..place].last().is_some_and(is_digit))
    };
    let mut underscores = text.match_indices('_').map(|(place, _)| place).peekable();
    let grouped = underscores.peek().is_some() && underscores.all(is_between);
    let octal = bytes.len() > 1 && bytes[0] == b'0' && bytes.iter().all(u8::is_ascii_digit);
    octal || grouped
}

/// The literal with bytes above 127 that are written as `\xff` or `\377` turned into the characters they encode.
fn with_bytes_decoded(word: &Token<'_>) -> Option<String> {
    let mut decoded: Vec<u8> = Vec::with_capacity(word.text.len());
    let mut rest = word.text.as_bytes();
    while let [first, after @ ..] = rest {
        let taken = match (first, high_byte(after)) {
            (b'\\', Some((byte, length))) => {
                decoded.push(byte);
                1 + length
            }
            // The escaped character goes along, so that `\\` does not escape what follows.
            (b'\\', None) => {
                decoded.extend(&rest[..rest.len().min(2)]);
                2
            }
            _ => {
                decoded.push(*first);
                1
            }
        };
        rest = &rest[taken.min(rest.len())..];
    }
    String::from_utf8(decoded).ok()
}

/// What is said of a string that is no UTF-8, which neither a label nor its value can be.
fn no_text(words: &[Token<'_>], word: &Token<'_>) -> String {
    let is_label = |call: &Place<'_>| {
        let first = call.arguments.first() == Some(&word.place.start);
        first && call.name.eq_ignore_ascii_case("count_values")
    };
    match places::of_calls(words).iter().any(is_label) {
        true => format!(
            "invalid label name \"{}\"",
            &word.text[1..word.text.len() - 1]
        ),
        false => format!("{} is not valid UTF-8", word.text),
    }
}

/// A byte above 127 in what follows a backslash, and how many characters it takes there.
fn high_byte(after: &[u8]) -> Option<(u8, usize)> {
    let (digits, radix, length) = match after {
        [b'x', high, low, ..] => ([*high, *low].to_vec(), 16, 3),
        [high @ b'0'..=b'3', middle, low, ..] => ([*high, *middle, *low].to_vec(), 8, 3),
        _ => return None,
    };
    let digits = String::from_utf8(digits).ok()?;
    let byte = u8::from_str_radix(&digits, radix).ok()?;
    (byte > 127).then_some((byte, length))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_the_parser_must_not_see_is_refused_or_rewritten() {
        let timing = Timing {
            step: Duration::from_secs(15),
            range: Duration::from_secs(3600),
        };
        let cases = [
            ("a[5m] offset 0s", Ok("a[300] offset 0")),
            ("0s + 00ms", Ok("0 + 0")),
            ("1_000.5 + 0x_1F + 1e1_0", Ok("1000.5 + 31 + 10000000000")),
            (
                "017 + 08 + 1__0 + 1_e5 + 1_",
                Ok("15 + 8 + 1__0 + 1_e5 + 1_"),
            ),
            ("1h - 5000000000s", Ok("1h - 5000000000")),
            (r#"{a="\xc3\xa9\\xc3"}"#, Ok(r#"{a="é\\xc3"}"#)),
            (r#"{a="\303\251"}"#, Ok(r#"{a="é"}"#)),
            ("a[5m + 30s:step()]", Ok("a[330:15]")),
            (
                "a[-(2 ^ 3 - 1h) / 2:] offset -1m",
                Ok("a[1796:] offset -60"),
            ),
            ("a offset (range() * 2) - 5m", Ok("a offset 7200 - 5m")),
            ("a offset -max(step(), 1m)", Ok("a offset -60")),
            ("a offset 1m ^ 10", Ok("a offset 60 ^ 10")),
            ("a[min(5m, 7 % 4)]", Ok("a[3]")),
            ("a[5m:1m30s:x]", Ok("a[300:90:x]")),
            ("a:5m[1m] + a:0s", Ok("a:5m[60] + a:0s")),
            ("a[1e30]", Err("duration out of range")),
            ("a offset -Inf", Err("duration out of range")),
            ("a[5m:0xffffffffffffffff]", Err("duration out of range")),
            ("a[0]", Err("duration must be greater than 0")),
            ("a[1m - 1m]", Err("duration must be greater than 0")),
            ("a[1m / (5s - 5)]", Err("division by zero")),
            ("a[1m % 0]", Err("modulo by zero")),
            ("a @ -1e40", Err("timestamp out of bounds for @ modifier")),
            ("a @ NaN", Err("timestamp out of bounds for @ modifier")),
            (r#""\xff""#, Err(r#""\xff" is not valid UTF-8"#)),
        ];
        for (text, expected) in cases {
            let got = guarded(text, Some(timing)).map(|shown| shown.text);
            let got = got.map_err(|error| error.message);
            assert_eq!(got.as_deref(), expected.map_err(String::from).as_deref());
        }
        assert!(guarded(&"(".repeat(501), None).is_err());
        let later = guarded("a[step() - 5m]", None);
        assert!(later.is_ok_and(|shown| shown.timed));
    }
}
