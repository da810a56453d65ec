//! What is said beside the value: doubts about it, and why there is none, with the place in the expression.

use std::sync::LazyLock;

use regex::Regex;

use super::ask::Answer;

/// Says that there is nothing to show, for silence would look like a broken tool.
pub(super) fn nothing() {
    eprintln!("no series has a value");
}

/// Prints warnings and infos, which name their places themselves.
pub(super) fn notes(answer: &Answer) {
    for warning in &answer.warnings {
        eprintln!("warning: {warning}");
    }
    for info in &answer.infos {
        eprintln!("info: {info}");
    }
}

/// Why there is no value, and at which byte of the expression.
pub(super) struct Mistake {
    pub(super) cause: String,
    pub(super) at: Option<usize>,
}

static PLACED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?s)(?:^|: )(?:(\d+):(\d+)|unknown position): parse error: (.*)$").ok()
});

impl Mistake {
    /// From a message of Prometheus, which names a place by line and byte, both from one.
    pub(super) fn read(expression: &str, message: &str) -> Mistake {
        let placed = PLACED.as_ref();
        let Some(found) = placed.and_then(|pattern| pattern.captures(message)) else {
            return Mistake {
                cause: message.to_owned(),
                at: None,
            };
        };
        let number = |group: usize| found.get(group)?.as_str().parse::<usize>().ok();
        let at = number(1).zip(number(2)).map(|(line, column)| {
            let lines = expression.split_inclusive('\n');
            let above: usize = lines.take(line.saturating_sub(1)).map(str::len).sum();
            above + column.saturating_sub(1)
        });
        Mistake {
            cause: found[3].to_owned(),
            at,
        }
    }

    /// Prints it, and points at the place where that is known.
    pub(super) fn print(&self, expression: &str) {
        eprint!("{}", self.told(expression));
    }

    fn told(&self, expression: &str) -> String {
        let mut text = format!("error: {}\n", self.cause);
        let Some(at) = self.at else {
            return text;
        };
        let mut begin = 0;
        for line in expression.split_inclusive('\n') {
            let (words, end) = (line.trim_end_matches('\n'), begin + line.len());
            text.push_str(&format!("  {words}\n"));
            let last = end == expression.len();
            if (begin..end).contains(&at) || (last && at >= end) {
                text.push_str(&format!("  {}^\n", before(words, at - begin)));
            }
            begin = end;
        }
        text
    }
}

/// As much space as the words take before a byte; a place behind their end is one behind it.
fn before(words: &str, at: usize) -> String {
    let letters = words.char_indices();
    letters
        .take_while(|(place, _)| *place < at)
        .map(|(_, letter)| if letter == '\t' { '\t' } else { ' ' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_under_the_place() {
        let cases = [
            (
                "sum(up) by a",
                "invalid parameter \"query\": 1:12: parse error: unexpected identifier \"a\"",
                "error: unexpected identifier \"a\"\n  sum(up) by a\n             ^\n",
            ),
            (
                "up ==",
                "1:6: parse error: unexpected end of input",
                "error: unexpected end of input\n  up ==\n       ^\n",
            ),
            (
                "{a=\"ö\"} +\n  )",
                "2:3: parse error: unexpected right parenthesis",
                "error: unexpected right parenthesis\n  {a=\"ö\"} +\n    )\n    ^\n",
            ),
            ("up(", "unknown position: parse error: no", "error: no\n"),
            ("up", "query timed out", "error: query timed out\n"),
        ];
        for (expression, message, expected) in cases {
            let told = Mistake::read(expression, message).told(expression);
            assert_eq!(told, expected);
        }
    }
}
