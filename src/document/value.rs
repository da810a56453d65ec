//! Single values as people write them.

/// The known word a person most likely meant.
pub fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let scored = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate));
    scored
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().max(word.len()) / 2)
        .map(|(_, near)| near)
}

pub(super) fn not_among(text: &str, words: &[&str]) -> String {
    match nearest(text, words) {
        Some(near) => format!(
            "`{text}` is none of {}; did you mean `{near}`?",
            words.join(", ")
        ),
        None => format!("`{text}` is none of {}", words.join(", ")),
    }
}

pub(super) fn parse_count(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no whole number"))
}

/// Reads a number as YAML 1.1 writes it, which Prometheus reads: `5`, `0x1F`, `1_000`, `.5`, `1e3`, `-.inf`, `.nan`.
pub fn parse_number(text: &str) -> Option<f64> {
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let sign = if plain.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return (unsigned == plain).then_some(f64::NAN),
        _ => {}
    }
    let bases = [("0x", 16), ("0X", 16), ("0o", 8), ("0b", 2), ("0", 8)];
    for (prefix, base) in bases {
        let digits = unsigned
            .strip_prefix(prefix)
            .filter(|rest| !rest.is_empty());
        if let Some(whole) = digits.and_then(|digits| u64::from_str_radix(digits, base).ok()) {
            return Some(sign * whole as f64);
        }
    }
    // Words that Rust reads as numbers, such as `inf`, are texts here.
    let numeric = unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned
            .chars()
            .all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    plain.parse().ok().filter(|_| numeric)
}

pub(super) fn parse_flag(text: &str) -> Result<bool, String> {
    match text {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no share; write `5%` or `0.05`");
    let (number, scale) = text
        .strip_suffix('%')
        .map_or((text, 1.0), |percent| (percent, 100.0));
    let share = number.trim().parse::<f64>().map_err(|_| wrong())? / scale;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err(wrong())
    }
}

/// Reads `32MiB`, `500MB` or a bare number of bytes.
///
/// # Errors
/// What is wrong, in words for a person.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("`{text}` is no size; write a number and a unit, such as `32MiB` or `500MB`");
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = (text[..split].trim(), &text[split..]);
    let scale: u64 = match unit {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(scale))
        .ok_or_else(wrong)
}
