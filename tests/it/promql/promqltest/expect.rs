//! What an expression should give, as the lines below it say.

use pgvigil::promql::Moments;
use pgvigil::sample::Labels;
use regex::Regex;

use super::case;
use super::points::{self, Point};

/// What an expression should give.
#[derive(Default)]
pub struct Expected {
    pub fails: Option<Wording>,
    pub warnings: Annotations,
    pub infos: Annotations,
    pub ordered: bool,
    /// A string; empty when none is expected.
    pub text: String,
    pub is_text: bool,
    pub number: Option<f64>,
    pub series: Vec<(Labels, Vec<Point>)>,
    /// At which moments a range vector has its points.
    pub span: Option<Moments>,
}

/// How an error or an annotation should read.
#[derive(Debug)]
pub enum Wording {
    Any,
    Exactly(String),
    Like(Regex),
}

/// Which warnings, or infos, there should be.
#[derive(Default)]
pub enum Annotations {
    /// Whatever there is.
    #[default]
    Unasked,
    None,
    /// Each of these, and no other.
    Like(Vec<Wording>),
}

impl Expected {
    /// Reads a line; says whether it is the last one.
    pub fn read(&mut self, line: &str) -> Result<bool, String> {
        if let Some(message) = line.strip_prefix("expected_fail_message") {
            self.fails = Some(Wording::Exactly(message.trim().to_owned()));
            return Ok(true);
        }
        if let Some(pattern) = line.strip_prefix("expected_fail_regexp") {
            self.fails = Some(Wording::like(pattern)?);
            return Ok(true);
        }
        if let Some(what) = line.strip_prefix("expect ") {
            self.expect(what.trim()).map(|()| false)
        } else if let Some(number) = points::number(line) {
            self.number = Some(number);
            Ok(true)
        } else {
            let (labels, rest) = points::series(line)?;
            self.series.push((labels, points::points(rest)?));
            Ok(false)
        }
    }

    fn expect(&mut self, what: &str) -> Result<(), String> {
        let (kind, rest) = what.split_once(char::is_whitespace).unwrap_or((what, ""));
        let rest = rest.trim();
        match kind {
            "fail" => self.fails = Some(Wording::read(rest)?),
            "warn" => self.warnings.add(Wording::read(rest)?),
            "info" => self.infos.add(Wording::read(rest)?),
            "no_warn" => self.warnings = Annotations::None,
            "no_info" => self.infos = Annotations::None,
            "ordered" => self.ordered = true,
            "string" => {
                self.text = points::quoted(rest)?.0;
                self.is_text = true;
            }
            "range" => {
                let span = rest.strip_prefix("vector").ok_or("no range vector")?;
                self.span = Some(case::span(span)?);
            }
            other => return Err(format!("unknown expectation `{other}`")),
        }
        Ok(())
    }

    /// Whether a native histogram is among what should come.
    pub fn is_native(&self) -> bool {
        let mut points = self.series.iter().flat_map(|(_, points)| points);
        points.any(|point| *point == Point::Native)
    }
}

impl Wording {
    fn read(text: &str) -> Result<Wording, String> {
        if let Some(message) = text.strip_prefix("msg:") {
            Ok(Wording::Exactly(message.trim().to_owned()))
        } else if let Some(pattern) = text.strip_prefix("regex:") {
            Wording::like(pattern)
        } else if text.is_empty() {
            Ok(Wording::Any)
        } else {
            Err(format!("neither `msg:` nor `regex:` but `{text}`"))
        }
    }

    fn like(pattern: &str) -> Result<Wording, String> {
        let pattern = Regex::new(pattern.trim()).map_err(|error| error.to_string())?;
        Ok(Wording::Like(pattern))
    }

    pub fn fits(&self, text: &str) -> bool {
        match self {
            Wording::Any => true,
            Wording::Exactly(message) => message == text,
            Wording::Like(pattern) => pattern.is_match(text),
        }
    }
}

impl Annotations {
    fn add(&mut self, wording: Wording) {
        match self {
            Annotations::Like(wordings) => wordings.push(wording),
            _ => *self = Annotations::Like(vec![wording]),
        }
    }

    /// Whether these are the annotations that should come.
    pub fn check(&self, kind: &str, got: &[String]) -> Result<(), String> {
        match self {
            Annotations::Unasked => Ok(()),
            Annotations::None if got.is_empty() => Ok(()),
            Annotations::None => Err(format!("{kind} where there should be none: {got:?}")),
            Annotations::Like(wordings) => {
                let all_come = wordings.iter().all(|w| got.iter().any(|text| w.fits(text)));
                let all_fit = got.iter().all(|text| wordings.iter().any(|w| w.fits(text)));
                let fine = all_come && all_fit;
                fine.then_some(())
                    .ok_or_else(|| format!("{kind}: {got:?}, but should be {wordings:?}"))
            }
        }
    }
}
