//! Keeps passwords in the log of a job from being shown.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What a job says of how it connects may hold a password, and is shown to whoever may see the page.
static PASSWORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"(?ix)
        (?P<name> pass(?:word|wd|phrase)? ["']? \s* [=:] \s* | secret[\w-]* ["']? \s* [=:] \s* | token ["']? \s* [=:] \s* )
        (?: '[^']*' | "[^"]*" | [^\s,;&"']+ )
        | (?P<user> :// [^\s:/@]* : ) [^\s@/]+ @"#;
    Regex::new(pattern).ok()
});

/// The line with what looks like one left out.
pub(super) fn without_passwords(line: &str) -> Cow<'_, str> {
    let Some(pattern) = PASSWORD.as_ref() else {
        return Cow::Borrowed("a line that cannot be shown");
    };
    pattern.replace_all(line, |found: &Captures| {
        match (found.name("name"), found.name("user")) {
            (Some(name), _) => format!("{}***", name.as_str()),
            (_, Some(user)) => format!("{}***@", user.as_str()),
            _ => "***".into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_left_out_and_nothing_else() {
        let cases = [
            (
                "ERROR: connection failed: host=db password=hunter2 port=5432",
                "ERROR: connection failed: host=db password=*** port=5432",
            ),
            (
                "PGPASSWORD='a b' pg_dump: error",
                "PGPASSWORD=*** pg_dump: error",
            ),
            (
                "error: postgresql://ann:hunter2@db/shop",
                "error: postgresql://ann:***@db/shop",
            ),
            (
                r#"{"secret_access_key": "abc/def", "error": 1}"#,
                r#"{"secret_access_key": ***, "error": 1}"#,
            ),
            (
                "FATAL:  password authentication failed for user \"ann\"",
                "FATAL:  password authentication failed for user \"ann\"",
            ),
            (
                "fatal: https://db.example:5432/x refused",
                "fatal: https://db.example:5432/x refused",
            ),
        ];
        for (line, shown) in cases {
            assert_eq!(without_passwords(line), shown);
        }
    }
}
