//! An answer as rows of short texts, fit to be shown to whoever is told of an incident.

use super::EvidenceQuery;
use super::plain::without_literals;
use crate::server::{QueryText, Row, Table};

/// The column that says how many rows there are.
pub(super) const COUNT: &str = "pgvigil rows";

/// The longest text of a cell, in characters.
const LONGEST_TEXT: usize = 300;

/// The rows of one query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// As many texts each as there are columns.
    pub rows: Vec<Vec<String>>,
    /// How many rows were left out.
    pub more: usize,
}

/// Turns an answer into texts; statements are shown as `text` says.
pub fn found(query: &EvidenceQuery, table: &Table, text: QueryText) -> Found {
    let missing = query.reads.privilege.as_ref();
    let missing = missing.and_then(|privilege| privilege.missing.as_deref());
    let is_hidden = |name: &str| name == COUNT || missing == Some(name);
    let is_statement = |name: &str| query.statements.iter().any(|column| **column == *name);
    let columns = table.columns().iter().enumerate();
    let shown: Vec<(usize, &str, bool)> = columns
        .map(|(place, name)| (place, name.as_ref(), is_statement(name)))
        .filter(|(_, name, statement)| !is_hidden(name) && !(*statement && text == QueryText::Off))
        .collect();
    let cell = |row: &Row<'_>, place: usize, statement: bool| {
        let raw = row.cell(place).unwrap_or_default();
        match statement && text == QueryText::Normalized {
            true => short(&without_literals(raw)),
            false => short(raw),
        }
    };
    let rows: Vec<Vec<String>> = table
        .rows()
        .take(query.rows)
        .map(|row| {
            let places = shown.iter();
            places
                .map(|(place, _, statement)| cell(&row, *place, *statement))
                .collect()
        })
        .collect();
    let count = table.place(COUNT).and_then(|place| {
        let first = table.rows().next()?;
        first.cell(place)?.parse().ok()
    });
    let count: usize = count.unwrap_or(rows.len() + table.unreadable as usize);
    Found {
        columns: shown.iter().map(|(_, name, _)| short(name)).collect(),
        more: count.saturating_sub(rows.len()),
        rows,
    }
}

impl Found {
    /// Leaves rows out at the end until all texts together have at most so many bytes; how many they have.
    pub fn shrink(&mut self, most: usize) -> usize {
        let length = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        let mut taken = length(&self.columns);
        let fits = |row: &&Vec<String>| {
            taken += length(row);
            taken <= most
        };
        let kept = self.rows.iter().take_while(fits).count();
        self.more += self.rows.len() - kept;
        self.rows.truncate(kept);
        length(&self.columns) + self.rows.iter().map(|row| length(row)).sum::<usize>()
    }
}

/// One line without control characters, leading spaces kept, for they show what belongs to what.
fn short(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let plain = plain.trim_end();
    match plain.char_indices().nth(LONGEST_TEXT - 1) {
        Some((end, _)) if plain.chars().count() > LONGEST_TEXT => {
            format!("{}…", plain[..end].trim_end())
        }
        _ => plain.to_owned(),
    }
}
