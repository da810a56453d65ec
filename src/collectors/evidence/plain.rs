//! The text of a statement without what was put into it: each literal becomes `$1`, `$2` …, comments are left out.
//!
//! What cannot be told apart for certain is taken for a literal, so that none survives: a statement that the server has
//! cut short, and quotes that mean one thing or another by the server's settings.

use std::iter::Peekable;
use std::str::Chars;

/// The statement without its literals.
pub(super) fn without_literals(sql: &str) -> String {
    let mut writer = Writer::default();
    let mut reader = Reader {
        rest: sql.chars().peekable(),
    };
    while let Some(piece) = reader.next() {
        writer.write(piece);
    }
    writer.text
}

/// A part of a statement.
#[derive(Debug, PartialEq)]
enum Piece {
    /// Spaces and comments.
    Gap,
    /// A name or a key word, as it was written.
    Word(String),
    /// A value that was put in.
    Literal,
    /// Everything else, one at a time.
    Sign(char),
    /// From here on nothing is certain.
    Lost,
}

struct Reader<'s> {
    rest: Peekable<Chars<'s>>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Piece> {
        let first = self.rest.next()?;
        let second = self.rest.peek().copied();
        Some(match (first, second) {
            (space, _) if space.is_whitespace() || space.is_control() => Piece::Gap,
            ('-', Some('-')) => self.line_comment(),
            ('/', Some('*')) => self.block_comment(),
            ('\'', _) => self.string(false),
            ('"', _) => self.quoted_name(),
            ('$', _) => self.dollar(),
            ('.', Some(digit)) if digit.is_ascii_digit() => self.number(first),
            (digit, _) if digit.is_numeric() => self.number(first),
            (letter, _) if starts_word(letter) => self.word(letter),
            (sign, _) => Piece::Sign(sign),
        })
    }

    fn line_comment(&mut self) -> Piece {
        for c in self.rest.by_ref() {
            if matches!(c, '\n' | '\r') {
                break;
            }
        }
        Piece::Gap
    }

    fn block_comment(&mut self) -> Piece {
        self.rest.next();
        let mut depth = 1;
        while let Some(c) = self.rest.next() {
            match (c, self.rest.peek()) {
                ('*', Some('/')) => depth -= 1,
                ('/', Some('*')) => depth += 1,
                _ => continue,
            }
            self.rest.next();
            if depth == 0 {
                break;
            }
        }
        Piece::Gap
    }

    /// After the first quote. Where `escapes` are not announced, a backslash before a quote means one thing or another.
    fn string(&mut self, escapes: bool) -> Piece {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' if escapes => drop(self.rest.next()),
                '\\' if self.rest.peek() == Some(&'\'') => return Piece::Lost,
                '\'' if self.rest.peek() == Some(&'\'') => drop(self.rest.next()),
                '\'' => return Piece::Literal,
                _ => {}
            }
        }
        Piece::Literal
    }

    fn quoted_name(&mut self) -> Piece {
        let mut name = String::from('"');
        for c in self.rest.by_ref() {
            name.push(if c.is_control() { ' ' } else { c });
            if c == '"' {
                return Piece::Word(name);
            }
        }
        // A quote that never ends may have begun in what was taken for something else.
        Piece::Lost
    }

    /// A parameter, or text between dollar signs.
    fn dollar(&mut self) -> Piece {
        let mut tag = String::from('$');
        let is_parameter = self.rest.peek().is_some_and(char::is_ascii_digit);
        while let Some(&c) = self.rest.peek() {
            if !(c.is_alphanumeric() || c == '_' || c as u32 > 127) {
                break;
            }
            tag.push(c);
            self.rest.next();
        }
        if !is_parameter && self.rest.peek() == Some(&'$') {
            self.rest.next();
            tag.push('$');
            return self.until(&tag);
        }
        Piece::Literal
    }

    fn until(&mut self, tag: &str) -> Piece {
        let mut read = String::new();
        for c in self.rest.by_ref() {
            read.push(c);
            if read.ends_with(tag) {
                break;
            }
        }
        Piece::Literal
    }

    /// Whatever holds together with a digit, such as `0x1F`, `1_000` and `1.5e-3`.
    fn number(&mut self, first: char) -> Piece {
        let mut before = first;
        while let Some(&c) = self.rest.peek() {
            let exponent = matches!(before, 'e' | 'E') && matches!(c, '+' | '-');
            if !(c.is_alphanumeric() || matches!(c, '_' | '.') || exponent) {
                break;
            }
            before = c;
            self.rest.next();
        }
        Piece::Literal
    }

    /// A word, or a string that a letter announces: `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'`.
    fn word(&mut self, first: char) -> Piece {
        let mut word = String::from(first);
        while let Some(&c) = self.rest.peek() {
            if !(starts_word(c) || c.is_numeric() || c == '$') {
                break;
            }
            word.push(c);
            self.rest.next();
        }
        let announces = |letters: &str| word.len() == 1 && letters.contains(first);
        match self.rest.peek() {
            Some('\'') if announces("eE") => {
                self.rest.next();
                self.string(true)
            }
            Some('\'') if announces("bBxXnN") => {
                self.rest.next();
                self.string(false)
            }
            _ => Piece::Word(word),
        }
    }
}

fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c as u32 > 127
}

/// How far a statement that sets something has been written.
#[derive(Debug, Default, PartialEq, Clone, Copy)]
enum Setting {
    /// No word yet.
    #[default]
    Begins,
    /// It is no such statement.
    No,
    /// `ALTER`, which may come to `SET`.
    Alters,
    /// `SET`, and its name.
    Names,
    /// What is set, also when it is a bare word.
    Value,
}

