//! Arithmetic and comparison between vectors: every element finds its partner by labels.

use std::collections::{HashMap, HashSet};

use super::EvalError;
use super::binary::apply;
use super::evaluate::{Entry, final_labels};
use super::expr::{Binary, Card, Matching};
use crate::sample::{Labels, NAME};

impl Matching {
    /// The labels by which an element is matched.
    pub(super) fn signature(&self, labels: &Labels) -> Labels {
        let named = |name: &str| self.labels.iter().any(|label| label == name);
        match self.on {
            true => labels.filtered(named),
            false => labels.filtered(|name| name != NAME && !named(name)),
        }
    }
}

/// Applies the operator to every pair of matching elements.
///
/// # Errors
/// More elements match than the modifiers allow.
pub(super) fn combine(
    node: &Binary,
    left: &[Entry],
    right: &[Entry],
) -> Result<Vec<Entry>, EvalError> {
    if left.is_empty() || right.is_empty() {
        return Ok(Vec::new());
    }
    let flipped = node.matching.card == Card::OneToMany;
    let (many, one) = if flipped {
        (right, left)
    } else {
        (left, right)
    };
    let partners = partners(node, one)?;
    let mut seen = Seen::default();
    let mut combined = Vec::new();
    for entry in many {
        let signature = node.matching.signature(&entry.labels);
        let Some(partner) = partners.get(&signature) else {
            continue;
        };
        let (first, second) = match flipped {
            true => (partner.value, entry.value),
            false => (entry.value, partner.value),
        };
        let outcome = apply(node.op, first, second).outcome(node.bool, first);
        let labels = labels(node, &entry.labels, &partner.labels);
        seen.note(node, signature, &labels)?;
        if let Some(value) = outcome {
            combined.push(Entry {
                labels,
                value,
                sources: entry.sources.union(&partner.sources),
                drop_name: entry.drop_name || node.bool,
                at: entry.at,
            });
        }
    }
    Ok(combined)
}

/// The elements of the side on which each may be met once.
fn partners<'a>(node: &Binary, one: &'a [Entry]) -> Result<HashMap<Labels, &'a Entry>, EvalError> {
    let mut partners: HashMap<Labels, &Entry> = HashMap::with_capacity(one.len());
    for entry in one {
        let signature = node.matching.signature(&entry.labels);
        if let Some(other) = partners.insert(signature.clone(), entry) {
            return Err(duplicate(node, &signature, other, entry));
        }
    }
    Ok(partners)
}

fn duplicate(node: &Binary, group: &Labels, one: &Entry, other: &Entry) -> EvalError {
    let side = match node.matching.card {
        Card::OneToMany => "left",
        Card::OneToOne | Card::ManyToOne => "right",
    };
    let mut pair = [one, other].map(|entry| final_labels(&entry.labels, entry.drop_name));
    pair.sort();
    let [first, second] = pair.map(|labels| go_labels(&labels));
    EvalError::Failed(format!(
        "found duplicate series for the match group {} on the {side} hand-side of the operation: [{first}, {second}];\
         many-to-many matching not allowed: matching labels must be unique on one side",
        go_labels(group),
    ))
}

/// What the result of a pair is called.
fn labels(node: &Binary, many: &Labels, one: &Labels) -> Labels {
    let matching = &node.matching;
    let named = |name: &str| matching.labels.iter().any(|label| label == name);
    let keeps = |name: &str| {
        let renamed = name == NAME && !node.op.compares();
        let matched = matching.card != Card::OneToOne || named(name) == matching.on;
        !renamed && matched
    };
    let kept = many.filtered(keeps);
    matching
        .include
        .iter()
        .fold(kept, |labels, name| labels.with(name, one.get(name)))
}

/// What has been matched so far.
#[derive(Default)]
struct Seen {
    signatures: HashSet<Labels>,
    results: HashSet<(Labels, Labels)>,
}

impl Seen {
    fn note(&mut self, node: &Binary, signature: Labels, labels: &Labels) -> Result<(), EvalError> {
        let (is_new, why) = match node.matching.card {
            Card::OneToOne => (
                self.signatures.insert(signature),
                "many-to-one matching must be explicit (group_left/group_right)",
            ),
            Card::ManyToOne | Card::OneToMany => (
                self.results.insert((signature, labels.clone())),
                "grouping labels must ensure unique matches",
            ),
        };
        match is_new {
            true => Ok(()),
            false => Err(EvalError::Failed(format!(
                "multiple matches for labels: {why}"
            ))),
        }
    }
}

/// Labels as Go's Prometheus prints them in errors.
fn go_labels(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}
