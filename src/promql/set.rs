//! `and`, `or` and `unless`: elements are kept or left out, never changed.
//!
//! An element kept by `and` rests on its own sources and on those of every right-hand element that let it pass. One kept
//! by `or` or `unless` rests on its own alone: nothing on the other side had its labels.

use std::collections::{HashMap, HashSet};

use super::evaluate::Entry;
use super::expr::{Matching, Op};
use crate::sample::{Labels, Sources};

/// Combines two vectors.
pub(super) fn combine(
    op: Op,
    matching: &Matching,
    left: Vec<Entry>,
    right: Vec<Entry>,
) -> Vec<Entry> {
    match op {
        Op::And => and(matching, left, &right),
        Op::Unless => {
            let known = signatures(matching, &right);
            kept(left, |entry| {
                !known.contains(&matching.signature(&entry.labels))
            })
        }
        _ => {
            let known = signatures(matching, &left);
            let added = kept(right, |entry| {
                !known.contains(&matching.signature(&entry.labels))
            });
            let mut all = left;
            all.extend(added);
            all
        }
    }
}

fn and(matching: &Matching, left: Vec<Entry>, right: &[Entry]) -> Vec<Entry> {
    let mut known: HashMap<Labels, Sources> = HashMap::new();
    for entry in right {
        let sources = known.entry(matching.signature(&entry.labels)).or_default();
        *sources = sources.union(&entry.sources);
    }
    left.into_iter()
        .filter_map(|entry| {
            let theirs = known.get(&matching.signature(&entry.labels))?;
            Some(Entry {
                sources: entry.sources.union(theirs),
                ..entry
            })
        })
        .collect()
}

fn signatures(matching: &Matching, entries: &[Entry]) -> HashSet<Labels> {
    entries
        .iter()
        .map(|entry| matching.signature(&entry.labels))
        .collect()
}

fn kept(entries: Vec<Entry>, keep: impl Fn(&Entry) -> bool) -> Vec<Entry> {
    entries.into_iter().filter(|entry| keep(entry)).collect()
}
