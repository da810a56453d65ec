//! `count_values`: how often each value is there.

use std::collections::HashMap;

use super::{Group, groups, present, united};
use crate::promql::EvalError;
use crate::promql::expr::{Aggregate, Grouping};
use crate::promql::number::format_plain;
use crate::promql::rows::{Head, Rows};
use crate::sample::{Labels, NAME};

/// One row for each value that a group has at any moment: how often it has it.
pub(super) fn count_values(node: &Aggregate, label: &str, rows: &Rows) -> Result<Rows, EvalError> {
    if label.is_empty() {
        let message = format!("invalid label name {label:?}");
        return Err(EvalError::Failed(message));
    }
    // A label that is left out takes no value, and one that is the name is a new name.
    let is_left_out = match &node.grouping {
        Grouping::Without(names) => label == NAME || names.iter().any(|name| name == label),
        Grouping::By(_) => false,
    };
    let mut counts: Vec<(Head, Vec<f64>)> = Vec::new();
    let mut places: HashMap<Labels, usize> = HashMap::new();
    for Group { labels, members } in groups(&node.grouping, rows) {
        let drops_name = members.iter().any(|row| rows.head(*row).drop_name);
        let head = Head {
            labels: labels.clone(),
            sources: united(rows, &members),
            drop_name: drops_name && label != NAME,
        };
        for place in 0..rows.width() {
            for (_, value) in present(rows, &members, place) {
                let labels = match is_left_out {
                    true => labels.clone(),
                    false => labels.with(label, &format_plain(value)),
                };
                let row = *places.entry(labels).or_insert_with_key(|labels| {
                    let head = Head {
                        labels: labels.clone(),
                        ..head.clone()
                    };
                    counts.push((head, vec![0.0; rows.width()]));
                    counts.len() - 1
                });
                counts[row].1[place] += 1.0;
            }
        }
    }
    let mut results = Rows::with_capacity(rows.width(), counts.len());
    for (head, counted) in counts {
        results.push(head, |out| {
            for (out, count) in out.iter_mut().zip(counted) {
                if count > 0.0 {
                    *out = count;
                }
            }
        });
    }
    Ok(results)
}
