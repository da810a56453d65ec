//! Series and their points as test scripts write them.

use pgvigil::sample::{Labels, NAME, STALE};

/// A point of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Point {
    Gap,
    Float(f64),
    /// A native histogram, whatever is in it.
    Native,
}

/// Reads `name{a="b"} rest` into the labels and the rest.
pub fn series(text: &str) -> Result<(Labels, &str), String> {
    let end = |c: char| c == '{' || c == '@' || c.is_whitespace();
    let name_end = text.find(end).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(name_end);
    let mut pairs = vec![(NAME.to_owned(), name.to_owned())];
    // `{{` begins a native histogram.
    let inner = rest.strip_prefix('{').filter(|rest| !rest.starts_with('{'));
    if let Some(inner) = inner {
        rest = inner.trim_start();
        while !rest.starts_with('}') {
            let (pair, after) = pair(rest)?;
            pairs.push(pair);
            rest = after.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        rest = &rest[1..];
    }
    Ok((Labels::new(pairs), rest.trim()))
}

/// Reads `label="value"`, or a quoted metric name.
fn pair(text: &str) -> Result<((String, String), &str), String> {
    let (label, after) = match text.starts_with(['"', '\'', '`']) {
        true => quoted(text)?,
        false => {
            let end = text.find(|c: char| c == '=' || c.is_whitespace());
            let end = end.ok_or_else(|| format!("no label: {text}"))?;
            (text[..end].to_owned(), &text[end..])
        }
    };
    match after.trim_start().strip_prefix('=') {
        Some(value) => {
            let (value, after) = quoted(value.trim_start())?;
            Ok(((label, value), after))
        }
        None => Ok(((NAME.to_owned(), label), after)),
    }
}

/// Reads a quoted text, as Go writes it, and gives what follows too.
pub fn quoted(text: &str) -> Result<(String, &str), String> {
    let unclosed = || format!("no quoted text: {text}");
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))
        .ok_or_else(unclosed)?;
    let mut bytes = Vec::new();
    let mut rest = &text[1..];
    loop {
        let c = rest.chars().next().ok_or_else(unclosed)?;
        rest = &rest[c.len_utf8()..];
        match c {
            c if c == quote => {
                let value = String::from_utf8(bytes).map_err(|_| format!("no UTF-8: {text}"))?;
                return Ok((value, rest));
            }
            '\\' if quote != '`' => rest = escaped(rest, &mut bytes).ok_or_else(unclosed)?,
            other => bytes.extend(other.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
}

/// Reads what stands behind a backslash.
fn escaped<'t>(text: &'t str, into: &mut Vec<u8>) -> Option<&'t str> {
    let c = text.chars().next()?;
    let digits = |from: usize, length: usize, radix: u32| {
        let digits = text.get(from..from + length)?;
        let code = u32::from_str_radix(digits, radix).ok()?;
        Some((code, &text[from + length..]))
    };
    let (byte, rest) = match c {
        'x' => digits(1, 2, 16)?,
        '0'..='7' => digits(0, 3, 8)?,
        'u' | 'U' => {
            let (code, rest) = digits(1, if c == 'u' { 4 } else { 8 }, 16)?;
            let c = char::from_u32(code)?;
            into.extend(c.encode_utf8(&mut [0; 4]).bytes());
            return Some(rest);
        }
        _ => {
            let plain = match c {
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\x0b',
                '\\' | '"' | '\'' => c,
                _ => return None,
            };
            (u32::from(plain), &text[1..])
        }
    };
    into.push(u8::try_from(byte).ok()?);
    Some(rest)
}

/// Reads `1 2+3x4 _x2 stale {{sum:1 count:2}}x3`.
pub fn points(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = word_end(rest)?;
        expand(&rest[..end], &mut points)?;
        rest = rest[end..].trim_start();
    }
    Ok(points)
}

/// Where the word ends that a text begins with; within braces white space does not end it.
fn word_end(text: &str) -> Result<usize, String> {
    let mut place = 0;
    loop {
        let rest = &text[place..];
        let space = rest.find(char::is_whitespace).unwrap_or(rest.len());
        match rest.find("{{").filter(|open| *open < space) {
            None => return Ok(place + space),
            Some(open) => match rest[open..].find("}}") {
                Some(close) => place += open + close + 2,
                None => return Err(format!("unclosed histogram: {text}")),
            },
        }
    }
}

fn expand(word: &str, points: &mut Vec<Point>) -> Result<(), String> {
    let unreadable = || format!("no point: {word}");
    let (first, times) = match word.rsplit_once('x') {
        Some((first, times)) if times.chars().all(|c| c.is_ascii_digit()) => (
            first,
            Some(times.parse::<usize>().map_err(|_| unreadable())?),
        ),
        _ => (word, None),
    };
    if times.is_some_and(|times| times > 1_000_000) {
        return Err(unreadable());
    }
    let repeats = times.map_or(1, |times| times + 1);
    match first {
        "_" => points.extend(vec![Point::Gap; times.unwrap_or(1)]),
        "stale" => points.extend(vec![Point::Float(STALE); repeats]),
        native if native.starts_with("{{") => points.extend(vec![Point::Native; repeats]),
        plain if number(plain).is_some() => {
            points.extend(
                number(plain)
                    .map(|value| vec![Point::Float(value); repeats])
                    .into_iter()
                    .flatten(),
            );
        }
        slope => {
            let (start, step) = slope_of(slope).ok_or_else(unreadable)?;
            // Added up, as Prometheus does: the last digits tell.
            let values = std::iter::successors(Some(start), |value| Some(value + step));
            points.extend(values.take(repeats).map(Point::Float));
        }
    }
    Ok(())
}

/// Reads `1+2` or `1-2`, where signs of exponents do not count.
fn slope_of(text: &str) -> Option<(f64, f64)> {
    let mut signs = text
        .char_indices()
        .skip(1)
        .filter(|(_, c)| matches!(c, '+' | '-'));
    signs.find_map(|(place, _)| Some((number(&text[..place])?, number(&text[place..])?)))
}

/// Reads a number as Go does.
pub fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => Some(sign * i64::from_str_radix(hex, 16).ok()? as f64),
        None if digits.starts_with(['+', '-']) => None,
        None => Some(sign * digits.parse::<f64>().ok()?),
    }
}
