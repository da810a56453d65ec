//! Conditions on labels as Prometheus writes them: `severity="critical"`, `instance=~"prod-.*"`.

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::sample::Labels;

/// One condition on one label. A label that is missing is empty; regular expressions are anchored at both ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Matcher {
    parts: Parts,
    test: Test,
}

/// A matcher as Alertmanager's API has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parts {
    /// The label.
    pub name: String,
    /// The text that its value is held against.
    pub value: String,
    /// Whether that is a regular expression.
    pub is_regex: bool,
    /// Whether the label must meet it, or must not.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone)]
enum Test {
    Equal(String),
    Like(Regex),
}

impl Matcher {
    /// Reads one matcher; the quotes around the value may be left out.
    ///
    /// # Errors
    /// What is wrong, in words for a person.
    pub fn parse(text: &str) -> Result<Matcher, String> {
        let wrong = || format!("`{text}` is no matcher; write one such as `severity=\"critical\"`");
        let name_end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ' '))
            .ok_or_else(wrong)?;
        let (label, rest) = (text[..name_end].trim(), &text[name_end..]);
        let operators = [
            ("=~", true, true),
            ("!~", false, true),
            ("!=", false, false),
            ("=", true, false),
        ];
        let (value, wanted, regex) = operators
            .iter()
            .find_map(|(sign, wanted, regex)| Some((rest.strip_prefix(sign)?, *wanted, *regex)))
            .ok_or_else(wrong)?;
        if label.is_empty() || label.contains(' ') || label.starts_with(|c: char| c.is_numeric()) {
            return Err(wrong());
        }
        let value = unquoted(value.trim()).ok_or_else(wrong)?;
        Matcher::try_from(Parts {
            name: label.to_owned(),
            value,
            is_regex: regex,
            is_equal: wanted,
        })
    }

    /// The matcher that only this value of a label meets.
    pub fn equal(name: &str, value: &str) -> Matcher {
        Matcher {
            parts: Parts {
                name: name.to_owned(),
                value: value.to_owned(),
                is_regex: false,
                is_equal: true,
            },
            test: Test::Equal(value.to_owned()),
        }
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Whether the labels meet it.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.parts.name);
        let met = match &self.test {
            Test::Equal(wanted) => value == wanted,
            Test::Like(regex) => regex.is_match(value),
        };
        met == self.parts.is_equal
    }
}

impl TryFrom<Parts> for Matcher {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Matcher, String> {
        let value = &parts.value;
        let test = if parts.is_regex {
            let anchored = Regex::new(&format!("^(?s:{value})$"));
            Test::Like(anchored.map_err(|_| format!("`{value}` is no regular expression"))?)
        } else {
            Test::Equal(value.clone())
        };
        Ok(Matcher { parts, test })
    }
}

impl From<Matcher> for Parts {
    fn from(matcher: Matcher) -> Parts {
        matcher.parts
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Matcher) -> bool {
        self.parts == other.parts
    }
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match (self.parts.is_equal, self.parts.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        write!(f, "{}{sign}{:?}", self.parts.name, self.parts.value)
    }
}

fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let (mut text, mut escaped) = (String::new(), false);
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match (escaped, c) {
            (false, '\\') => {}
            (false, '"') => return rest.as_str().is_empty().then_some(text),
            (true, 'n') => text.push('\n'),
            (true, c) if !matches!(c, '"' | '\\') => text.extend(['\\', c]),
            (_, c) => text.push(c),
        }
        escaped = !escaped && c == '\\';
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_mean_what_prometheus_means() {
        let labels = Labels::new([("severity", "critical"), ("instance", "prod-1")]);
        let cases = [
            (r#"severity="critical""#, true),
            ("severity = critical", true),
            (r#"severity!="critical""#, false),
            (r#"instance=~"prod""#, false),
            (r#"instance=~"prod-\d+""#, true),
            (r#"instance!~"dev-.*""#, true),
            (r#"team="""#, true),
            (r#"team=~".+""#, false),
        ];
        for (text, expected) in cases {
            let matcher = Matcher::parse(text).unwrap();
            assert_eq!(matcher.matches(&labels), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_matcher_says_so() {
        for text in [
            "",
            "severity",
            "=x",
            "1a=x",
            r#"a="x"#,
            r#"a="x"y"#,
            "a b=c",
        ] {
            assert!(
                Matcher::parse(text).unwrap_err().contains("is no matcher"),
                "{text}"
            );
        }
        assert_eq!(
            Matcher::parse("a=~(").unwrap_err(),
            "`(` is no regular expression"
        );
    }
}
