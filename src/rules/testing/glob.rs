//! Names of files by pattern, as Go's `filepath.Glob` finds them: `*`, `?` and `[a-z]` in any part of the path.

use std::path::{Component, Path, PathBuf};

/// Every file or folder that the pattern means, in order of their names.
///
/// # Errors
/// The pattern has a bracket that does not end, or ends in a backslash.
pub(super) fn glob(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let Component::Normal(name) = part else {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        };
        let name = name.to_string_lossy();
        if !name.contains(['*', '?', '[', '\\']) {
            found.iter_mut().for_each(|path| path.push(&*name));
            found.retain(|path| path.symlink_metadata().is_ok());
            continue;
        }
        let wanted = tokens(&name)?;
        let inside = found.iter().flat_map(|folder| names(folder, &wanted));
        found = inside.collect();
    }
    found.retain(|path| !path.as_os_str().is_empty());
    Ok(found)
}

fn names(folder: &Path, wanted: &[Token]) -> Vec<PathBuf> {
    let here = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    // A folder that cannot be read has no files, as for Go.
    let entries = std::fs::read_dir(here).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names
        .filter(|name| matches(wanted, &name.chars().collect::<Vec<_>>()))
        .collect();
    names.sort();
    names.iter().map(|name| folder.join(name)).collect()
}

enum Token {
    Any,
    One,
    Is(char),
    /// One of these spans; with `true`, none of them.
    Among(Vec<(char, char)>, bool),
}

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let bad = || format!("`{pattern}` is no pattern of files");
    let (mut tokens, mut chars) = (Vec::new(), pattern.chars().peekable());
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Is(chars.next().ok_or_else(bad)?),
            '[' => {
                let none = chars.next_if_eq(&'^').is_some();
                let mut spans = Vec::new();
                while spans.is_empty() || chars.next_if_eq(&']').is_none() {
                    let mut letter = || match chars.next() {
                        Some('\\') => chars.next().ok_or_else(bad),
                        Some(']' | '-') | None => Err(bad()),
                        Some(c) => Ok(c),
                    };
                    let first = letter()?;
                    spans.push((first, first));
                    if chars.next_if_eq(&'-').is_some() {
                        let last = chars.next().filter(|c| *c != ']').ok_or_else(bad)?;
                        spans.pop();
                        spans.push((first, last));
                    }
                }
                Token::Among(spans, none)
            }
            c => Token::Is(c),
        });
    }
    Ok(tokens)
}

fn matches(wanted: &[Token], name: &[char]) -> bool {
    let Some((first, rest)) = wanted.split_first() else {
        return name.is_empty();
    };
    if let Token::Any = first {
        return (0..=name.len()).any(|taken| matches(rest, &name[taken..]));
    }
    let Some((letter, after)) = name.split_first() else {
        return false;
    };
    let fits = match first {
        Token::Is(c) => c == letter,
        Token::Among(spans, none) => {
            spans.iter().any(|(from, to)| (from..=to).contains(&letter)) != *none
        }
        Token::Any | Token::One => true,
    };
    fits && matches(rest, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_go() {
        let cases = [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("a?c", "abc", true),
            ("[a-c]x[^0-9]", "bxy", true),
            ("[a-c]x[^0-9]", "bx5", false),
            ("\\*", "*", true),
            ("a*b*c", "aXbYc", true),
        ];
        for (pattern, name, expected) in cases {
            let name: Vec<char> = name.chars().collect();
            assert_eq!(
                matches(&tokens(pattern).unwrap(), &name),
                expected,
                "{pattern}"
            );
        }
        assert!(tokens("[a").is_err() && tokens("a\\").is_err());
    }
}
