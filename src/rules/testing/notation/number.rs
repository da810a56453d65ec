//! Numbers in the values of a series: decimal alone, for an `x` is a repetition there.

/// How much of a text belongs to a number without its sign: digits, a dot, an exponent, single underscores.
pub(super) fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut end, mut dots, mut exponents) = (0, 0, 0);
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'0'..=b'9' | b'_' => {}
            b'.' if dots == 0 && exponents == 0 => dots += 1,
            b'e' | b'E' if exponents == 0 && end > 0 => {
                exponents += 1;
                if matches!(bytes.get(end + 1), Some(b'+' | b'-')) {
                    end += 1;
                }
            }
            _ => break,
        }
        end += 1;
    }
    end
}

/// The value of such a text. As in Go, a leading zero makes a whole number octal.
pub(super) fn parse(text: &str) -> Option<f64> {
    let doubtful = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    if doubtful {
        return None;
    }
    let plain = text.replace('_', "");
    let octal = plain.strip_prefix('0').filter(|rest| !rest.is_empty());
    if let Some(value) = octal.and_then(|digits| u64::from_str_radix(digits, 8).ok()) {
        return Some(value as f64);
    }
    plain
        .parse()
        .ok()
        .filter(|_| plain.contains(|c: char| c.is_ascii_digit()))
}

/// The words that are numbers, in any case.
pub(super) fn word(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "inf" => Some(f64::INFINITY),
        "nan" => Some(f64::NAN),
        _ => None,
    }
}
