//! Which series carry which label; it also holds the text of every name and value once.

use std::collections::HashMap;
use std::sync::Arc;

use super::heap;
use crate::sample::Labels;

/// The place of a series in the store. Series that came later have higher ones.
pub(super) type Id = u32;

/// The series that carry a label, by its value; each list in order.
pub(super) type Values = HashMap<Arc<str>, Vec<Id>>;

/// Series by label name and value.
#[derive(Debug, Default)]
pub(super) struct Index {
    names: HashMap<Arc<str>, Values>,
    bytes: usize,
}

impl Index {
    /// Enters a series that came after all others. Returns its labels made of the texts that are held here.
    pub(super) fn enter(&mut self, id: Id, labels: &Labels) -> Labels {
        let shared = labels.shared().map(|(name, value)| {
            let (name, values, grown) = entered(&mut self.names, name);
            self.bytes += grown;
            let (value, ids, grown) = entered(values, value);
            let list = heap::list::<Id>(ids.capacity());
            ids.push(id);
            self.bytes += grown + heap::list::<Id>(ids.capacity()) - list;
            (name, value)
        });
        Labels::in_order(shared)
    }

    /// Gives each series the place that `place` says, which keeps their order, and strikes out those that have none.
    pub(super) fn renumber(&mut self, place: impl Fn(Id) -> Option<Id>) {
        let renumbered = |id: &mut Id| match place(*id) {
            Some(new) => {
                *id = new;
                true
            }
            None => false,
        };
        self.names.retain(|_, values| {
            values.retain(|_, ids| {
                ids.retain_mut(renumbered);
                ids.shrink_to(ids.len() * 2);
                !ids.is_empty()
            });
            values.shrink_to(values.len() * 2);
            !values.is_empty()
        });
        self.bytes = self.measured();
    }

    /// The series that carry a label, in order.
    pub(super) fn ids(&self, name: &str, value: &str) -> &[Id] {
        let ids = self.names.get(name).and_then(|values| values.get(value));
        ids.map(Vec::as_slice).unwrap_or_default()
    }

    /// The values of a label.
    pub(super) fn values(&self, name: &str) -> Option<&Values> {
        self.names.get(name)
    }

    /// All labels, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = (&Arc<str>, &Values)> {
        self.names.iter()
    }

    /// The memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn measured(&self) -> usize {
        let lists = |ids: &Vec<Id>| heap::list::<Id>(ids.capacity());
        let values = |values: &Values| measured(values, lists);
        measured(&self.names, values)
    }
}

/// The entry of a text, made where there is none, and by how much memory that grew the table.
fn entered<'m, V: Default>(
    table: &'m mut HashMap<Arc<str>, V>,
    text: &Arc<str>,
) -> (Arc<str>, &'m mut V, usize) {
    if let Some((known, _)) = table.get_key_value(text) {
        let known = Arc::clone(known);
        return (known.clone(), table.entry(known).or_default(), 0);
    }
    let before = heap::table::<(Arc<str>, V)>(table.capacity());
    table.reserve(1);
    let grown = heap::table::<(Arc<str>, V)>(table.capacity()) - before;
    let value = table.entry(text.clone()).or_default();
    (text.clone(), value, grown + heap::shared(text.len()))
}

fn measured<V>(table: &HashMap<Arc<str>, V>, each: impl Fn(&V) -> usize) -> usize {
    let entries = table.iter();
    let entries = entries.map(|(text, value)| heap::shared(text.len()) + each(value));
    heap::table::<(Arc<str>, V)>(table.capacity()) + entries.sum::<usize>()
}
