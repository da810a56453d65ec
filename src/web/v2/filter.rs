//! Matchers as the parameter `filter` has them, read as Alertmanager reads them, and with its words for what is none.

use regex::Regex;

use crate::incident::{Matcher, Parts};

/// One matcher.
///
/// # Errors
/// Alertmanager's words.
pub(super) fn matcher(text: &str) -> Result<Matcher, String> {
    let bad = || format!("bad matcher format: {text}");
    let trimmed = text.trim_start();
    let end = trimmed
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .ok_or_else(bad)?;
    let (name, rest) = trimmed.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad());
    }
    let signs = [
        ("=~", true, true),
        ("!~", true, false),
        ("!=", false, false),
        ("=", false, true),
    ];
    let rest = rest.trim_start();
    let (value, is_regex, is_equal) = signs
        .iter()
        .find_map(|(sign, regex, equal)| Some((rest.strip_prefix(sign)?, *regex, *equal)))
        .ok_or_else(bad)?;
    let value = unquoted(value.trim())?;
    if is_regex {
        anchored(&value)?;
    }
    Matcher::try_from(Parts {
        name: name.to_owned(),
        value,
        is_regex,
        is_equal,
    })
}

/// A pattern for a whole text.
///
/// # Errors
/// Alertmanager's words, as far as the cause has the same.
pub(super) fn anchored(pattern: &str) -> Result<Regex, String> {
    let whole = format!("^(?:{pattern})$");
    Regex::new(&whole)
        .map_err(|error| format!("error parsing regexp: {}: `{whole}`", cause(&error)))
}

/// What is wrong with a pattern, in one line.
pub(super) fn cause(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    match last.trim_start_matches("error: ") {
        "unclosed group" => "missing closing )".into(),
        "unclosed character class" => "missing closing ]".into(),
        other => other.to_owned(),
    }
}

/// The value without its quotes, which may be left out.
fn unquoted(raw: &str) -> Result<String, String> {
    let quoted = raw.strip_prefix('"');
    let inner = quoted.unwrap_or(raw);
    let unescaped = || format!("matcher value contains unescaped double quote: {raw}");
    let inner = match quoted {
        Some(inner) => inner.strip_suffix('"').ok_or_else(unescaped)?,
        None => inner,
    };
    let (mut value, mut rest) = (String::new(), inner.chars());
    while let Some(c) = rest.next() {
        match c {
            '"' => return Err(unescaped()),
            '\\' => match rest.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('"' | '\\')) => value.push(c),
                Some(c) => value.extend(['\\', c]),
                // What was escaped is the closing quote.
                None if quoted.is_some() => return Err(unescaped()),
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_mean_what_they_mean_to_alertmanager() {
        let cases = [
            ("a=b", r#"a="b""#),
            (r#" a = "b c" "#, r#"a="b c""#),
            ("a=", r#"a="""#),
            ("a=~b|c", r#"a=~"b|c""#),
            (r#"a!~"b""#, r#"a!~"b""#),
            ("a!=b=c", r#"a!="b=c""#),
            (r#"a="b\"c\\d\ne\x""#, r#"a="b\"c\\d\ne\\x""#),
            (r"a=b\", r#"a="b\\""#),
            ("a={b}", r#"a="{b}""#),
        ];
        for (text, meant) in cases {
            assert_eq!(matcher(text).unwrap().to_string(), meant, "{text}");
        }
    }

    #[test]
    fn what_is_none_has_its_words() {
        let quote = "matcher value contains unescaped double quote: ";
        let cases = [
            ("foo", "bad matcher format: foo".to_owned()),
            ("", "bad matcher format: ".into()),
            ("1a=b", "bad matcher format: 1a=b".into()),
            ("{a=\"b\"}", "bad matcher format: {a=\"b\"}".into()),
            (r#"a=b"c"#, format!(r#"{quote}b"c"#)),
            (r#"a="b"#, format!(r#"{quote}"b"#)),
            (r#"a="b\""#, format!(r#"{quote}"b\""#)),
            (
                "a=~(",
                "error parsing regexp: missing closing ): `^(?:()$`".into(),
            ),
        ];
        for (text, said) in cases {
            assert_eq!(matcher(text).unwrap_err(), said, "{text}");
        }
    }
}
