//! Numbers as Go prints them.

/// A sample's value as Prometheus writes it on its pages: shortest digits that read back the same, with an exponent below
/// 1e-6 and from 1e21 on; `NaN`, `+Inf`, `-Inf`.
pub fn format_number(value: f64) -> String {
    let size = value.abs();
    match size == 0.0 || (1e-6..1e21).contains(&size) {
        true => format_plain(value),
        false => format_exponent(value),
    }
}

/// As Go's `%g`: shortest digits, with an exponent below 1e-4 and from 1e6 on.
pub fn format_short(value: f64) -> String {
    let size = value.abs();
    match size == 0.0 || (1e-4..1e6).contains(&size) {
        true => format_plain(value),
        false => format_exponent(value),
    }
}

/// As Go's `%e` with the shortest digits: always with an exponent, of at least two digits.
pub fn format_exponent(value: f64) -> String {
    if !value.is_finite() {
        return format_plain(value);
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// The same without ever an exponent, as Prometheus writes scalars in JSON and the labels of `count_values`.
pub fn format_plain(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.into()
    } else {
        shortest(value)
    }
}

/// The fewest digits that read back as the same number; of two that are as near, the even one, as Go takes.
fn shortest(value: f64) -> String {
    /// With fewer digits no other is as near.
    const TIES_FROM: usize = 16;
    let text = value.to_string();
    let Some((whole, decimals)) = text.split_once('.') else {
        return text;
    };
    let digits = whole.trim_start_matches(['-', '0']).len() + decimals.len();
    if digits < TIES_FROM {
        return text;
    }
    // Written with so many decimals a tie goes to the even digit.
    let even = format!("{value:.0$}", decimals.len());
    match even.parse() == Ok(value) {
        true => even,
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_does() {
        let cases = [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (1.0, "1", "1"),
            (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
            (1e20, "100000000000000000000", "100000000000000000000"),
            (1e21, "1e+21", "1000000000000000000000"),
            (-1.5e21, "-1.5e+21", "-1500000000000000000000"),
            (0.000001, "0.000001", "0.000001"),
            (1.5e-7, "1.5e-07", "0.00000015"),
            (1234567.0, "1234567", "1234567"),
            (
                0.000_181_674_957_275_390_63,
                "0.00018167495727539062",
                "0.00018167495727539062",
            ),
            (f64::NAN, "NaN", "NaN"),
            (crate::sample::STALE, "NaN", "NaN"),
            (f64::INFINITY, "+Inf", "+Inf"),
            (f64::NEG_INFINITY, "-Inf", "-Inf"),
        ];
        for (value, number, plain) in cases {
            assert_eq!(format_number(value), number);
            assert_eq!(format_plain(value), plain);
        }
    }
    #[test]
    fn exponents_are_written_as_go_does() {
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
            assert_eq!(format_exponent(value), exponent);
            assert_eq!(format_short(value), usual);
        }
    }
}
