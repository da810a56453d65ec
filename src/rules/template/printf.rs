//! `printf`, `print` and `println` as Go's fmt prints the values a template has, its complaints included.

use super::number;
use super::value::Value;

/// The widest field and the most digits; Go refuses more as well.
const WIDEST: usize = 1_000_000;

/// `print`: texts adjoin, other neighbours are parted by a space.
pub(super) fn print(arguments: &[Value]) -> String {
    let mut printed = String::new();
    let mut after_text = true;
    for argument in arguments {
        let is_text = matches!(argument, Value::Text(_));
        if !after_text && !is_text {
            printed.push(' ');
        }
        printed.push_str(&argument.show());
        after_text = is_text;
    }
    printed
}

/// `println`: every argument parted by a space, then a line end.
pub(super) fn println(arguments: &[Value]) -> String {
    let shown: Vec<String> = arguments.iter().map(Value::show).collect();
    shown.join(" ") + "\n"
}

/// `printf`. What does not fit is complained of in the text, as Go does.
pub(super) fn printf(format: &str, arguments: &[Value]) -> String {
    let mut printing = Printing {
        rest: format,
        left: arguments.iter(),
        printed: String::new(),
    };
    while let Some(start) = printing.rest.find('%') {
        printing.printed.push_str(&printing.rest[..start]);
        printing.rest = &printing.rest[start + 1..];
        printing.directive();
    }
    let mut printed = printing.printed + printing.rest;
    let extra: Vec<String> = printing.left.map(described).collect();
    if !extra.is_empty() {
        printed.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    printed
}

struct Printing<'f, 'v> {
    rest: &'f str,
    left: std::slice::Iter<'v, Value>,
    printed: String,
}

impl Printing<'_, '_> {
    /// What follows a `%`.
    fn directive(&mut self) {
        let mut field = Field::default();
        while let Some(flag) = self.rest.chars().next() {
            match flag {
                '-' => field.left = true,
                '+' => field.plus = true,
                '#' => field.sharp = true,
                ' ' => field.space = true,
                '0' => field.zero = true,
                _ => break,
            }
            self.rest = &self.rest[1..];
        }
        field.width = self.count("WIDTH");
        if let Some(after) = self.rest.strip_prefix('.') {
            self.rest = after;
            let written = self
                .rest
                .starts_with(|c: char| c == '*' || c.is_ascii_digit());
            field.precision = if written { self.count("PREC") } else { Some(0) };
        }
        let mut characters = self.rest.chars();
        let verb = characters.next();
        self.rest = characters.as_str();
        match verb {
            None => self.printed.push_str("%!(NOVERB)"),
            Some('%') => self.printed.push('%'),
            Some(verb) => {
                let text = match self.left.next() {
                    Some(argument) => field.format(verb, argument),
                    None => format!("%!{verb}(MISSING)"),
                };
                self.printed.push_str(&text);
            }
        }
    }

    fn count(&mut self, what: &str) -> Option<usize> {
        if let Some(after) = self.rest.strip_prefix('*') {
            self.rest = after;
            return match self.left.next() {
                Some(Value::Int(count)) if (0..=WIDEST as i64).contains(count) => {
                    Some(*count as usize)
                }
                _ => {
                    self.printed.push_str(&format!("%!(BAD{what})"));
                    None
                }
            };
        }
        let after = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = &self.rest[..self.rest.len() - after.len()];
        self.rest = after;
        digits.parse().ok().filter(|count| *count <= WIDEST)
    }
}

#[derive(Debug, Default)]
struct Field {
    left: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Field {
    fn format(&self, verb: char, value: &Value) -> String {
        match (verb, value) {
            ('v', Value::Float(number)) => {
                self.padded(self.signed(number::general(*number, self.precision)))
            }
            ('v', Value::Int(number)) => self.padded(self.signed(number.to_string())),
            ('v' | 's', Value::Text(text)) => self.padded(self.cut(text)),
            ('v', other) => self.padded(other.show()),
            ('T', other) => self.padded(other.kind().into()),
            ('s', Value::Span(_) | Value::Moment(_)) => self.padded(value.show()),
            ('t', Value::Bool(flag)) => self.padded(flag.to_string()),
            ('q', Value::Text(text)) => self.padded(quoted(&self.cut(text))),
            ('x', Value::Text(text)) => {
                self.padded(text.bytes().map(|byte| format!("{byte:02x}")).collect())
            }
            ('X', Value::Text(text)) => {
                self.padded(text.bytes().map(|byte| format!("{byte:02X}")).collect())
            }
            (_, Value::Float(number)) => self.float(verb, *number),
            (_, Value::Int(number) | Value::Span(number)) => self.integer(verb, *number),
            ('s' | 'd' | 'f' | 'q', Value::Labels(labels)) => {
                let each = labels.iter();
                let shown: Vec<String> = each
                    .map(|(name, value)| {
                        let of = |text: &str| self.format(verb, &Value::text(text));
                        format!("{}:{}", of(name), of(value))
                    })
                    .collect();
                format!("map[{}]", shown.join(" "))
            }
            _ => mismatch(verb, value),
        }
    }

    fn float(&self, verb: char, number: f64) -> String {
        let digits = self.precision.unwrap_or(6);
        let text = match verb {
            'f' | 'F' => number::fixed(number, digits),
            'e' => number::exponential(number, digits),
            'E' => number::exponential(number, digits).replace('e', "E"),
            'g' => number::general(number, self.precision),
            'G' => number::general(number, self.precision).replace('e', "E"),
            _ => return mismatch(verb, &Value::Float(number)),
        };
        self.padded(self.signed(text))
    }

    fn integer(&self, verb: char, number: i64) -> String {
        let magnitude = number.unsigned_abs();
        let prefix = |prefix: &'static str| if self.sharp { prefix } else { "" };
        let digits = match verb {
            'd' => magnitude.to_string(),
            'b' => format!("{}{magnitude:b}", prefix("0b")),
            'o' => format!("{}{magnitude:o}", prefix("0")),
            'O' => format!("0o{magnitude:o}"),
            'x' => format!("{}{magnitude:x}", prefix("0x")),
            'X' => format!("{}{magnitude:X}", prefix("0X")),
            'c' | 'q' | 'U' => return self.padded(character(verb, number)),
            _ => return mismatch(verb, &Value::Int(number)),
        };
        let sign = if number < 0 { "-" } else { "" };
        let width = self.precision.unwrap_or(0);
        self.padded(self.signed(format!("{sign}{digits:0>width$}")))
    }

    fn signed(&self, text: String) -> String {
        match text.chars().next() {
            Some('-') => text,
            // Infinity brings its sign along.
            Some('+') if self.plus => text,
            Some('+') if text.len() > 1 => text,
            _ if self.plus => format!("+{text}"),
            _ if self.space => format!(" {text}"),
            _ => text,
        }
    }

    fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(length) => text.chars().take(length).collect(),
            None => text.into(),
        }
    }

    fn padded(&self, text: String) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let finite = text.chars().any(|c| c.is_ascii_digit());
        if self.left {
            text + &" ".repeat(missing)
        } else if self.zero && finite {
            let sign = text.starts_with(['-', '+']).into();
            let (sign, digits) = text.split_at(sign);
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else {
            " ".repeat(missing) + &text
        }
    }
}

fn character(verb: char, code: i64) -> String {
    let c = u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or('\u{fffd}');
    match verb {
        'c' => c.to_string(),
        'U' => format!("U+{code:04X}"),
        _ => format!("'{}'", c.escape_debug()),
    }
}

/// A text as a Go literal.
fn quoted(text: &str) -> String {
    let mut literal = String::from('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c if c.is_control() => literal.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => literal.push(c),
        }
    }
    literal + "\""
}

fn mismatch(verb: char, value: &Value) -> String {
    format!("%!{verb}({})", described(value))
}

/// A value with its type, as in `%!d(float64=1500)`.
fn described(value: &Value) -> String {
    match value {
        Value::Missing | Value::Nil => "<nil>".into(),
        other => format!("{}={}", other.kind(), other.show()),
    }
}
