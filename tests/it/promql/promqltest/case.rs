//! One case of a script: `eval instant at 5m rate(a[5m])` and the lines below it.

use std::time::Duration;

use pgvigil::promql::Moments;
use pgvigil::sample::Timestamp;

use super::expect::{Annotations, Expected, Wording};

/// An expression and what it should give.
pub struct Case {
    pub line: usize,
    pub query: String,
    pub moments: Moments,
    pub expected: Expected,
}

/// Reads a case, and says how many lines of the block below it belong to it.
pub fn read(line: usize, first: &str, block: &[&str]) -> Result<(Case, usize), String> {
    let (command, rest) = first.split_once(char::is_whitespace).ok_or("no kind")?;
    let (moments, query) = moments(rest)?;
    let mut expected = Expected::default();
    match command {
        "eval" => {}
        "eval_fail" => expected.fails = Some(Wording::Any),
        "eval_warn" => expected.warnings = Annotations::Like(vec![Wording::Any]),
        "eval_info" => expected.infos = Annotations::Like(vec![Wording::Any]),
        "eval_ordered" => expected.ordered = true,
        other => return Err(format!("unknown command `{other}`")),
    }
    let mut taken = 0;
    for line in block {
        taken += 1;
        if expected.read(line)? {
            break;
        }
    }
    let case = Case {
        line,
        query: query.to_owned(),
        moments,
        expected,
    };
    Ok((case, taken))
}

fn moments(text: &str) -> Result<(Moments, &str), String> {
    let mut rest = text.trim_start();
    let mut next = || {
        let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = after.trim_start();
        first
    };
    let moments = match [next(), next()] {
        ["instant", "at"] => Moments::At(moment(next())?),
        ["range", "from"] => {
            let start = moment(next())?;
            let (_, end) = (next(), moment(next())?);
            let (_, step) = (next(), duration(next())?);
            Moments::Range { start, end, step }
        }
        other => return Err(format!("unknown kind of evaluation {other:?}")),
    };
    match rest {
        "" => Err("no expression".into()),
        query => Ok((moments, query)),
    }
}

/// Reads `from A to B step C`.
pub fn span(text: &str) -> Result<Moments, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["from", start, "to", end, "step", step] => Ok(Moments::Range {
            start: moment(start)?,
            end: moment(end)?,
            step: duration(step)?,
        }),
        _ => Err(format!("no span of time: {text}")),
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let span = i64::try_from(duration(text)?.as_millis());
    span.map(|span| Timestamp(sign * span))
        .map_err(|_| format!("too far away: {text}"))
}

/// Reads `1h30m` or a number of seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("no duration: {text}");
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|_| wrong());
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit());
        let unit_end = unit_end.map_or(rest.len(), |end| digits + end);
        let unit = match &rest[digits..unit_end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return Err(wrong()),
        };
        let count = rest[..digits].parse::<u64>().map_err(|_| wrong())?;
        total += Duration::from_millis(count.checked_mul(unit).ok_or_else(wrong)?);
        rest = &rest[unit_end..];
    }
    Ok(total)
}
