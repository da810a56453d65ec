//! Arithmetic and comparison between vectors: every row finds its partners by labels.

use std::collections::HashMap;

use super::EvalError;
use super::binary::apply;
use super::evaluate::Evaluation;
use super::expr::{Binary, Card, Matching};
use super::result::final_labels;
use super::rows::{ABSENT, Head, Rows, is_present};
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

/// Applies the operator to every pair of matching rows.
///
/// # Errors
/// At some moment more rows match than the modifiers allow.
pub(super) fn combine(
    evaluation: &Evaluation<'_>,
    node: &Binary,
    left: &Rows,
    right: &Rows,
) -> Result<Rows, EvalError> {
    let flipped = node.matching.card == Card::OneToMany;
    let (many, one) = match flipped {
        true => (right, left),
        false => (left, right),
    };
    let mut groups = Groups::of(node, many, one);
    groups.check_one_side(node, many, one)?;
    let mut combined = Rows::with_capacity(many.width(), many.len());
    for (row, (head, values)) in many.iter().enumerate() {
        evaluation.go_on()?;
        let Some(group) = groups.of_row(row) else {
            continue;
        };
        for partner in group.ones.clone() {
            let theirs = one.head(partner);
            let theirs_at = one.row(partner);
            let result = Head {
                labels: labels(node, &head.labels, &theirs.labels),
                sources: head.sources.union(&theirs.sources),
                drop_name: head.drop_name || node.bool,
            };
            group.note(node, &result.labels, values, theirs_at)?;
            combined.push(result, |row| {
                for (out, (many, one)) in row.iter_mut().zip(values.iter().zip(theirs_at)) {
                    if is_present(*many) && is_present(*one) {
                        let (left, right) = if flipped {
                            (*one, *many)
                        } else {
                            (*many, *one)
                        };
                        let outcome = apply(node.op, left, right).outcome(node.bool, left);
                        *out = outcome.unwrap_or(ABSENT);
                    }
                }
            });
        }
    }
    Ok(combined)
}

/// Rows that are matched by the same labels.
#[derive(Default)]
struct Group {
    ones: Vec<usize>,
    /// How many rows of the many side there are.
    crowd: usize,
    /// Where rows have met whose results have the same labels, or any rows where one may meet one.
    taken: HashMap<Labels, Vec<bool>>,
}

impl Group {
    /// Notes that two rows have met, wherever both have a value, be it that a comparison then leaves none of them.
    fn note(
        &mut self,
        node: &Binary,
        labels: &Labels,
        many: &[f64],
        one: &[f64],
    ) -> Result<(), EvalError> {
        if self.crowd < 2 {
            return Ok(());
        }
        let (key, why) = match node.matching.card {
            Card::OneToOne => (
                Labels::default(),
                "many-to-one matching must be explicit (group_left/group_right)",
            ),
            Card::ManyToOne | Card::OneToMany => {
                (labels.clone(), "grouping labels must ensure unique matches")
            }
        };
        let taken = self.taken.entry(key);
        let taken = taken.or_insert_with(|| vec![false; many.len()]);
        for (taken, (many, one)) in taken.iter_mut().zip(many.iter().zip(one)) {
            let meet = is_present(*many) && is_present(*one);
            if meet && std::mem::replace(taken, true) {
                let message = format!("multiple matches for labels: {why}");
                return Err(EvalError::Failed(message));
            }
        }
        Ok(())
    }
}

/// All groups, and to which each row of the many side belongs.
struct Groups {
    groups: Vec<Group>,
    of_rows: Vec<Option<usize>>,
}

impl Groups {
    fn of(node: &Binary, many: &Rows, one: &Rows) -> Self {
        let mut groups: Vec<Group> = Vec::with_capacity(one.len());
        let mut places: HashMap<Labels, usize> = HashMap::with_capacity(one.len());
        for (row, head) in one.heads().iter().enumerate() {
            let signature = node.matching.signature(&head.labels);
            let place = *places.entry(signature).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Group::default());
            }
            groups[place].ones.push(row);
        }
        let heads = many.heads().iter();
        let of_rows = heads.map(|head| places.get(&node.matching.signature(&head.labels)).copied());
        let of_rows: Vec<Option<usize>> = of_rows.collect();
        for place in of_rows.iter().flatten() {
            groups[*place].crowd += 1;
        }
        Groups { groups, of_rows }
    }

    fn of_row(&mut self, row: usize) -> Option<&mut Group> {
        let place = self.of_rows[row]?;
        self.groups.get_mut(place)
    }

    /// On the one side no two rows of a group may have a value at the same moment, as long as there is anything at all
    /// on the other side then.
    fn check_one_side(&self, node: &Binary, many: &Rows, one: &Rows) -> Result<(), EvalError> {
        let mut met: Option<Vec<bool>> = None;
        for Group { ones, .. } in self.groups.iter().filter(|group| group.ones.len() > 1) {
            let met = met.get_or_insert_with(|| moments_met(many));
            for place in (0..one.width()).filter(|place| met[*place]) {
                let mut there = ones.iter().filter(|row| is_present(one.row(**row)[place]));
                if let (Some(first), Some(second)) = (there.next(), there.next()) {
                    return Err(duplicate(node, [one.head(*first), one.head(*second)]));
                }
            }
        }
        Ok(())
    }
}

fn moments_met(rows: &Rows) -> Vec<bool> {
    let mut met = vec![false; rows.width()];
    for (_, values) in rows.iter() {
        for (met, value) in met.iter_mut().zip(values) {
            *met |= is_present(*value);
        }
    }
    met
}

fn duplicate(node: &Binary, pair: [&Head; 2]) -> EvalError {
    let group = node.matching.signature(&pair[0].labels);
    let side = match node.matching.card {
        Card::OneToMany => "left",
        Card::OneToOne | Card::ManyToOne => "right",
    };
    let mut pair = pair.map(|head| final_labels(&head.labels, head.drop_name));
    pair.sort();
    let [first, second] = pair.map(|labels| go_labels(&labels));
    EvalError::Failed(format!(
        "found duplicate series for the match group {} on the {side} hand-side of the operation: [{first}, {second}];\
         many-to-many matching not allowed: matching labels must be unique on one side",
        go_labels(&group),
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

/// Labels as Go's Prometheus prints them in errors.
fn go_labels(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}
