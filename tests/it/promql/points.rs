//! Series and values as Prometheus' test scripts write them.

use pgvigil::sample::{Labels, NAME, STALE};

/// A point of a series: a value, or nothing.
pub type Point = Option<f64>;

/// Reads `1 2+3x4 _x2 stale`.
pub fn points(text: &str) -> Vec<Point> {
    text.split_whitespace().flat_map(expanded).collect()
}

/// Whether a native histogram is among the points.
pub fn has_native(text: &str) -> bool {
    text.contains("{{")
}

/// The points with nothing in place of native histograms.
pub fn without_native(text: &str) -> String {
    let native = r"\{\{[^}]*\}\}(?:[+-]\{\{[^}]*\}\})?(?:x(\d+))?";
    let native = regex::Regex::new(native).unwrap();
    let gap = |found: &regex::Captures<'_>| match found.get(1) {
        Some(times) => format!("_x{}", times.as_str().parse::<usize>().unwrap() + 1),
        None => "_".into(),
    };
    native.replace_all(text, gap).into_owned()
}

/// Reads `name{a="b"} rest` into the labels and the rest; `None` where there are no labels.
pub fn series(text: &str) -> Option<(Labels, &str)> {
    let name_end = text.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, mut rest) = (&text[..name_end], text[name_end..].trim_start());
    let mut pairs = vec![(NAME.to_owned(), name.to_owned())];
    if let Some(inner) = rest
        .strip_prefix('{')
        .filter(|inner| !inner.starts_with('{'))
    {
        rest = inner.trim_start();
        while !rest.starts_with('}') {
            let (label, after) = match rest.starts_with('"') {
                true => quoted(rest),
                false => {
                    let end = rest.find(|c: char| c == '=' || c.is_whitespace())?;
                    (rest[..end].to_owned(), &rest[end..])
                }
            };
            rest = match after.trim_start().strip_prefix('=') {
                Some(value) => {
                    let (value, after) = quoted(value.trim_start());
                    pairs.push((label, value));
                    after
                }
                None => {
                    pairs.push((NAME.to_owned(), label));
                    after
                }
            };
            rest = rest.trim_start().trim_start_matches(',').trim_start();
        }
        rest = &rest[1..];
    }
    Some((Labels::new(pairs), rest.trim()))
}

/// Reads a number as Go does.
pub fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Reads a quoted text and returns it with what follows.
pub fn quoted(text: &str) -> (String, &str) {
    let quote = text.chars().next().expect("a quoted text");
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((place, c)) = chars.next() {
        match c {
            c if c == quote => return (value, &text[place + 1..]),
            '\\' if quote != '`' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, other)) => value.push(other),
                None => break,
            },
            other => value.push(other),
        }
    }
    panic!("unclosed text {text}");
}

fn expanded(word: &str) -> Vec<Point> {
    if let Some(value) = point(word) {
        return vec![value];
    }
    let (first, times) = word
        .rsplit_once('x')
        .unwrap_or_else(|| panic!("no point: {word}"));
    let times: usize = times.parse().unwrap_or_else(|_| panic!("no count: {word}"));
    match point(first) {
        Some(None) => vec![None; times],
        Some(value) => vec![value; times + 1],
        None => {
            let (start, step) = slope(first).unwrap_or_else(|| panic!("no point: {word}"));
            (0..=times)
                .map(|place| Some(start + step * place as f64))
                .collect()
        }
    }
}

fn point(word: &str) -> Option<Point> {
    match word {
        "_" => Some(None),
        "stale" => Some(Some(STALE)),
        other => number(other).map(Some),
    }
}

/// Reads `1+2` or `1-2`, where signs of exponents do not count.
fn slope(text: &str) -> Option<(f64, f64)> {
    let signs = text
        .char_indices()
        .skip(1)
        .filter(|(_, c)| matches!(c, '+' | '-'));
    signs
        .filter_map(|(place, _)| Some((number(&text[..place])?, number(&text[place..])?)))
        .next()
}
