//! Durations as promql-parser takes them: plain seconds. It knows no arithmetic on durations (`[5m + step()]`), panics on
//! some numbers, and takes parts that do not fit 32 bits for nothing.
//! Takes the words of an expression; hands on what to write in their place.

use std::ops::Range;
use std::time::Duration;

use crate::promql::ParseError;
use crate::promql::token::Token;

/// The longest duration of Prometheus (2^63 nanoseconds), in seconds.
const MAX_SECONDS: f64 = 9_223_372_036.0;

/// What `step()` and `range()` mean.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::promql) struct Timing {
    /// The time between two moments of evaluation; zero where there is one.
    pub(in crate::promql) step: Duration,
    /// The time from the first moment to the last.
    pub(in crate::promql) range: Duration,
}

/// A duration that was found, and what it comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// Its place in the text.
    pub(super) place: Range<usize>,
    /// Seconds; may be negative behind `offset`.
    pub(super) seconds: f64,
    /// Whether it depends on the [`Timing`].
    pub(super) timed: bool,
    /// The first word behind it.
    pub(super) next: usize,
}

/// Where a duration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// In brackets, where it must be above zero and may be written out as arithmetic.
    Brackets,
    /// Behind `offset`, where arithmetic needs parentheses.
    Offset,
}

/// Reads the duration that begins with the word at `from`. Without a timing, what depends on it counts as a second.
/// `None` where there is none: the parser knows what to say.
pub(super) fn read(
    words: &[Token<'_>],
    from: usize,
    position: Position,
    timing: Option<Timing>,
) -> Result<Option<Found>, ParseError> {
    let mut reading = Reading {
        words,
        next: from,
        timing,
        timed: false,
    };
    let read = match position {
        Position::Brackets => reading.sum(),
        Position::Offset => reading.one(),
    };
    let seconds = match read {
        Ok(seconds) => seconds,
        Err(Stop::Foreign) => return Ok(None),
        Err(Stop::Wrong(error)) => return Err(error),
    };
    let (Some(first), Some(last)) = (words.get(from), words.get(reading.next.wrapping_sub(1)))
    else {
        return Ok(None);
    };
    let place = first.place.start..last.place.end;
    let known = timing.is_some() || !reading.timed;
    let wrong = |message: &str| wrong(message, place.start);
    if known && (seconds.is_nan() || seconds.abs() >= MAX_SECONDS) {
        return Err(wrong("duration out of range"));
    }
    if known && position == Position::Brackets && seconds <= 0.0 {
        return Err(wrong("duration must be greater than 0"));
    }
    Ok(Some(Found {
        place,
        seconds: if known { seconds } else { 1.0 },
        timed: reading.timed,
        next: reading.next,
    }))
}

/// Seconds of a word such as `1h30m`, each unit once and the larger ones first.
pub(super) fn literal(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 7] = [
        ("ms", 0.001),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
        ("d", 86_400.0),
        ("w", 604_800.0),
        ("y", 31_536_000.0),
    ];
    let mut rest = text;
    let mut seconds = 0.0;
    let mut below = UNITS.len();
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|end| *end > 0)?;
        let (number, behind) = rest.split_at(digits);
        let end = behind.find(|c: char| c.is_ascii_digit());
        let (unit, behind) = behind.split_at(end.unwrap_or(behind.len()));
        let place = UNITS.iter().position(|(name, _)| *name == unit)?;
        if place >= below {
            return None;
        }
        seconds += number.parse::<f64>().ok()? * UNITS[place].1;
        (rest, below) = (behind, place);
    }
    (!text.is_empty()).then_some(seconds)
}

/// Why reading ended.
enum Stop {
    /// This is no duration.
    Foreign,
    Wrong(ParseError),
}

struct Reading<'w, 't> {
    words: &'w [Token<'t>],
    next: usize,
    timing: Option<Timing>,
    timed: bool,
}

impl Reading<'_, '_> {
    fn sum(&mut self) -> Result<f64, Stop> {
        let mut left = self.product()?;
        loop {
            if self.take("+") {
                left += self.product()?;
            } else if self.take("-") {
                left -= self.product()?;
            } else {
                return Ok(left);
            }
        }
    }

    fn product(&mut self) -> Result<f64, Stop> {
        let mut left = self.signed()?;
        loop {
            let place = self.next;
            if self.take("*") {
                left *= self.signed()?;
            } else if self.take("/") {
                left /= self.divisor("division by zero", place)?;
            } else if self.take("%") {
                left %= self.divisor("modulo by zero", place)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn divisor(&mut self, message: &str, place: usize) -> Result<f64, Stop> {
        let divisor = self.signed()?;
        match divisor == 0.0 && (self.timing.is_some() || !self.timed) {
            true => Err(Stop::Wrong(wrong(message, self.words[place].place.start))),
            false => Ok(divisor),
        }
    }

    /// One operand with its signs, and no operator behind it.
    fn one(&mut self) -> Result<f64, Stop> {
        if self.take("-") {
            return Ok(-self.one()?);
        }
        match self.take("+") {
            true => self.one(),
            false => self.operand(),
        }
    }

    /// A sign holds for a whole power.
    fn signed(&mut self) -> Result<f64, Stop> {
        if self.take("-") {
            return Ok(-self.signed()?);
        }
        if self.take("+") {
            return self.signed();
        }
        let base = self.operand()?;
        match self.take("^") {
            true => Ok(base.powf(self.signed()?)),
            false => Ok(base),
        }
    }

    fn operand(&mut self) -> Result<f64, Stop> {
        if self.take("(") {
            let inner = self.sum()?;
            return self.expect(")").map(|()| inner);
        }
        let word = self.words.get(self.next).ok_or(Stop::Foreign)?;
        if let Some(seconds) = literal(word.text).or_else(|| number(word.text)) {
            self.next += 1;
            return Ok(seconds);
        }
        let (is_step, is_least) = (word.is("step"), word.is("min"));
        if is_step || word.is("range") {
            self.next += 1;
            self.expect("(")?;
            self.expect(")")?;
            self.timed = true;
            let seconds = |timing: Timing| if is_step { timing.step } else { timing.range };
            return Ok(self
                .timing
                .map_or(1.0, |timing| seconds(timing).as_secs_f64()));
        }
        if is_least || word.is("max") {
            self.next += 1;
            self.expect("(")?;
            let one = self.sum()?;
            self.expect(",")?;
            let other = self.sum()?;
            self.expect(")")?;
            return Ok(if is_least {
                one.min(other)
            } else {
                one.max(other)
            });
        }
        Err(Stop::Foreign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_next = self
            .words
            .get(self.next)
            .is_some_and(|word| word.text == sign);
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), Stop> {
        self.take(sign).then_some(()).ok_or(Stop::Foreign)
    }
}

/// A number as Go reads it: underscores between digits, hexadecimal behind `0x`, octal behind `0` where all digits are.
pub(super) fn number(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase().replace('_', "");
    let whole = match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
        (Some(digits), _) => return u64::from_str_radix(digits, 16).ok().map(|n| n as f64),
        (None, Some(digits)) => i64::from_str_radix(digits, 8).ok(),
        (None, None) => None,
    };
    whole.map(|n| n as f64).or_else(|| lower.parse().ok())
}

fn wrong(message: &str, place: usize) -> ParseError {
    ParseError {
        message: message.into(),
        position: Some(place),
    }
}
