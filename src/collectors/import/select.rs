//! A statement around the one that was imported, for columns that postgres_exporter turned into something else.

use crate::server::quoted;

/// The columns that are added to those of the statement.
#[derive(Debug, Default)]
pub(super) struct Select {
    added: Vec<String>,
}

impl Select {
    /// A column under another name.
    pub(super) fn renamed(&mut self, column: &str, name: &str) -> String {
        self.add(&format!("q.{}", quoted(column)), name.to_owned())
    }

    /// A text such as `1h2m3s` in milliseconds; NULL where it is `-1`. PostgreSQL reads all of its units but `µs`.
    pub(super) fn milliseconds(&mut self, column: &str) -> String {
        let text = format!(
            "replace(NULLIF(q.{}::text, '-1'), 'µs', 'us')",
            quoted(column)
        );
        let value = format!("EXTRACT(EPOCH FROM {text}::interval) * 1000");
        self.add(&value, format!("{column}_milliseconds"))
    }

    /// The number that a text stands for; NULL where it stands for none.
    pub(super) fn mapped(&mut self, column: &str, mapping: &[(String, String)]) -> String {
        let cases = mapping.iter();
        let cases: String = cases
            .map(|(text, number)| {
                format!(" WHEN {} THEN {}", literal(text), number_literal(number))
            })
            .collect();
        self.add(
            &format!("CASE q.{}::text{cases} END", quoted(column)),
            format!("{column}_mapped"),
        )
    }

    /// The whole statement; the original where nothing was added.
    pub(super) fn over(&self, sql: &str) -> String {
        let sql = sql.trim().trim_end_matches(';').trim_end();
        if self.added.is_empty() {
            return sql.to_owned();
        }
        let indented: Vec<String> = sql.lines().map(|line| format!("  {line}")).collect();
        format!(
            "SELECT q.*,\n       {}\nFROM (\n{}\n) AS q",
            self.added.join(",\n       "),
            indented.join("\n")
        )
    }

    fn add(&mut self, value: &str, name: String) -> String {
        self.added.push(format!("{value} AS {}", quoted(&name)));
        name
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A bare number where SQL has a word for it, else a cast.
fn number_literal(number: &str) -> String {
    let plain = number
        .chars()
        .all(|c| c.is_ascii_digit() || "+-.".contains(c));
    match plain {
        true => number.to_owned(),
        false => format!("'{number}'::float8"),
    }
}
