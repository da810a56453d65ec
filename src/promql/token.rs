//! The words of an expression with their places: enough to see what the parser must not be shown, and to replace one
//! number in the text.

use std::ops::Range;

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) place: Range<usize>,
}

impl Token<'_> {
    /// Whether it is the given keyword or operator; keywords are written in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it begins with a digit, or with a point and a digit: a number or a duration.
    pub(super) fn is_numeric(&self) -> bool {
        let rest = self.text.trim_start_matches('.');
        rest.starts_with(|c: char| c.is_ascii_digit())
    }
}

/// Splits a text into words. Strings are one word each; spaces and comments are left out.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    // There a colon stands between range and step; elsewhere it may be a part of a name.
    let mut in_brackets = false;
    while let Some(first) = text[start..].chars().next() {
        in_brackets = (in_brackets || first == '[') && first != ']';
        let length = match first {
            '#' => text[start..].find('\n').unwrap_or(text.len() - start),
            '"' | '\'' | '`' => string(&text[start..], first),
            c if c.is_ascii_digit() || c == '.' => number(&text[start..]),
            ':' if !in_brackets => run(&text[start..], is_name),
            c if is_word(c) && in_brackets => run(&text[start..], is_word),
            c if is_word(c) => run(&text[start..], is_name),
            c if c.is_whitespace() => c.len_utf8(),
            _ => operator(&text[start..]),
        };
        if first != '#' && !first.is_whitespace() {
            found.push(Token {
                text: &text[start..start + length],
                place: start..start + length,
            });
        }
        start += length;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_name(c: char) -> bool {
    is_word(c) || c == ':'
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// A number or a duration, the sign of its exponent included.
fn number(text: &str) -> usize {
    let length = run(text, |c| is_word(c) || c == '.');
    let decimal = !text.starts_with("0x") && !text.starts_with("0X");
    let signed = text[length..].starts_with(['+', '-']) && text[..length].ends_with(['e', 'E']);
    let exponent = run(&text[length..], |c| c == '+' || c == '-').min(1);
    let digits = run(&text[length + exponent..], |c| c.is_ascii_digit());
    if decimal && signed && digits > 0 {
        length + exponent + digits
    } else {
        length
    }
}

fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return place + 1,
            _ => {}
        }
    }
    text.len()
}

fn operator(text: &str) -> usize {
    let double = ["==", "!=", "<=", ">=", "=~", "!~"];
    match double.iter().any(|op| text.starts_with(op)) {
        true => 2,
        false => text.chars().next().map_or(1, char::len_utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found() {
        let cases = [
            ("a>=bool 1.5e-3", "a >= bool 1.5e-3"),
            (
                "rate(x{a=~\"b) > 2\"}[5m:30s]) # > 3\n!= 0x1F",
                "rate ( x { a =~ \"b) > 2\" } [ 5m : 30s ] ) != 0x1F",
            ),
            ("'it\\'s'+`\\`", "'it\\'s' + `\\`"),
            ("é > .5", "é > .5"),
            ("job:rate:5m[5m:1m] * :a", "job:rate:5m [ 5m : 1m ] * :a"),
            ("\"open", "\"open"),
        ];
        for (text, expected) in cases {
            let words: Vec<&str> = tokens(text).iter().map(|token| token.text).collect();
            assert_eq!(words.join(" "), expected);
        }
    }
}
