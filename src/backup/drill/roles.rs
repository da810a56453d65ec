//! The roles that a dump names and does not create. Takes SQL as pg_dump writes it; hands on their names.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

/// What a dump's text says that must be known before it can be run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Needs {
    /// The roles it names.
    pub(super) roles: BTreeSet<String>,
    /// Whether it holds a whole cluster, with its roles.
    pub(super) is_cluster: bool,
    /// Whether its texts are of no encoding.
    pub(super) is_ascii: bool,
}

/// Of each line so much is looked at.
const LONGEST: usize = 4096;

/// Reads SQL line by line, and passes over rows.
pub(super) fn needs(mut input: impl BufRead) -> io::Result<Needs> {
    let mut needs = Needs::default();
    let (mut line, mut in_rows) = (Vec::new(), false);
    while read_line(&mut input, &mut line)? {
        let text = String::from_utf8_lossy(&line);
        if in_rows {
            in_rows = text != "\\.";
        } else {
            in_rows = text.starts_with("COPY ") && text.ends_with(" FROM stdin;");
            take(&text, &mut needs);
        }
    }
    Ok(needs)
}

/// Reads a line without its end; of a long one the beginning.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut is_begun = false;
    loop {
        let piece = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let end = piece.iter().position(|byte| *byte == b'\n');
        let text = &piece[..end.unwrap_or(piece.len())];
        let room = LONGEST.saturating_sub(line.len()).min(text.len());
        line.extend_from_slice(&text[..room]);
        let used = text.len() + usize::from(end.is_some());
        input.consume(used);
        is_begun |= used > 0;
        if end.is_some() || used == 0 {
            return Ok(is_begun);
        }
    }
}

fn take(line: &str, needs: &mut Needs) {
    let words = |marks: &[&str], needs: &mut Needs| {
        for mark in marks {
            let lists = line
                .match_indices(mark)
                .map(|(at, mark)| &line[at + mark.len()..]);
            lists.for_each(|list| needs.roles.extend(names(list)));
        }
    };
    let statement = line.split(' ').next().unwrap_or_default();
    match statement {
        "ALTER" => words(&[" OWNER TO ", " FOR ROLE ", " TO ", " FROM "], needs),
        "CREATE" if line.starts_with("CREATE POLICY ") => words(&[" TO "], needs),
        "CREATE" if line.starts_with("CREATE SCHEMA ") => words(&[" AUTHORIZATION "], needs),
        "GRANT" => words(&[" TO ", " GRANTED BY "], needs),
        "REVOKE" => words(&[" FROM ", " GRANTED BY "], needs),
        "SET" if line == "SET client_encoding = 'SQL_ASCII';" => needs.is_ascii = true,
        "--" if line == "-- PostgreSQL database cluster dump" => needs.is_cluster = true,
        _ => {}
    }
}

/// The names of a list such as `a, "B c";`, up to what is none.
fn names(mut list: &str) -> Vec<String> {
    let mut found = Vec::new();
    while let Some((name, rest)) = identifier(list) {
        let is_role =
            !["PUBLIC", "CURRENT_USER", "SESSION_USER", "public"].contains(&name.as_str());
        if is_role && !name.starts_with("pg_") {
            found.push(name);
        }
        match rest.strip_prefix(", ") {
            Some(rest) => list = rest,
            None => break,
        }
    }
    found
}

fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        return (!name.is_empty()).then(|| (name.to_owned(), rest));
    };
    let (mut name, mut rest) = (String::new(), inner);
    loop {
        let (before, after) = rest.split_once('"')?;
        name += before;
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return (!name.is_empty()).then_some((name, after)),
        }
    }
}

/// A name as SQL has it, whatever is in it.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(sql: &str) -> Vec<String> {
        needs(sql.as_bytes()).unwrap().roles.into_iter().collect()
    }

    #[test]
    fn roles_are_found_where_pg_dump_names_them() {
        let cases: [(&str, &[&str]); 9] = [
            ("ALTER TABLE public.t OWNER TO bob;\n", &["bob"]),
            (
                "ALTER TABLE public.t OWNER TO \"Bob \"\"; DROP\";\n",
                &["Bob \"; DROP"],
            ),
            (
                "CREATE POLICY p ON t FOR SELECT TO ann, \"B b\" USING (true);\n",
                &["B b", "ann"],
            ),
            (
                "GRANT SELECT ON TABLE t TO PUBLIC;\nGRANT ALL ON t TO x WITH GRANT OPTION;\n",
                &["x"],
            ),
            (
                "ALTER DEFAULT PRIVILEGES FOR ROLE o GRANT SELECT ON TABLES TO r;\n",
                &["o", "r"],
            ),
            ("CREATE SCHEMA s AUTHORIZATION z;", &["z"]),
            (
                "COPY public.t (a) FROM stdin;\nALTER TABLE x OWNER TO y;\n\\.\n",
                &[],
            ),
            ("GRANT pg_monitor TO w;\n", &["w"]),
            ("ALTER TABLE t OWNER TO \"open", &[]),
        ];
        for (sql, expected) in cases {
            assert_eq!(roles(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_else_must_be_known() {
        let sql = "-- PostgreSQL database cluster dump\nSET client_encoding = 'SQL_ASCII';\n";
        let needs = needs(sql.as_bytes()).unwrap();
        assert!(needs.is_cluster && needs.is_ascii);
    }
}
