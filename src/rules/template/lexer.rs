//! Cuts a template into text and actions, and actions into tokens, by the rules of Go's text/template.

/// A token inside an action.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A keyword, a function's name, `true`, `false` or `nil`.
    Word(String),
    /// `.name`, without its dot.
    Field(String),
    /// `$name`, with its dollar.
    Variable(String),
    /// A quoted text, unquoted.
    Text(String),
    /// A number as written.
    Number(String),
    /// `'c'`, its code point.
    Rune(i64),
    /// A dot alone.
    Dot,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `|`
    Pipe,
    /// `,`
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
}

/// A token, and whether white space stands before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lexed {
    pub(super) token: Token,
    pub(super) spaced: bool,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// Printed as it stands.
    Text(String),
    /// What stands between the braces.
    Action(Vec<Lexed>),
}

/// Cuts a whole template.
pub(super) fn parts(source: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut rest, mut trim_next) = (Vec::new(), source, false);
    loop {
        let (text, action) = match rest.find("{{") {
            Some(start) => (&rest[..start], Some(&rest[start + 2..])),
            None => (rest, None),
        };
        let trimmed = if trim_next {
            text.trim_start_matches(is_space)
        } else {
            text
        };
        let (trim_before, inside) = match action {
            Some(inside) => opening(inside),
            None => (false, ""),
        };
        let trimmed = if trim_before {
            trimmed.trim_end_matches(is_space)
        } else {
            trimmed
        };
        if !trimmed.is_empty() {
            parts.push(Part::Text(trimmed.into()));
        }
        if action.is_none() {
            return Ok(parts);
        }
        if let Some(comment) = inside.strip_prefix("/*") {
            let (_, after) = comment.split_once("*/").ok_or("unclosed comment")?;
            (trim_next, rest) = closing(after).ok_or("comment ends before closing delimiter")?;
            continue;
        }
        let mut lexer = Lexer {
            rest: inside,
            depth: 0,
        };
        parts.push(Part::Action(lexer.action()?));
        (trim_next, rest) = closing(lexer.rest).ok_or("unclosed action")?;
    }
}

/// Strips the `- ` that trims the text before an action.
fn opening(inside: &str) -> (bool, &str) {
    match inside.strip_prefix('-') {
        Some(after) if after.starts_with(is_space) => (true, after.trim_start_matches(is_space)),
        _ => (false, inside),
    }
}

/// What follows `}}` or ` -}}`, and whether the text after it is trimmed.
fn closing(rest: &str) -> Option<(bool, &str)> {
    if let Some(after) = rest.strip_prefix("}}") {
        return Some((false, after));
    }
    let after = rest.strip_prefix(is_space)?.trim_start_matches(is_space);
    let after = after.strip_prefix("-}}")?;
    Some((true, after))
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Whether a name may have it.
pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// What is left of an action.
pub(super) struct Lexer<'a> {
    pub(super) rest: &'a str,
    depth: usize,
}

impl Lexer<'_> {
    /// The tokens up to the closing braces, which stay unread.
    fn action(&mut self) -> Result<Vec<Lexed>, String> {
        let mut tokens = Vec::new();
        while closing(self.rest).is_none() {
            let unspaced = self.rest.trim_start_matches(is_space);
            let spaced = unspaced.len() < self.rest.len();
            self.rest = unspaced;
            if closing(self.rest).is_some() {
                break;
            }
            let token = self.token()?;
            tokens.push(Lexed { token, spaced });
        }
        if self.depth > 0 {
            Err("unclosed left paren".into())
        } else {
            Ok(tokens)
        }
    }

    fn token(&mut self) -> Result<Token, String> {
        let mut characters = self.rest.chars();
        let first = characters.next().ok_or("unclosed action")?;
        let second = characters.next();
        let digit_follows = second.is_some_and(|c| c.is_ascii_digit());
        match first {
            '"' => self.quoted(),
            '`' => self.raw(),
            '\'' => self.rune(),
            '.' if digit_follows => self.number(),
            '.' => {
                self.rest = &self.rest[1..];
                let name = self.word();
                self.terminated()?;
                Ok(if name.is_empty() {
                    Token::Dot
                } else {
                    Token::Field(name)
                })
            }
            '$' => {
                self.rest = &self.rest[1..];
                let name = self.word();
                self.terminated()?;
                Ok(Token::Variable(format!("${name}")))
            }
            '+' | '-' | '0'..='9' => self.number(),
            ':' if second == Some('=') => Ok(self.sign(2, Token::Declare)),
            '=' => Ok(self.sign(1, Token::Assign)),
            '|' => Ok(self.sign(1, Token::Pipe)),
            ',' => Ok(self.sign(1, Token::Comma)),
            '(' => {
                self.depth += 1;
                Ok(self.sign(1, Token::Open))
            }
            ')' => {
                self.depth = self.depth.checked_sub(1).ok_or("unexpected right paren")?;
                Ok(self.sign(1, Token::Close))
            }
            ':' => Err("expected :=".into()),
            first if is_word(first) => {
                let word = self.word();
                self.terminated()?;
                Ok(Token::Word(word))
            }
            other => Err(format!("unrecognized character in action: {other:?}")),
        }
    }

    fn sign(&mut self, length: usize, token: Token) -> Token {
        self.rest = &self.rest[length..];
        token
    }

    fn word(&mut self) -> String {
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.into()
    }

    /// After a name only what cannot belong to one may stand.
    fn terminated(&self) -> Result<(), String> {
        match self.rest.chars().next() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            Some(c) if is_space(c) || self.rest.starts_with("}}") => Ok(()),
            // `$x=1` is read as an assignment.
            Some('=') => Ok(()),
            Some(c) => Err(format!("bad character {c:?}")),
        }
    }
}
