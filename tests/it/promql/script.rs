//! Prometheus' test scripts: commands that load samples and evaluate expressions.

use std::time::Duration;

use pgvigil::sample::{Labels, Timestamp};

use super::points::{self, Point};

/// A command of a script.
pub enum Command {
    Clear,
    Load {
        step: Duration,
        series: Vec<(Labels, Vec<Point>)>,
        /// Names of metrics with native histograms among their samples, which are left out.
        native: Vec<String>,
    },
    Eval(Case),
}

/// An expression and what it should give.
pub struct Case {
    pub line: usize,
    pub query: String,
    pub moments: Moments,
    pub expected: Expected,
}

/// When an expression is evaluated.
#[derive(Clone, Copy)]
pub enum Moments {
    At(Timestamp),
    Range(Timestamp, Timestamp, Duration),
}

/// What an expression should give.
#[derive(Default)]
pub struct Expected {
    pub fails: bool,
    pub message: Option<String>,
    pub pattern: Option<String>,
    pub ordered: bool,
    pub text: Option<String>,
    pub number: Option<f64>,
    pub series: Vec<(Labels, Vec<Point>)>,
    /// A native histogram is among the results.
    pub native: bool,
}

/// Reads a script.
pub fn parse(text: &str) -> Vec<Command> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .map(|line| if line.starts_with('#') { "" } else { line })
        .collect();
    let mut commands = Vec::new();
    let mut place = 0;
    while place < lines.len() {
        let first = lines[place];
        let block = lines[place + 1..]
            .iter()
            .take_while(|line| !line.is_empty());
        let block: Vec<&str> = block.copied().collect();
        let word = first.split_whitespace().next().unwrap_or_default();
        let taken = match word {
            "" => 0,
            "clear" => {
                commands.push(Command::Clear);
                0
            }
            "load" | "load_with_nhcb" => {
                commands.push(load(first, &block));
                block.len()
            }
            eval if eval.starts_with("eval") => {
                commands.push(Command::Eval(case(place + 1, first, &block)));
                block.len()
            }
            other => panic!("line {}: unknown command {other}", place + 1),
        };
        place += 1 + taken;
    }
    commands
}

fn load(first: &str, block: &[&str]) -> Command {
    let mut words = first.split_whitespace();
    let with_native = words.next() == Some("load_with_nhcb");
    let (mut series, mut native) = (Vec::new(), Vec::new());
    for line in block {
        let (labels, rest) = points::series(line).unwrap_or_else(|| panic!("no series: {line}"));
        series.push((
            labels.clone(),
            points::points(&points::without_native(rest)),
        ));
        if points::has_native(rest) {
            native.push(labels.metric().to_owned());
        }
        if with_native {
            native.push(labels.metric().trim_end_matches("_bucket").to_owned());
        }
    }
    Command::Load {
        step: duration(words.next().expect("a step")),
        series,
        native,
    }
}

fn case(line: usize, first: &str, block: &[&str]) -> Case {
    let (command, rest) = first.split_once(char::is_whitespace).expect("a kind");
    let (moments, query) = moments(rest.trim());
    let mut expected = Expected {
        fails: command == "eval_fail",
        ordered: command == "eval_ordered",
        ..Expected::default()
    };
    for line in block {
        expect(&mut expected, line);
    }
    Case {
        line,
        query: query.to_owned(),
        moments,
        expected,
    }
}

fn moments(text: &str) -> (Moments, &str) {
    let mut rest = text;
    let mut next = || {
        let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = after.trim_start();
        first
    };
    match (next(), next()) {
        ("instant", "at") => {
            let at = moment(next());
            (Moments::At(at), rest)
        }
        ("range", "from") => {
            let start = moment(next());
            assert_eq!(next(), "to");
            let end = moment(next());
            assert_eq!(next(), "step");
            let step = duration(next());
            (Moments::Range(start, end, step), rest)
        }
        other => panic!("unknown evaluation {other:?}"),
    }
}

fn expect(expected: &mut Expected, line: &str) {
    if let Some(message) = line.strip_prefix("expected_fail_message ") {
        expected.message = Some(message.trim().to_owned());
    } else if let Some(what) = line.strip_prefix("expect ") {
        expect_this(expected, what.trim());
    } else if let Some(number) = points::number(line) {
        expected.number = Some(number);
    } else {
        let (labels, rest) = points::series(line).expect("a series");
        match points::has_native(rest) {
            true => expected.native = true,
            false => expected.series.push((labels, points::points(rest))),
        }
    }
}

fn expect_this(expected: &mut Expected, what: &str) {
    let (kind, rest) = what.split_once(char::is_whitespace).unwrap_or((what, ""));
    let rest = rest.trim();
    match kind {
        "fail" => {
            expected.fails = true;
            expected.message = rest.strip_prefix("msg:").map(|text| text.trim().to_owned());
            expected.pattern = rest
                .strip_prefix("regex:")
                .map(|text| text.trim().to_owned());
        }
        "ordered" => expected.ordered = true,
        "string" => expected.text = Some(points::quoted(rest).0),
        // Warnings and infos are not given yet; the values beside them are.
        "warn" | "info" | "no_warn" | "no_info" | "range" => {}
        other => panic!("unknown expectation {other}"),
    }
}

fn moment(text: &str) -> Timestamp {
    match text.strip_prefix('-') {
        Some(text) => Timestamp(-(duration(text).as_millis() as i64)),
        None => Timestamp(duration(text).as_millis() as i64),
    }
}

/// Reads `1h30m` or a number of seconds.
fn duration(text: &str) -> Duration {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::from_secs_f64(seconds);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).expect("a unit");
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit());
        let unit_end = unit_end.map_or(rest.len(), |end| digits + end);
        let unit = match &rest[digits..unit_end] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            "w" => 604_800.0,
            "y" => 31_536_000.0,
            other => panic!("unknown unit {other}"),
        };
        total += rest[..digits].parse::<f64>().expect("a number") * unit;
        rest = &rest[unit_end..];
    }
    Duration::from_secs_f64(total)
}
