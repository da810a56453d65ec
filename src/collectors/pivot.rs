//! Turns an answer with a name and a value in each row into one row, with a column for each name.

use std::sync::Arc;

use crate::server::Table;

/// Which columns of the answer hold the names and the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pivot {
    /// The column of the names.
    pub names: Arc<str>,
    /// The column of the values.
    pub values: Arc<str>,
}

impl Pivot {
    /// The one row; none of an answer without these columns.
    pub(super) fn apply(&self, table: &Table) -> Table {
        let (Some(name), Some(value)) = (table.place(&self.names), table.place(&self.values))
        else {
            return Table::default();
        };
        let named = table
            .rows()
            .filter_map(|row| Some((row.cell(name)?, row.cell(value))));
        let (names, values): (Vec<&str>, Vec<Option<&str>>) = named.unzip();
        let mut row = Table::new(names);
        row.push(&values);
        row.unreadable = table.unreadable;
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_columns() {
        let pivot = Pivot {
            names: "key".into(),
            values: "value".into(),
        };
        let mut table = Table::new(["key", "value", "default"]);
        table.push(&[Some("a"), Some("1"), Some("2")]);
        table.push(&[Some("b"), None, Some("3")]);
        table.push(&[None, Some("4"), None]);
        let mut expected = Table::new(["a", "b"]);
        expected.push(&[Some("1"), None]);
        assert_eq!(pivot.apply(&table), expected);
        assert_eq!(pivot.apply(&Table::new(["key", "other"])), Table::default());
    }
}
