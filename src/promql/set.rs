//! `and`, `or` and `unless`: elements are kept or left out, never changed.
//!
//! An element kept by `and` rests on its own sources and on those of every right-hand element that let it pass. One kept
//! by `or` or `unless` rests on its own alone: nothing on the other side had its labels.

use std::collections::HashMap;

use super::expr::{Matching, Op};
use super::rows::{ABSENT, Rows, is_present};
use crate::sample::{Labels, Sources};

/// Combines two vectors, moment by moment.
pub(super) fn combine(op: Op, matching: &Matching, left: Rows, right: &Rows) -> Rows {
    match op {
        Op::And => and(matching, &left, right),
        Op::Unless => without(matching, &left, right),
        _ => {
            let added = without(matching, right, &left);
            let mut all = left;
            all.extend(added);
            all
        }
    }
}

/// Rows by the labels they are matched by.
fn by_signature(matching: &Matching, rows: &Rows) -> HashMap<Labels, Vec<usize>> {
    let mut known: HashMap<Labels, Vec<usize>> = HashMap::with_capacity(rows.len());
    for (row, head) in rows.heads().iter().enumerate() {
        let signature = matching.signature(&head.labels);
        known.entry(signature).or_default().push(row);
    }
    known
}

fn and(matching: &Matching, left: &Rows, right: &Rows) -> Rows {
    let known = by_signature(matching, right);
    let mut kept = Rows::with_capacity(left.width(), left.len());
    for (head, values) in left.iter() {
        let Some(partners) = known.get(&matching.signature(&head.labels)) else {
            continue;
        };
        let theirs = partners.iter().map(|row| &right.head(*row).sources);
        let theirs = theirs.fold(Sources::default(), |all, sources| all.union(sources));
        let mut head = head.clone();
        head.sources = head.sources.union(&theirs);
        kept.push(head, |out| {
            for (place, value) in values.iter().enumerate() {
                if any_at(right, partners, place) {
                    out[place] = *value;
                }
            }
        });
    }
    kept
}

/// The rows where they have a value and no row of the other side that matches has one.
fn without(matching: &Matching, rows: &Rows, others: &Rows) -> Rows {
    let known = by_signature(matching, others);
    let mut kept = Rows::with_capacity(rows.width(), rows.len());
    for (head, values) in rows.iter() {
        let partners = known.get(&matching.signature(&head.labels));
        kept.push(head.clone(), |out| {
            out.copy_from_slice(values);
            for (place, value) in out.iter_mut().enumerate() {
                if partners.is_some_and(|partners| any_at(others, partners, place)) {
                    *value = ABSENT;
                }
            }
        });
    }
    kept
}

fn any_at(rows: &Rows, members: &[usize], place: usize) -> bool {
    members.iter().any(|row| is_present(rows.row(*row)[place]))
}
