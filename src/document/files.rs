//! Files and names by pattern: `*` stands for any characters, `?` for any one.

use std::path::Path;

use super::{Place, Problem};

/// Whether a whole name matches a pattern.
pub fn like(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // Where to go on after a mismatch: the last `*`, and how much of the name it has taken.
    let (mut at, mut in_name, mut star) = (0, 0, None);
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    in_name = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

/// Name and text of every file that the patterns mean, in the order of the patterns, then by name. A pattern may have
/// `*` and `?` in its last part; one that matches nothing is a mistake, for it watches nothing.
///
/// # Errors
/// Every pattern that matches nothing, and every file that cannot be read.
pub fn read_matching(
    setting: &str,
    patterns: &[String],
) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for pattern in patterns {
        let complain = |message: String| Problem {
            path: setting.into(),
            ..Problem::at(&Place::of(pattern), message)
        };
        match matching(Path::new(pattern)) {
            Ok(found) if found.is_empty() => problems.push(complain("no file matches".into())),
            Ok(found) => {
                for name in found {
                    match std::fs::read_to_string(&name) {
                        Ok(text) => files.push((name, text)),
                        Err(error) => {
                            problems.push(complain(format!("`{name}` cannot be read: {error}")))
                        }
                    }
                }
            }
            Err(error) => problems.push(complain(format!("the folder cannot be read: {error}"))),
        }
    }
    if problems.is_empty() {
        Ok(files)
    } else {
        Err(problems)
    }
}

fn matching(pattern: &Path) -> std::io::Result<Vec<String>> {
    let last = pattern
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if !last.contains(['*', '?']) {
        return Ok(vec![pattern.display().to_string()]);
    }
    let folder = pattern
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if like(&last, &entry.file_name().to_string_lossy()) {
            found.push(entry.path().display().to_string());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name) in [
            ("*", ""),
            ("*.yml", "a.yml"),
            ("a?c*", "abcd"),
            ("a*b*c", "aXbYbZc"),
            ("abc", "abc"),
            ("*ö?", "xöy"),
        ] {
            assert!(like(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "a"),
            ("*.yml", "a.yml.bak"),
            ("a?c", "ac"),
            ("a*b", "abX"),
            ("abc", "ab"),
        ] {
            assert!(!like(pattern, name), "{pattern} {name}");
        }
        // A pattern of many stars must not take exponential time.
        assert!(!like(&"*a".repeat(50), &"a".repeat(49)));
    }
}
