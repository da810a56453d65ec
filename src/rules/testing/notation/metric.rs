//! The name and the labels of a series.

use crate::rules::template::escape;
use crate::sample::{Labels, NAME};

use super::{Reader, is_word};

impl Reader<'_> {
    /// Only where a series stands alone may there be a space before its brace.
    pub(super) fn metric(&mut self, spaced: bool) -> Result<Labels, String> {
        let name = self.word(|c| is_word(c) || c == ':');
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("`{name}` is no name of a metric"));
        }
        let mut pairs = vec![(NAME.to_owned(), name.to_owned())];
        if spaced {
            self.skip_spaces();
        }
        if self.eat("{") {
            self.pairs(&mut pairs)?;
        }
        Ok(Labels::new(pairs))
    }

    fn pairs(&mut self, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
        loop {
            self.skip_spaces();
            if self.eat("}") {
                return Ok(());
            }
            let quoted = self.rest.starts_with(['"', '\'', '`']);
            let name = match quoted {
                true => self.text()?,
                false => self.word(is_word).to_owned(),
            };
            self.skip_spaces();
            if self.eat("=") {
                self.skip_spaces();
                pairs.push((name, self.text()?));
            } else if quoted && pairs[0].1.is_empty() {
                pairs[0].1 = name;
            } else {
                return Err(self.unexpected("where `=` and a quoted value should be"));
            }
            self.skip_spaces();
            if !self.eat(",") && !self.rest.starts_with('}') {
                return Err(self.unexpected("where `,` or `}` should be"));
            }
        }
    }

    /// A text in quotes, which are those of Go.
    fn text(&mut self) -> Result<String, String> {
        let unclosed = || "a text in quotes does not end".to_owned();
        let quote = self.rest.chars().next().unwrap_or(' ');
        if !matches!(quote, '"' | '\'' | '`') {
            return Err(self.unexpected("where a quoted text should be"));
        }
        let mut text = String::new();
        let mut letters = self.rest[1..].char_indices();
        while let Some((place, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.rest = &self.rest[1..][place + 1..];
                    return Ok(text);
                }
                '\\' if quote != '`' => text.push(escape(&mut letters, quote)?),
                '\n' if quote != '`' => return Err(unclosed()),
                other => text.push(other),
            }
        }
        Err(unclosed())
    }
}
