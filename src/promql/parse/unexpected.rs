//! Which word of an expression is out of place. promql-parser only says that there is one; after it has said so, the
//! words are looked at again: operands and operators must take turns, and brackets must close.

use crate::promql::ParseError;
use crate::promql::token::Token;

const OPERATORS: [&str; 16] = [
    "+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless", "atan2",
];

/// Words behind an operator that say how its sides are matched, each with whether labels must follow.
const MATCHING: [(&str, bool); 5] = [
    ("bool", false),
    ("on", true),
    ("ignoring", true),
    ("group_left", false),
    ("group_right", false),
];

/// The first word that is out of place; the end, where something is missing there. `None` where the words seem to be in
/// order.
pub(super) fn find(words: &[Token<'_>], length: usize) -> Option<ParseError> {
    let mut walk = Walk {
        words,
        next: 0,
        depth: 0,
    };
    let found = walk.expression().err()?;
    let message = match words.get(found) {
        Some(word) if word.is("anchored") || word.is("smoothed") => format!(
            "the modifier {:?} is experimental and not evaluated",
            word.text
        ),
        Some(word) => format!("unexpected {}", described(word)),
        None => "unexpected end of input".into(),
    };
    Some(ParseError {
        message,
        position: Some(words.get(found).map_or(length, |word| word.place.start)),
    })
}

/// Walks over the words as long as they are in order; an error is the place of the first that is not.
struct Walk<'w, 't> {
    words: &'w [Token<'t>],
    next: usize,
    depth: usize,
}

impl Walk<'_, '_> {
    fn expression(&mut self) -> Result<(), usize> {
        loop {
            self.operand()?;
            self.modifiers()?;
            if self.next == self.words.len() || (self.depth > 0 && self.is_any(&[")", ","])) {
                return Ok(());
            }
            self.operator()?;
        }
    }

    fn operand(&mut self) -> Result<(), usize> {
        while self.take("+") || self.take("-") {}
        let Some(word) = self.words.get(self.next) else {
            return Err(self.next);
        };
        match word.text {
            "(" => self.arguments(),
            "{" => self.skip("}"),
            text if text.starts_with(['"', '\'', '`']) || word.is_numeric() => {
                self.next += 1;
                Ok(())
            }
            _ if is_name(word) && !self.is_any(&OPERATORS) => self.named(),
            _ => Err(self.next),
        }
    }

    /// A metric, a function or an aggregation.
    fn named(&mut self) -> Result<(), usize> {
        self.next += 1;
        if self.is_any(&["by", "without"]) {
            self.next += 1;
            self.labels()?;
        }
        if self.is_any(&["("]) {
            return self.arguments();
        }
        match self.is_any(&["{"]) {
            true => self.skip("}"),
            false => Ok(()),
        }
    }

    /// What stands between brackets, and the brackets.
    fn arguments(&mut self) -> Result<(), usize> {
        self.next += 1;
        self.depth += 1;
        while !self.is_any(&[")"]) {
            self.expression()?;
            if !self.take(",") && !self.is_any(&[")"]) {
                return Err(self.next);
            }
        }
        self.depth -= 1;
        self.next += 1;
        Ok(())
    }

    /// What may follow an operand: ranges, `offset`, `@`, and the grouping of an aggregation.
    fn modifiers(&mut self) -> Result<(), usize> {
        loop {
            if self.is_any(&["["]) {
                self.skip("]")?;
            } else if self.is_any(&["by", "without"]) {
                self.next += 1;
                self.labels()?;
            } else if self.is_any(&["offset", "@"]) {
                self.next += 1;
                while self.take("+") || self.take("-") {}
                if self.next == self.words.len() {
                    return Err(self.next);
                }
                self.next += 1;
                if self.is_any(&["("]) {
                    self.skip(")")?;
                }
            } else {
                return Ok(());
            }
        }
    }

