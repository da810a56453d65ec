//! Series as promtool's tests write them: `name{label="value"}`, and values such as `1+2x3 _x2 stale`.

mod metric;
mod number;

use crate::sample::{Labels, STALE};

/// More values than these in one series are refused, for a few letters can stand for any number of them.
const MOST_VALUES: usize = 5_000_000;

/// A value, or nothing at this moment.
pub(super) type Point = Option<f64>;

/// Reads a series and its values, as a line of a test has them.
///
/// # Errors
/// What is wrong, and with which part of the text.
pub(super) fn series(text: &str) -> Result<(Labels, Vec<Point>), String> {
    let mut reader = Reader { rest: text };
    let labels = reader.metric(false)?;
    let mut points = Vec::new();
    while !reader.rest.is_empty() {
        if !reader.skip_spaces() {
            return Err(reader.unexpected("between two values"));
        }
        if !reader.rest.is_empty() {
            reader.item(&mut points)?;
        }
    }
    Ok((labels, points))
}

/// Reads the labels of a sample, such as `name{label="value"}`, `{}` or nothing at all.
///
/// # Errors
/// What is wrong, and with which part of the text.
pub(super) fn labels(text: &str) -> Result<Labels, String> {
    let mut reader = Reader { rest: text };
    reader.skip_spaces();
    let labels = reader.metric(true)?;
    reader.skip_spaces();
    match reader.rest {
        "" => Ok(labels),
        _ => Err(reader.unexpected("after the labels")),
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    /// One item of the values: a value, a gap, or many of either.
    fn item(&mut self, points: &mut Vec<Point>) -> Result<(), String> {
        if self.rest.starts_with("{{") {
            return Err(
                "native histograms (`{{…}}`) are not evaluated here, numbers alone are".into(),
            );
        }
        if self.eat("_") {
            let count = self.times()?.unwrap_or(1);
            return extend(points, count, || None);
        }
        let mut value = self.value()?;
        let signed = self.rest.starts_with(['+', '-']);
        let step = if signed { self.signed_number()? } else { 0.0 };
        let count = match self.times()? {
            Some(count) => count.saturating_add(1),
            None if signed => return Err(self.unexpected("where `x` and a count should be")),
            None => 1,
        };
        extend(points, count, || {
            let point = Some(value);
            // Added up one by one, as Prometheus does, for the sake of the last digit.
            value += step;
            point
        })
    }

    fn value(&mut self) -> Result<f64, String> {
        if self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let before = self.rest;
            let word = self.word(|c| is_word(c) || c == ':');
            return match word {
                "stale" => Ok(STALE),
                _ => number::word(word).ok_or_else(|| {
                    self.rest = before;
                    format!("`{word}` is no value; write a number, `_` or `stale`")
                }),
            };
        }
        self.signed_number()
    }

    fn signed_number(&mut self) -> Result<f64, String> {
        let before = self.rest;
        let sign = if self.eat("-") {
            -1.0
        } else {
            self.eat("+");
            1.0
        };
        if self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let word = self.word(is_word);
            let value = number::word(word).ok_or_else(|| format!("`{word}` is no number"))?;
            return Ok(sign * value);
        }
        let (text, rest) = self.rest.split_at(number::length(self.rest));
        match number::parse(text) {
            Some(value) if !rest.starts_with(|c| is_word(c) && c != 'x') => {
                self.rest = rest;
                Ok(sign * value)
            }
            _ => {
                self.rest = before;
                Err(self.unexpected("where a number should be"))
            }
        }
    }

    /// `x` and a count, where they stand here.
    fn times(&mut self) -> Result<Option<usize>, String> {
        if !self.eat("x") {
            return Ok(None);
        }
        let digits = self.word(|c| c.is_ascii_digit());
        let whole = !self.rest.starts_with(|c| is_word(c) || c == '.');
        let count = digits.parse().ok().filter(|_| whole);
        count
            .map(Some)
            .ok_or_else(|| self.unexpected("where a count should be"))
    }

    fn eat(&mut self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// Whether there was one.
    fn skip_spaces(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.len() < before
    }

    fn unexpected(&self, place: &str) -> String {
        match self.rest.split_whitespace().next() {
            Some(word) => format!("unexpected `{word}` {place}"),
            None => format!("the text ends {place}"),
        }
    }
}

fn extend(
    points: &mut Vec<Point>,
    count: usize,
    point: impl FnMut() -> Point,
) -> Result<(), String> {
    if points.len().saturating_add(count) > MOST_VALUES {
        return Err(format!("more than {MOST_VALUES} values in one series"));
    }
    points.extend(std::iter::repeat_with(point).take(count));
    Ok(())
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests;
