//! Numbers, texts and characters as Go writes them.

use super::lexer::{Lexer, Token, is_word};

impl Lexer<'_> {
    pub(super) fn number(&mut self) -> Result<Token, String> {
        let mut end = 0;
        let exponent_signs = !self.rest.trim_start_matches(['+', '-']).starts_with("0x");
        let mut previous = ' ';
        for c in self.rest.chars() {
            let sign = matches!(c, '+' | '-');
            let in_place = end == 0
                || (exponent_signs && matches!(previous, 'e' | 'E'))
                || matches!(previous, 'p' | 'P');
            if !(is_word(c) || c == '.' || (sign && in_place)) {
                break;
            }
            previous = c;
            end += c.len_utf8();
        }
        let (text, rest) = self.rest.split_at(end);
        if super::value::number(text).is_none() {
            return Err(format!("bad number syntax: {text:?}"));
        }
        self.rest = rest;
        Ok(Token::Number(text.into()))
    }

    pub(super) fn raw(&mut self) -> Result<Token, String> {
        let (text, rest) = self.rest[1..]
            .split_once('`')
            .ok_or("unterminated raw quoted string")?;
        self.rest = rest;
        Ok(Token::Text(text.replace('\r', "")))
    }

    pub(super) fn quoted(&mut self) -> Result<Token, String> {
        let mut text = String::new();
        let mut at = self.rest[1..].char_indices();
        while let Some((place, c)) = at.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[1..][place + 1..];
                    return Ok(Token::Text(text));
                }
                '\n' => break,
                '\\' => text.push(escape(&mut at, '"')?),
                other => text.push(other),
            }
        }
        Err("unterminated quoted string".into())
    }

    pub(super) fn rune(&mut self) -> Result<Token, String> {
        let mut at = self.rest[1..].char_indices();
        let c = match at.next() {
            Some((_, '\\')) => escape(&mut at, '\'')?,
            Some((_, c)) if c != '\'' && c != '\n' => c,
            _ => return Err("unterminated character constant".into()),
        };
        match at.next() {
            Some((place, '\'')) => {
                self.rest = &self.rest[1..][place + 1..];
                Ok(Token::Rune(i64::from(u32::from(c))))
            }
            _ => Err("unterminated character constant".into()),
        }
    }
}

/// What a backslash and the characters after it stand for in a Go literal.
pub(in crate::rules) fn escape(
    at: &mut std::str::CharIndices,
    quote: char,
) -> Result<char, String> {
    let bad = || "invalid syntax in a quoted string".to_string();
    let (_, c) = at.next().ok_or_else(bad)?;
    let mut digits = |count: usize, radix: u32, first: Option<char>| {
        let mut text: String = first.into_iter().collect();
        text.extend(at.by_ref().take(count).map(|(_, c)| c));
        u32::from_str_radix(&text, radix)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(bad)
    };
    match c {
        'a' => Ok('\u{7}'),
        'b' => Ok('\u{8}'),
        'f' => Ok('\u{c}'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'v' => Ok('\u{b}'),
        '\\' => Ok('\\'),
        'x' => digits(2, 16, None),
        'u' => digits(4, 16, None),
        'U' => digits(8, 16, None),
        '0'..='7' => digits(2, 8, Some(c)),
        c if c == quote => Ok(c),
        _ => Err(bad()),
    }
}
