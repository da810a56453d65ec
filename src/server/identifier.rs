//! Names of roles and other objects, and texts, as SQL writes them.

/// The words that PostgreSQL 18 keeps for itself; older versions keep fewer.
const RESERVED: &str = "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate \
     collation column concurrently constraint create cross current_catalog current_date current_role \
     current_schema current_time current_timestamp current_user default deferrable desc distinct do else end \
     except false fetch for foreign freeze from full grant group having ilike in initially inner intersect \
     into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null \
     offset on only or order outer overlaps placing primary references returning right select session_user \
     similar some symmetric system_user table tablesample then to trailing true union unique user using \
     variadic verbose when where window with";

/// An identifier, quoted where it must be.
pub fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    if name.starts_with(plain)
        && name.chars().all(|c| plain(c) || c.is_ascii_digit())
        && !RESERVED.split(' ').any(|word| word == name)
    {
        name.into()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A text as a literal, safe whatever `standard_conforming_strings` says.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_end_where_they_should() {
        let cases = [
            ("", "''"),
            ("-17", "'-17'"),
            ("it's", "'it''s'"),
            ("\\' OR 1=1 --", "E'\\\\'' OR 1=1 --'"),
        ];
        for (text, expected) in cases {
            assert_eq!(literal(text), expected);
        }
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let cases = [
            ("mon_2", "mon_2"),
            ("user", "\"user\""),
            ("with", "\"with\""),
            ("2mon", "\"2mon\""),
            ("Mon", "\"Mon\""),
            ("a\"b", "\"a\"\"b\""),
            ("", "\"\""),
        ];
        for (name, expected) in cases {
            assert_eq!(quoted(name), expected);
        }
    }
}
