//! Numbers as Go prints them outside of JSON: in alerts, and in the text format.

use crate::promql::format_plain;

/// With an exponent of at least two digits, as Go's `%e` with the shortest digits.
pub(super) fn scientific(value: f64) -> String {
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return format_plain(value);
    };
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

/// With an exponent only below 1e-4 and from 1e6 on, as Go's `%g`.
pub(super) fn general(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e6).contains(&size) {
        format_plain(value)
    } else {
        scientific(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_does() {
        let cases = [
            (1.0, "1e+00", "1"),
            (0.0, "0e+00", "0"),
            (-0.0, "-0e+00", "-0"),
            (-1234.5, "-1.2345e+03", "-1234.5"),
            (1.5e-9, "1.5e-09", "1.5e-09"),
            (0.0001, "1e-04", "0.0001"),
            (999_999.0, "9.99999e+05", "999999"),
            (1e6, "1e+06", "1e+06"),
            (1e300, "1e+300", "1e+300"),
            (f64::INFINITY, "+Inf", "+Inf"),
            (f64::NAN, "NaN", "NaN"),
        ];
        for (value, exponent, usual) in cases {
            assert_eq!(scientific(value), exponent);
            assert_eq!(general(value), usual);
        }
    }
}
