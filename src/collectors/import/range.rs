//! Ranges of semantic versions, such as `>=10.2.0 <12.0.0 || >13.0.0`, as ranges of PostgreSQL's major versions.

/// The first major version that is read at all.
const FIRST: u32 = 13;

/// Beyond every version there will be.
const LAST: u32 = 99;

/// Major versions without a gap; no bound where `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Majors {
    pub(super) since: Option<u32>,
    pub(super) until: Option<u32>,
}

/// Major, minor and patch, of which a wildcard leaves out the last ones.
type Version = Vec<u32>;

/// The major versions that a range means, and whether it means all of each.
///
/// # Errors
/// What of it is no range.
pub(super) fn majors(range: &str) -> Result<(Vec<Majors>, bool), String> {
    let alternatives = range.split("||").map(conditions);
    let alternatives = alternatives.collect::<Result<Vec<_>, _>>()?;
    let holds = |version: [u32; 3]| {
        alternatives
            .iter()
            .any(|all| all.iter().all(|condition| condition.holds(version)))
    };
    let (mut found, mut exact) = (Vec::<Majors>::new(), true);
    let mut open = false;
    for major in FIRST..=LAST {
        // PostgreSQL has no third number, so that the second says it all.
        let (first, last) = (holds([major, 0, 0]), holds([major, 999, 0]));
        exact &= first == last;
        match (first || last, open) {
            (true, true) => {}
            (true, false) => found.push(Majors {
                since: (major > FIRST).then_some(major),
                until: None,
            }),
            (false, true) => {
                if let Some(range) = found.last_mut() {
                    range.until = Some(major - 1);
                }
            }
            (false, false) => {}
        }
        open = first || last;
    }
    Ok((found, exact))
}

#[derive(Debug)]
struct Condition {
    operator: String,
    version: Version,
}

impl Condition {
    fn holds(&self, version: [u32; 3]) -> bool {
        let compared = version[..self.version.len()].cmp(&self.version);
        match self.operator.as_str() {
            ">" => compared.is_gt(),
            ">=" => compared.is_ge(),
            "<" => compared.is_lt(),
            "<=" => compared.is_le(),
            "!" | "!=" => compared.is_ne(),
            _ => compared.is_eq(),
        }
    }
}

fn conditions(text: &str) -> Result<Vec<Condition>, String> {
    const OPERATORS: [char; 4] = ['<', '>', '=', '!'];
    let (mut conditions, mut rest) = (Vec::new(), text.trim());
    if rest.is_empty() {
        return Err("a part of it is empty".into());
    }
    while !rest.is_empty() {
        let after = rest.trim_start_matches(OPERATORS);
        let operator = &rest[..rest.len() - after.len()];
        if !["", "=", "==", ">", ">=", "<", "<=", "!", "!="].contains(&operator) {
            return Err(format!("`{operator}` is no comparison"));
        }
        let after = after.trim_start();
        let end = after
            .find(|c: char| c.is_whitespace() || OPERATORS.contains(&c))
            .unwrap_or(after.len());
        conditions.push(Condition {
            operator: operator.to_owned(),
            version: version(&after[..end])?,
        });
        rest = after[end..].trim_start();
    }
    Ok(conditions)
}

fn version(text: &str) -> Result<Version, String> {
    let parts = text.split('.');
    let numbers = parts.take_while(|part| !["x", "X", "*"].contains(part));
    let numbers: Option<Version> = numbers.map(|part| part.parse().ok()).collect();
    match numbers {
        Some(numbers) if (1..=3).contains(&numbers.len()) => Ok(numbers),
        _ => Err(format!("`{text}` is no version")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str) -> String {
        match majors(range) {
            Err(why) => why,
            Ok((found, exact)) => {
                let bound =
                    |bound: Option<u32>| bound.map_or(String::new(), |major| major.to_string());
                let each = found.iter();
                let ranges: Vec<String> = each
                    .map(|range| format!("{}–{}", bound(range.since), bound(range.until)))
                    .collect();
                let said = if exact { "" } else { " about" };
                format!("{}{said}", ranges.join(" "))
            }
        }
    }

    #[test]
    fn ranges_become_major_versions() {
        let cases = [
            (">=10.0.0", "–"),
            (">0.0.0", "–"),
            (">=14.0.0", "14–"),
            (">= 14.0.0 < 17.0.0", "14–16"),
            (">=14.0.0 <16.0.0 || >=17.0.0", "14–15 17–"),
            ("<15.0.0", "–14"),
            ("15.x", "15–15"),
            ("!15.x", "–14 16–"),
            (">=15.3.0", "15– about"),
            ("15.4.0", ""),
            ("<10.0.0", ""),
            (">=14", "14–"),
            ("~14.0.0", "`~14.0.0` is no version"),
            ("=>14.0.0", "`=>` is no comparison"),
            (">=14.0.0 ||", "a part of it is empty"),
        ];
        for (range, expected) in cases {
            assert_eq!(check(range), expected, "{range}");
        }
    }
}
