//! A statement around the one that was imported, for columns that postgres_exporter turned into something else.

use crate::server::quoted;

/// What the outer statement selects beside the columns of the inner one. A column of the same name counts in its place.
#[derive(Debug, Default)]
pub(super) struct Select {
    added: Vec<Added>,
    /// Value columns that are taken as they stand.
    plain: Vec<String>,
    histograms: Vec<String>,
}

#[derive(Debug)]
struct Added {
    expression: String,
    name: String,
    /// Whether it is the same in each row that a histogram makes of one.
    is_label: bool,
}

impl Select {
    /// A label column under another name.
    pub(super) fn renamed(&mut self, column: &str, name: &str) -> String {
        let expression = format!("q.{}", quoted(column));
        self.add(&expression, name.to_owned(), true)
    }

    /// A value as it stands.
    pub(super) fn plain(&mut self, column: &str) -> String {
        self.plain.push(column.to_owned());
        column.to_owned()
    }

    /// A text such as `1h2m3s` in milliseconds; NULL where it is `-1`. PostgreSQL reads all of its units but `µs`.
    pub(super) fn milliseconds(&mut self, column: &str) -> String {
        let text = format!(
            "replace(NULLIF(q.{}::text, '-1'), 'µs', 'us')",
            quoted(column)
        );
        let value = format!("EXTRACT(EPOCH FROM {text}::interval) * 1000");
        self.add(&value, format!("{column}_milliseconds"), false)
    }

    /// The number that a text stands for; NULL where it stands for none.
    pub(super) fn mapped(&mut self, column: &str, mapping: &[(String, String)]) -> String {
        let cases = mapping.iter();
        let cases: String = cases
            .map(|(text, number)| {
                format!(" WHEN {} THEN {}", literal(text), number_literal(number))
            })
            .collect();
        let value = format!("CASE q.{}::text{cases} END", quoted(column));
        self.add(&value, format!("{column}_mapped"), false)
    }

    /// The columns of a histogram: its bounds and counts are arrays, and each of them needs a row.
    pub(super) fn histogram(&mut self, column: &str) -> [String; 3] {
        self.histograms.push(column.to_owned());
        let [sum, count] = ["sum", "count"].map(|part| self.plain(&format!("{column}_{part}")));
        [format!("{column}_bucket"), sum, count]
    }

    /// The whole statement; the original where nothing is to be changed.
    pub(super) fn over(&self, sql: &str) -> String {
        let sql = sql.trim().trim_end_matches(';').trim_end();
        if self.added.is_empty() && self.histograms.is_empty() {
            return sql.to_owned();
        }
        let indented: Vec<String> = sql.lines().map(|line| format!("  {line}")).collect();
        format!(
            "SELECT q.*,\n       {}\nFROM (\n{}\n) AS q{}",
            self.columns().join(",\n       "),
            indented.join("\n"),
            self.rows()
        )
    }

    fn columns(&self) -> Vec<String> {
        let added = self.added.iter();
        let mut columns: Vec<String> = added
            .map(|added| match added.is_label {
                true => named(&added.expression, &added.name),
                false => named(&self.once(&added.expression), &added.name),
            })
            .collect();
        if self.histograms.is_empty() {
            return columns;
        }
        let plain = self.plain.iter();
        columns.extend(
            plain.map(|column| named(&self.once(&format!("q.{}", quoted(column))), column)),
        );
        let buckets = self.histograms.iter();
        columns.extend(buckets.map(|column| {
            let own = format!(
                "CASE WHEN b.histogram = {} THEN b.bucket END",
                literal(column)
            );
            named(&own, &format!("{column}_bucket"))
        }));
        columns.push("b.le".into());
        columns
    }

    /// A value that belongs to the whole row is given in the first of those that histograms make of it.
    fn once(&self, expression: &str) -> String {
        match self.histograms.is_empty() {
            true => expression.to_owned(),
            false => format!("CASE WHEN b.histogram IS NULL THEN {expression} END"),
        }
    }

    /// A row for the whole, and one for each bucket of each histogram.
    fn rows(&self) -> String {
        if self.histograms.is_empty() {
            return String::new();
        }
        let mut rows = String::from(
            ", LATERAL (\n  SELECT NULL::text AS histogram, NULL::text AS le, NULL::float8 AS bucket",
        );
        for column in &self.histograms {
            let part = |part: &str| quoted(&format!("{column}{part}"));
            rows.push_str(&format!(
                "\n  UNION ALL SELECT {name}, u.le::text, u.bucket\n  FROM unnest(q.{}::float8[], q.{}::float8[]) AS \
                 u (le, bucket)\n  UNION ALL SELECT {name}, '+Inf', q.{}::float8",
                part(""),
                part("_bucket"),
                part("_count"),
                name = literal(column),
            ));
        }
        rows + "\n) AS b"
    }

    fn add(&mut self, expression: &str, name: String, is_label: bool) -> String {
        self.added.push(Added {
            expression: expression.to_owned(),
            name: name.clone(),
            is_label,
        });
        name
    }
}

fn named(expression: &str, name: &str) -> String {
    format!("{expression} AS {}", quoted(name))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A bare number where SQL has a word for it, else a cast.
fn number_literal(number: &str) -> String {
    let plain = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    match number.chars().all(plain) {
        true => number.to_owned(),
        false => format!("'{number}'::float8"),
    }
}