    fn operator(&mut self) -> Result<(), usize> {
        if !self.is_any(&OPERATORS) {
            return Err(self.next);
        }
        self.next += 1;
        while let Some((_, needs_labels)) = MATCHING.iter().find(|(word, _)| self.is_any(&[word])) {
            self.next += 1;
            if *needs_labels || (self.is_any(&["("]) && self.is_behind("group_left", "group_right"))
            {
                self.labels()?;
            }
        }
        Ok(())
    }

    fn labels(&mut self) -> Result<(), usize> {
        match self.is_any(&["("]) {
            true => self.skip(")"),
            false => Err(self.next),
        }
    }

    /// Passes over everything up to a closing sign.
    fn skip(&mut self, close: &str) -> Result<(), usize> {
        let rest = self.words.iter().skip(self.next);
        let length = rest.map(|word| word.text).position(|text| text == close);
        self.next = length
            .map(|length| self.next + length + 1)
            .ok_or(self.words.len())?;
        Ok(())
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_next = self.is_any(&[sign]);
        self.next += usize::from(is_next);
        is_next
    }

    fn is_any(&self, wanted: &[&str]) -> bool {
        let word = self.words.get(self.next);
        word.is_some_and(|word| wanted.iter().any(|text| word.is(text)))
    }

    fn is_behind(&self, one: &str, other: &str) -> bool {
        let before = self
            .next
            .checked_sub(1)
            .and_then(|place| self.words.get(place));
        before.is_some_and(|word| word.is(one) || word.is(other))
    }
}

fn is_name(word: &Token<'_>) -> bool {
    let first = word.text.chars().next();
    first.is_some_and(|c| c.is_alphabetic() || c == '_' || c == ':')
}

/// A word as Prometheus names it in its errors.
fn described(word: &Token<'_>) -> String {
    let text = word.text;
    match text {
        ")" => "right parenthesis ')'".into(),
        "}" => "right brace '}'".into(),
        "]" => "right bracket ']'".into(),
        "(" => "left parenthesis '('".into(),
        "{" => "left brace '{'".into(),
        "[" => "left bracket '['".into(),
        _ if text.starts_with(['"', '\'', '`']) => format!("string {text:?}"),
        _ if word.is_numeric() && text.ends_with(|c: char| c.is_alphabetic()) => {
            format!("duration {text:?}")
        }
        _ if word.is_numeric() => format!("number {text:?}"),
        _ if OPERATORS.iter().any(|operator| word.is(operator)) => {
            format!("<op:{}>", text.to_ascii_lowercase())
        }
        _ if is_name(word) => format!("identifier {text:?}"),
        _ => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::token::tokens;

    #[test]
    fn the_first_word_out_of_place_is_named() {
        let cases = [
            ("foo bar", "unexpected identifier \"bar\"", 4),
            ("up ===", "unexpected \"=\"", 5),
            ("sum(a) > ", "unexpected end of input", 9),
            ("* a", "unexpected <op:*>", 0),
            ("rate(a[5m])) / 2", "unexpected right parenthesis ')'", 11),
            ("a / on b", "unexpected identifier \"b\"", 7),
            ("sum by x (a)", "unexpected identifier \"x\"", 7),
            ("(a + 1", "unexpected end of input", 6),
            ("a{b=\"c\"} \"d\"", "unexpected string \"\\\"d\\\"\"", 9),
            ("a offset", "unexpected end of input", 8),
            (
                "rate(a[5m] anchored)",
                "the modifier \"anchored\" is experimental and not evaluated",
                11,
            ),
            ("a + + 5m 3", "unexpected number \"3\"", 9),
        ];
        for (text, message, position) in cases {
            let found = find(&tokens(text), text.len());
            let expected = ParseError {
                message: message.into(),
                position: Some(position),
            };
            assert_eq!(found, Some(expected), "{text}");
        }
        let good = [
            "sum by (a) (rate(b{c=\"d\"}[5m:1m] offset -1h)) / on (a) group_left (e) f > bool -1",
            "topk(5, a) without (b) unless c @ end() or time()",
        ];
        for text in good {
            assert_eq!(find(&tokens(text), text.len()), None, "{text}");
        }
    }
}
