//! What the parser must not be shown, found by looking at the words alone.

use crate::promql::ParseError;
use crate::promql::token::{Token, tokens};

/// Operators and brackets that an expression may have in all; each may deepen the tree by one.
const MAX_DEPTH: usize = 500;

/// The longest duration of Prometheus (2^63 nanoseconds), in seconds.
const MAX_SECONDS: f64 = 9_223_372_036.0;

/// The text to hand to the parser, which means the same.
pub(super) fn guarded(text: &str) -> Result<String, ParseError> {
    let words = tokens(text);
    let deepening = words.iter().filter(|word| deepens(word));
    if let Some(word) = deepening.clone().nth(MAX_DEPTH) {
        return Err(ParseError {
            message: format!("expression has more than {MAX_DEPTH} operators and brackets"),
            position: Some(word.place.start),
        });
    }
    let mut shown = text.to_owned();
    for place in (0..words.len()).rev() {
        let word = &words[place];
        if is_duration_place(&words, place) {
            check_seconds(word, after_bracket(&words, place))?;
        }
        if is_zero_duration(word) && !after_bracket(&words, place) {
            shown.replace_range(word.place.clone(), "0");
        }
        if word.text.starts_with(['"', '\'']) && word.text.contains('\\') {
            shown.replace_range(word.place.clone(), &with_bytes_decoded(word)?);
        }
    }
    Ok(shown)
}

fn deepens(word: &Token<'_>) -> bool {
    let signs = [
        "(", "[", "+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">=",
    ];
    let words = ["and", "or", "unless", "atan2"];
    signs.contains(&word.text) || words.iter().any(|keyword| word.is(keyword))
}

/// Whether the parser takes the word for a duration: in brackets, or behind `offset` and perhaps a sign.
fn is_duration_place(words: &[Token<'_>], place: usize) -> bool {
    let before = |back: usize| place.checked_sub(back).map(|place| &words[place]);
    let signed = before(1).is_some_and(|word| word.text == "-" || word.text == "+");
    let offset = before(if signed { 2 } else { 1 }).is_some_and(|word| word.is("offset"));
    offset || after_bracket(words, place)
}

fn after_bracket(words: &[Token<'_>], place: usize) -> bool {
    place > 0 && matches!(words[place - 1].text, "[" | ":")
}

fn check_seconds(word: &Token<'_>, is_span: bool) -> Result<(), ParseError> {
    let lower = word.text.to_ascii_lowercase().replace('_', "");
    let seconds = match lower.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)
            .ok()
            .map(|whole| whole as f64),
        None => lower.parse::<f64>().ok(),
    };
    let message = match seconds {
        Some(seconds) if !(0.0..MAX_SECONDS).contains(&seconds) => "duration out of range",
        Some(0.0) if is_span => "duration must be greater than 0",
        _ => return Ok(()),
    };
    Err(ParseError {
        message: message.into(),
        position: Some(word.place.start),
    })
}

/// The literal with bytes above 127 that are written as `\xff` or `\377` turned into the characters they encode.
fn with_bytes_decoded(word: &Token<'_>) -> Result<String, ParseError> {
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
    String::from_utf8(decoded).map_err(|_| ParseError {
        message: format!("{} is not valid UTF-8", word.text),
        position: Some(word.place.start),
    })
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

fn is_zero_duration(word: &Token<'_>) -> bool {
    let units = word.text.trim_matches(|c: char| c == '0');
    word.is_numeric() && matches!(units, "ms" | "s" | "m" | "h" | "d" | "w" | "y")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_must_not_see_is_refused_or_rewritten() {
        let cases = [
            ("a[5m] offset 0s", Ok("a[5m] offset 0")),
            ("0s + 00ms", Ok("0 + 0")),
            (r#"{a="\xc3\xa9\\xc3"}"#, Ok(r#"{a="é\\xc3"}"#)),
            (r#"{a="\303\251"}"#, Ok(r#"{a="é"}"#)),
            ("a[1e30]", Err("duration out of range")),
            ("a offset -Inf", Err("duration out of range")),
            ("a[5m:0xffffffffffffffff]", Err("duration out of range")),
            ("a[0]", Err("duration must be greater than 0")),
            (r#""\xff""#, Err(r#""\xff" is not valid UTF-8"#)),
        ];
        for (text, expected) in cases {
            let got = guarded(text).map_err(|error| error.message);
            assert_eq!(got.as_deref(), expected.map_err(String::from).as_deref());
        }
        assert!(guarded(&"(".repeat(501)).is_err());
    }
}