#[derive(Default)]
struct Writer {
    text: String,
    gap: bool,
    literals: usize,
    setting: Setting,
    lost: bool,
}

impl Writer {
    fn write(&mut self, piece: Piece) {
        if self.lost {
            return;
        }
        match piece {
            Piece::Gap => self.gap = !self.text.is_empty(),
            Piece::Sign(';') => {
                self.gap &= self.setting != Setting::Value;
                self.put(";");
                self.setting = Setting::Begins;
            }
            _ if self.setting == Setting::Value => {}
            Piece::Literal => self.literal(),
            Piece::Lost => {
                self.literal();
                self.put("…");
                self.lost = true;
            }
            Piece::Sign(sign) => {
                self.put(sign.encode_utf8(&mut [0; 4]));
                if sign == '=' {
                    self.assigned();
                }
            }
            Piece::Word(word) => {
                self.put(&word);
                self.follow(&word.to_ascii_lowercase());
            }
        }
    }

    /// The value of a setting may be a bare word: `SET app.token TO abc`.
    fn follow(&mut self, word: &str) {
        match (self.setting, word) {
            (Setting::Begins, "set") | (Setting::Alters, "set") => self.setting = Setting::Names,
            (Setting::Begins, "alter") => self.setting = Setting::Alters,
            (Setting::Begins, _) => self.setting = Setting::No,
            (Setting::Names, "to") => self.assigned(),
            _ => {}
        }
    }

    fn assigned(&mut self) {
        if self.setting == Setting::Names {
            self.gap = true;
            self.literal();
            self.setting = Setting::Value;
        }
    }

    fn literal(&mut self) {
        self.literals += 1;
        let number = format!("${}", self.literals);
        self.put(&number);
    }

    fn put(&mut self, text: &str) {
        if std::mem::take(&mut self.gap) {
            self.text.push(' ');
        }
        self.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn literals_become_parameters() {
        let cases = [
            ("SELECT 1", "SELECT $1"),
            (
                "SELECT *\n  FROM t1 -- note\n WHERE a = 'it''s' AND b>-1.5e-3",
                "SELECT * FROM t1 WHERE a = $1 AND b>-$2",
            ),
            (
                "select E'a\\'b', B'01', x'1F', N'x', U&'\\0061' /* a /* b */ c */ , $$do$$, $t$ $$ $t$",
                "select $1, $2, $3, $4, U&$5 , $6, $7",
            ),
            (
                "SELECT \"Odd 1 Name\".c2 FROM Größe9",
                "SELECT \"Odd 1 Name\".c2 FROM Größe9",
            ),
            ("SELECT $7, $23::int", "SELECT $1, $2::int"),
            (
                "SELECT a[1:2], 0xFF, 1_000, .5, 5.",
                "SELECT a[$1:$2], $3, $4, $5, $6",
            ),
            ("SELECT foo$bar$baz", "SELECT foo$bar$baz"),
            // Cut short by the server.
            ("SELECT 'abc", "SELECT $1"),
            ("SELECT $x$abc", "SELECT $1"),
            ("SELECT $x", "SELECT $1"),
            ("SELECT 1 /* abc", "SELECT $1"),
            // Ambiguous without standard_conforming_strings.
            ("SELECT 'a\\' OR b = 'c' AND d", "SELECT $1…"),
            (
                "SET app.token TO abc; SELECT a",
                "SET app.token TO $1; SELECT a",
            ),
            ("set local app.token=abc", "set local app.token= $1"),
            ("ALTER ROLE a SET b TO c", "ALTER ROLE a SET b TO $1"),
            ("ALTER ROLE a PASSWORD 'p'", "ALTER ROLE a PASSWORD $1"),
            (
                "UPDATE t SET a = b WHERE c = d",
                "UPDATE t SET a = b WHERE c = d",
            ),
            ("", ""),
        ];
        for (sql, expected) in cases {
            assert_eq!(without_literals(sql), expected, "{sql}");
        }
    }

    /// A literal or comment of any kind that holds `secret`.
    const WHOLE: &[&str] = &[
        "'secret'",
        "'it''s secret'",
        "E'it\\'s secret'",
        "e'secret\\\\'",
        "'C:\\secret\\'",
        "'\\' secret",
        "U&'secret'",
        "B'secret'",
        "$$secret$$",
        "$tag$ secret $$ ' $tag$",
        "$größe$secret$größe$",
        "0secret",
        "1.5secret",
        "-- secret\n",
        "/* secret /* ' */ secret */",
    ];

    /// The same, cut short.
    const OPEN: &[&str] = &[
        "",
        "'secret",
        "$$secret",
        "$t$secret$t",
        "/* secret",
        "-- secret",
        "E'secret\\",
    ];

    /// What may stand around them.
    const AROUND: &[&str] = &[
        "SELECT", "FROM t", "a", "(", ")", ",", "=", "\"q'q\"", "\n", "::text", "$1", "5", "é",
        "-", "/", ";", "E", "a$1", "U&", ".",
    ];

    proptest! {
        #[test]
        fn no_literal_survives(
            parts in prop::collection::vec(
                (prop::sample::select(AROUND), prop::sample::select(WHOLE)),
                1..6,
            ),
            end in prop::sample::select(OPEN),
        ) {
            let parts = parts.iter().map(|(before, literal)| format!("{before} {literal} "));
            let sql = parts.collect::<String>() + end;
            let plain = without_literals(&sql);
            prop_assert!(!plain.contains("secret"), "{sql:?} became {plain:?}");
        }

        #[test]
        fn nothing_is_too_odd(sql in ".*") {
            without_literals(&sql);
        }
    }
}
