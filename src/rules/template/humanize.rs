//! Numbers for people, as Prometheus shortens them.

use super::number::general;

pub(super) fn four(value: f64) -> String {
    general(value, Some(4))
}

pub(super) fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        four(value)
    } else if value.abs() >= 1.0 {
        enlarged(value, 1000.0, ["k", "M", "G", "T", "P", "E", "Z", "Y"])
    } else {
        diminished(value)
    }
}

pub(super) fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        four(value)
    } else {
        enlarged(
            value,
            1024.0,
            ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"],
        )
    }
}

fn enlarged(mut value: f64, step: f64, prefixes: [&str; 8]) -> String {
    let mut prefix = "";
    for larger in prefixes {
        if value.abs() < step {
            break;
        }
        prefix = larger;
        value /= step;
    }
    format!("{}{prefix}", four(value))
}

fn diminished(mut value: f64) -> String {
    let mut prefix = "";
    for smaller in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = smaller;
        value *= 1000.0;
    }
    format!("{}{prefix}", four(value))
}

pub(super) fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return four(value);
    }
    if value == 0.0 {
        return format!("{}s", four(value));
    }
    if value.abs() < 1.0 {
        return format!("{}s", diminished(value));
    }
    let (sign, value) = if value < 0.0 {
        ("-", -value)
    } else {
        ("", value)
    };
    // Go's conversion of what does not fit gives the smallest integer.
    let whole = if value >= i64::MAX as f64 {
        i64::MIN
    } else {
        value as i64
    };
    let (seconds, minutes) = (whole % 60, whole / 60 % 60);
    let (hours, days) = (whole / 3600 % 24, whole / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", four(value)),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, ..) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}
