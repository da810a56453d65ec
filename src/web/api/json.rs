//! JSON as Prometheus writes it, to the character: `<`, `>` and `&` are escaped in texts, but not in label sets.

use std::fmt::Write as _;

use crate::promql::format_number;
use crate::sample::{Labels, Timestamp};
use crate::web::exposition::write_number;

/// An object that is being written, member by member.
pub(super) struct Object<'o> {
    out: &'o mut String,
    begun: bool,
}

/// Appends an object with the members that `write` gives it.
pub(super) fn object(out: &mut String, write: impl FnOnce(&mut Object)) {
    out.push('{');
    write(&mut Object { out, begun: false });
    out.push('}');
}

/// Appends an array with an element for each item.
pub(super) fn array<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

impl Object<'_> {
    /// Appends a key; its value is to follow in what is given back.
    pub(super) fn key(&mut self, key: &str) -> &mut String {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(',');
        }
        text(self.out, key);
        self.out.push(':');
        self.out
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        text(self.key(key), value);
    }

    pub(super) fn number(&mut self, key: &str, value: f64) {
        number(self.key(key), value);
    }

    /// A number that is whole, or a word of JSON's own: `true`, `null`.
    pub(super) fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        self.key(key).push_str(&value.to_string());
    }

    pub(super) fn labels(&mut self, key: &str, value: &Labels) {
        labels(self.key(key), value);
    }
}

/// Appends a label set or annotations.
pub(super) fn labels(out: &mut String, labels: &Labels) {
    pairs(out, labels.iter());
}

/// The same from pairs in the order of their names.
pub(super) fn pairs<'p>(out: &mut String, pairs: impl Iterator<Item = (&'p str, &'p str)>) {
    out.push('{');
    for (place, (name, value)) in pairs.enumerate() {
        if place > 0 {
            out.push(',');
        }
        quoted(out, name, false);
        out.push(':');
        quoted(out, value, false);
    }
    out.push('}');
}

/// Appends a text.
pub(super) fn text(out: &mut String, text: &str) {
    quoted(out, text, true);
}

/// Appends `[time,"value"]` of a series.
pub(super) fn point(out: &mut String, at: Timestamp, value: f64) {
    out.push('[');
    time(out, at);
    out.push_str(",\"");
    write_number(out, value);
    out.push_str("\"]");
}

/// Seconds with three digits behind the point, or none.
fn time(out: &mut String, at: Timestamp) {
    let (size, fraction) = (at.0.unsigned_abs() / 1000, at.0.unsigned_abs() % 1000);
    if at.0 < 0 {
        out.push('-');
    }
    let written = match fraction {
        0 => write!(out, "{size}"),
        fraction => write!(out, "{size}.{fraction:03}"),
    };
    debug_assert!(written.is_ok(), "writing into a string cannot fail");
}

/// Appends a number as Go's JSON does: its shortest digits, with an exponent only where it is very small or large.
pub(super) fn number(out: &mut String, value: f64) {
    let shown = format_number(value);
    match shown.split_once("e-0") {
        Some((digits, exponent)) => {
            out.push_str(digits);
            out.push_str("e-");
            out.push_str(exponent);
        }
        None => out.push_str(&shown),
    }
}

fn quoted(out: &mut String, text: &str, for_html: bool) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if for_html => escaped(out, character),
            '\u{0}'..='\u{1f}' => escaped(out, character),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn escaped(out: &mut String, character: char) {
    let written = write!(out, "\\u{:04x}", u32::from(character));
    debug_assert!(written.is_ok(), "writing into a string cannot fail");
}

/// A moment as Go writes it: RFC 3339 without zeros at the end of the fraction. `None` is Go's year 1.
pub(super) fn moment(at: Option<Timestamp>) -> String {
    let Some(at) = at else {
        return "0001-01-01T00:00:00Z".into();
    };
    let text = at.rfc3339();
    let short = text.trim_end_matches('Z').trim_end_matches('0');
    format!("{}Z", short.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_to_the_character() {
        let mut out = String::new();
        object(&mut out, |o| {
            o.text("text", "<a> & \"b\"\n\u{1}\\é");
            o.labels("labels", &Labels::new([("b", "<1>"), ("a", "2")]));
            o.number("small", 2.5e-7);
            o.number("usual", 0.000_077_597);
            o.plain("none", "null");
            let points = [(-1_500, 1.0), (250, f64::NAN), (1_700_000_000_000, 1e21)];
            array(o.key("points"), points, |out, (at, value)| {
                point(out, Timestamp(at), value);
            });
        });
        let expected = r#"{"text":"\u003ca\u003e \u0026 \"b\"\n\u0001\\é","labels":{"a":"2","b":"<1>"},"small":2.5e-7,"usual":0.000077597,"none":null,"points":[[-1.500,"1"],[0.250,"NaN"],[1700000000,"1e+21"]]}"#;
        assert_eq!(out, expected);
        assert_eq!(moment(Some(Timestamp(1_500))), "1970-01-01T00:00:01.5Z");
        assert_eq!(moment(Some(Timestamp(10_000))), "1970-01-01T00:00:10Z");
        assert_eq!(moment(None), "0001-01-01T00:00:00Z");
    }
}
