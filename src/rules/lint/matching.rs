//! How the elements of two vectors find each other, and whether they ever can.

use super::expression::Reading;
use super::labels::LabelSet;
use super::schema::TARGETS;
use crate::promql::expr::{Binary, Card, Matching, Op};

/// Complains of an operator whose sides can never meet.
pub(super) fn check(reading: &mut Reading<'_>, node: &Binary, left: &LabelSet, right: &LabelSet) {
    if node.op == Op::Or {
        return;
    }
    for label in node.matching.labels.iter().filter(|_| node.matching.on) {
        let nobody = !left.may_have(label) && !right.may_have(label);
        if nobody && !reading.schema.may_come_from_target(label) {
            let message = format!("`on ({label})`: neither side has the label `{label}`");
            let hint = super::expression::labels_of(&left.either(right));
            reading.find(message, hint);
        }
    }
    let Some(reason) = apart(&node.matching, left, right) else {
        return;
    };
    let what = match node.op {
        Op::Unless => "never leaves anything out",
        _ => "never has a result",
    };
    let message = format!("`{}` {what}: {reason}", sign(node.op));
    reading.find(message, way_out(node, left, right));
}

/// Why no element of one side ever matches one of the other.
fn apart(matching: &Matching, left: &LabelSet, right: &LabelSet) -> Option<String> {
    let mut labels: Vec<&str> = left.certain().chain(right.certain()).collect();
    labels.sort_unstable();
    labels.dedup();
    let counts = |label: &&str| matching.labels.iter().any(|one| one == label) == matching.on;
    labels.into_iter().filter(counts).find_map(|label| {
        let one_sided =
            |here: &LabelSet, there: &LabelSet| here.has(label) && !there.may_have(label);
        if one_sided(left, right) {
            return Some(format!(
                "the left side has the label `{label}`, the right side never"
            ));
        }
        if one_sided(right, left) {
            return Some(format!(
                "the right side has the label `{label}`, the left side never"
            ));
        }
        match (left.value(label), right.value(label)) {
            (Some(one), Some(another)) if one != another => Some(format!(
                "`{label}` is `{one}` on the left side and `{another}` on the right"
            )),
            _ => None,
        }
    })
}

/// The labels by which both sides can meet.
fn way_out(node: &Binary, left: &LabelSet, right: &LabelSet) -> String {
    let both_values = |label: &str| match (left.value(label), right.value(label)) {
        (Some(one), Some(another)) => one == another,
        _ => true,
    };
    let shared: Vec<&str> = left
        .names()
        .into_iter()
        .filter(|label| right.may_have(label) && (left.has(label) || right.has(label)))
        .filter(|label| both_values(label))
        .collect();
    let more = |here: &LabelSet, there: &LabelSet| {
        let own = here.certain().filter(|label| !TARGETS.contains(label));
        own.into_iter().any(|label| !there.may_have(label))
    };
    let group = match (more(left, right), more(right, left)) {
        _ if node.op.is_set() => "",
        (true, false) => " group_left ()",
        (false, true) => " group_right ()",
        _ => "",
    };
    if shared.is_empty() {
        return "keep a label that both sides have, and match `on` it".into();
    }
    format!(
        "match by what both sides have: `{} on ({}){group}`",
        sign(node.op),
        shared.join(", ")
    )
}

/// The labels of the result.
pub(super) fn labels(node: &Binary, left: &LabelSet, right: &LabelSet) -> LabelSet {
    let Matching {
        on,
        labels,
        card,
        include,
    } = &node.matching;
    let (many, one) = match (node.op, card) {
        (Op::Or, _) => return left.either(right),
        (Op::And | Op::Unless, _) => return left.clone(),
        (_, Card::OneToOne) if *on => {
            let alike = left.alike(right, &[]);
            return alike.only(labels);
        }
        (_, Card::OneToOne) => return left.alike(right, labels),
        (_, Card::ManyToOne) => (left, right),
        (_, Card::OneToMany) => (right, left),
    };
    let taken = include.iter();
    taken.fold(many.clone(), |result, label| {
        match (one.has(label), one.may_have(label)) {
            (true, _) => result.with(label, one.value(label)),
            (false, true) => result.perhaps_with(label),
            (false, false) => result.without(label),
        }
    })
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Add => "+",
        Op::Subtract => "-",
        Op::Multiply => "*",
        Op::Divide => "/",
        Op::Modulo => "%",
        Op::Power => "^",
        Op::Atan2 => "atan2",
        Op::Equal => "==",
        Op::NotEqual => "!=",
        Op::Greater => ">",
        Op::Less => "<",
        Op::GreaterOrEqual => ">=",
        Op::LessOrEqual => "<=",
        Op::And => "and",
        Op::Or => "or",
        Op::Unless => "unless",
    }
}
