//! Numbers, spans and moments as Go's fmt and time packages print them, to the digit.

use crate::promql::format_short;

/// `%v` of a float: the fewest digits that read back as the same number.
pub(super) fn shortest(value: f64) -> String {
    format_short(value)
}

/// `%g`, with so many significant digits, or the fewest that read back as the same number.
pub(super) fn general(value: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision.map(|digits| digits.max(1)) else {
        return shortest(value);
    };
    if let Some(text) = special(value) {
        return text;
    }
    let written = format!("{:.*e}", precision - 1, value.abs());
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits = mantissa.replace('.', "");
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    if exponent < -4 || exponent >= precision as i32 {
        let fraction = if digits.len() > 1 {
            format!(".{}", &digits[1..])
        } else {
            String::new()
        };
        return format!(
            "{sign}{}{fraction}{}",
            &digits[..1],
            exponent_text(exponent)
        );
    }
    format!("{sign}{}", positional(digits, exponent))
}

/// `%e`, with so many digits after the point.
pub(super) fn exponential(value: f64, precision: usize) -> String {
    if let Some(text) = special(value) {
        return text;
    }
    let written = format!("{value:.precision$e}");
    match written.split_once('e') {
        Some((mantissa, exponent)) => {
            format!(
                "{mantissa}{}",
                exponent_text(exponent.parse().unwrap_or_default())
            )
        }
        None => written,
    }
}

/// `%f`, with so many digits after the point; a half goes to the even neighbour.
pub(super) fn fixed(value: f64, precision: usize) -> String {
    special(value).unwrap_or_else(|| format!("{value:.precision$}"))
}

fn special(value: f64) -> Option<String> {
    if value.is_nan() {
        Some("NaN".into())
    } else if value.is_infinite() {
        Some(if value > 0.0 { "+Inf" } else { "-Inf" }.into())
    } else {
        None
    }
}

fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.abs())
}

fn positional(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        format!("{digits}{}", "0".repeat(whole - digits.len()))
    } else {
        format!("{}.{}", &digits[..whole], &digits[whole..])
    }
}

/// A span as Go's `time.Duration` prints it, such as `1h2m3.5s`.
pub(super) fn span(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let magnitude = nanoseconds.unsigned_abs();
    let in_unit = |unit: u64, name: &str| format!("{sign}{}{name}", decimal(magnitude, unit));
    match magnitude {
        0 => "0s".into(),
        1..1_000 => in_unit(1, "ns"),
        1_000..1_000_000 => in_unit(1_000, "µs"),
        1_000_000..1_000_000_000 => in_unit(1_000_000, "ms"),
        _ => {
            let minutes = magnitude / 60_000_000_000;
            let seconds = decimal(magnitude % 60_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

fn decimal(value: u64, unit: u64) -> String {
    let width = unit.ilog10() as usize;
    let fraction = format!("{:0width$}", value % unit);
    match fraction.trim_end_matches('0') {
        "" => (value / unit).to_string(),
        fraction => format!("{}.{fraction}", value / unit),
    }
}

/// A moment as Go's `time.Time` prints it in UTC.
pub(super) fn moment(milliseconds: i64) -> String {
    let Ok(moment) = jiff::Timestamp::from_millisecond(milliseconds) else {
        return milliseconds.to_string();
    };
    let whole = moment.strftime("%Y-%m-%d %H:%M:%S");
    let fraction = format!("{:03}", milliseconds.rem_euclid(1000));
    match fraction.trim_end_matches('0') {
        "" => format!("{whole} +0000 UTC"),
        fraction => format!("{whole}.{fraction} +0000 UTC"),
    }
}
