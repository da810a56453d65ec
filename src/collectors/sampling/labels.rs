//! The labels of a row: metrics with the same ones share them, and rows share the texts that they repeat.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sample::Labels;
use crate::server::Row;

/// What the labels of a metric are made of.
#[derive(Debug, PartialEq)]
pub(super) struct List {
    /// Their names with the places of the columns that hold their values.
    pub(super) columns: Vec<(Arc<str>, usize)>,
    /// The bound of a histogram's bucket.
    pub(super) le: Option<Arc<str>>,
}

/// The label lists of one answer, each once.
#[derive(Debug, Default)]
pub(super) struct Lists<'t> {
    lists: Vec<List>,
    texts: HashMap<&'t str, Arc<str>>,
}

impl<'t> Lists<'t> {
    /// The number by which a list is known from now on.
    pub(super) fn number(&mut self, list: List) -> usize {
        let known = self.lists.iter().position(|known| *known == list);
        known.unwrap_or_else(|| {
            self.lists.push(list);
            self.lists.len() - 1
        })
    }

    /// The places of the columns of a list.
    pub(super) fn places(&self, number: usize) -> impl Iterator<Item = usize> {
        let columns = self.lists[number].columns.iter();
        columns.map(|(_, place)| *place)
    }

    /// The labels of a row, by the number of their list.
    pub(super) fn of(&mut self, row: Row<'t>) -> Vec<Labels> {
        let Lists { lists, texts } = self;
        let mut shared = |text: &'t str| texts.entry(text).or_insert_with(|| text.into()).clone();
        let lists = lists.iter();
        lists
            .map(|list| {
                let le = list.le.iter().map(|le| ("le".into(), le.clone()));
                let pairs = list.columns.iter().map(|(name, place)| {
                    (name.clone(), shared(row.cell(*place).unwrap_or_default()))
                });
                Labels::new(pairs.chain(le))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Table;

    #[test]
    fn lists_are_kept_once_and_texts_are_shared_by_the_rows() {
        let mut table = Table::new(["datname", "relname"]);
        table.push(&[Some("app"), Some("a")]);
        table.push(&[Some("app"), None]);
        let mut lists = Lists::default();
        let list = || List {
            columns: vec![("datname".into(), 0), ("relname".into(), 1)],
            le: None,
        };
        assert_eq!((lists.number(list()), lists.number(list())), (0, 0));
        let of_rows: Vec<Labels> = table.rows().flat_map(|row| lists.of(row)).collect();
        let texts: Vec<String> = of_rows.iter().map(Labels::to_string).collect();
        assert_eq!(
            texts,
            [r#"{datname="app", relname="a"}"#, r#"{datname="app"}"#]
        );
        let places = of_rows
            .iter()
            .map(|labels| labels.get("datname").as_ptr())
            .collect::<Vec<_>>();
        assert_eq!(places[0], places[1]);
    }
}
