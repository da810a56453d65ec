//! What the parser must not be shown, found by looking at the words alone.

use super::ParseError;
use super::token::{Token, tokens};

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
            check_seconds(word)?;
        }
        if is_zero_duration(word) && !after_bracket(&words, place) {
            shown.replace_range(word.place.clone(), "0");
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

fn check_seconds(word: &Token<'_>) -> Result<(), ParseError> {
    let lower = word.text.to_ascii_lowercase().replace('_', "");
    let seconds = match lower.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16)
            .ok()
            .map(|whole| whole as f64),
        None => lower.parse::<f64>().ok(),
    };
    match seconds {
        Some(seconds) if !(0.0..MAX_SECONDS).contains(&seconds) => Err(ParseError {
            message: "duration out of range".into(),
            position: Some(word.place.start),
        }),
        _ => Ok(()),
    }
}

fn is_zero_duration(word: &Token<'_>) -> bool {
    let units = word.text.trim_matches(|c: char| c == '0');
    word.is_numeric() && matches!(units, "ms" | "s" | "m" | "h" | "d" | "w" | "y")
}
