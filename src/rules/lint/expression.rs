//! An expression, looked at from the leaves up: what each part gives, and what in it cannot work.

use super::labels::LabelSet;
use super::matching;
use super::schema::Schema;
use super::vector::{Nature, Vector};
use super::{Finding, function};
use crate::promql::Kind;
use crate::promql::expr::{Aggregate, Aggregation, Binary, Call, Expr, Grouping, Op, Selector};

/// What is found in one expression.
pub(super) struct Reading<'s> {
    pub(super) schema: &'s Schema,
    pub(super) findings: Vec<Finding>,
}

impl Reading<'_> {
    pub(super) fn find(&mut self, message: String, hint: impl Into<String>) {
        let finding = Finding {
            message,
            hint: hint.into(),
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// What an expression gives.
    pub(super) fn read(&mut self, expr: &Expr) -> Vector {
        match expr {
            Expr::Number(value) => Vector {
                nature: Nature::Constant(*value),
                ..Vector::bare()
            },
            Expr::Text(_) => Vector::bare(),
            Expr::Vector(selector) | Expr::Matrix(selector, _) => self.selector(selector),
            Expr::Subquery(subquery) => self.read(&subquery.expr),
            Expr::Negative(inner) => {
                let vector = self.read(inner);
                let nature = match vector.nature {
                    Nature::Constant(value) => Nature::Constant(-value),
                    _ => Nature::Other,
                };
                Vector { nature, ..vector }
            }
            Expr::Binary(binary) => self.binary(binary),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Call(call) => self.call(call),
        }
    }

    fn selector(&mut self, selector: &Selector) -> Vector {
        let name = selector.name.as_deref();
        if let Some(known) = name.and_then(|name| self.schema.find(name)) {
            for matcher in &selector.matchers {
                if !known.labels.may_have(&matcher.name) && !matcher.test.accepts("") {
                    let message = format!(
                        "no series of `{}` has the label `{}`, so it selects nothing",
                        name.unwrap_or_default(),
                        matcher.name
                    );
                    self.find(message, labels_of(&known.labels));
                }
            }
        }
        let known = self.schema.select(name, &selector.matchers);
        Vector {
            nature: known.nature,
            labels: known.labels,
        }
    }

    fn call(&mut self, call: &Call) -> Vector {
        let arguments: Vec<Vector> = call.arguments.iter().map(|one| self.read(one)).collect();
        function::check(self, call, &arguments);
        function::value(call, &arguments)
    }

    fn aggregate(&mut self, node: &Aggregate) -> Vector {
        if let Some(param) = &node.param {
            self.read(param);
        }
        let operand = self.read(&node.expr);
        if let Grouping::By(labels) = &node.grouping {
            let schema = self.schema;
            let may_group = |label: &&String| {
                operand.labels.may_have(label) || schema.may_come_from_target(label)
            };
            for label in labels.iter().filter(|label| !may_group(label)) {
                let message = format!("`by ({label})`: no element has the label `{label}`");
                self.find(message, labels_of(&operand.labels));
            }
        }
        let kept = |labels: &LabelSet| match &node.grouping {
            Grouping::By(names) => labels.only(names),
            Grouping::Without(names) => {
                let names = names.iter();
                names.fold(labels.clone(), |labels, name| labels.without(name))
            }
        };
        let labels = match (node.op, &node.param) {
            (Aggregation::Top | Aggregation::Bottom, _) => operand.labels,
            (Aggregation::CountValues, Some(Expr::Text(label))) => {
                kept(&operand.labels).with(label, None)
            }
            _ => kept(&operand.labels),
        };
        let nature = match node.op {
            Aggregation::Sum
            | Aggregation::Average
            | Aggregation::Minimum
            | Aggregation::Maximum
            | Aggregation::Top
            | Aggregation::Bottom => operand.nature,
            _ => Nature::Other,
        };
        Vector { nature, labels }
    }

    fn binary(&mut self, node: &Binary) -> Vector {
        let (left, right) = (self.read(&node.left), self.read(&node.right));
        let labels = match (node.left.kind(), node.right.kind()) {
            (Kind::Scalar, Kind::Scalar) => LabelSet::default(),
            (Kind::Vector, Kind::Scalar) => left.labels.clone(),
            (Kind::Scalar, _) => right.labels.clone(),
            _ => {
                matching::check(self, node, &left.labels, &right.labels);
                matching::labels(node, &left.labels, &right.labels)
            }
        };
        if node.op.compares() && !node.bool {
            self.threshold(node.op, &left.nature, &right.nature);
        }
        let nature = nature(node, &left.nature, &right.nature);
        Vector { nature, labels }
    }

    /// A counter that is held against a number: the alert would stay until the counter is reset.
    fn threshold(&mut self, op: Op, left: &Nature, right: &Nature) {
        let (name, value) = match (left, right) {
            (Nature::Counter(name), Nature::Constant(value))
            | (Nature::Constant(value), Nature::Counter(name)) => (name, *value),
            _ => return,
        };
        // Whether it ever happened is a question that may be meant.
        let ever = value == 0.0 || value == 1.0 && op != Op::Equal;
        if !ever {
            let message = format!(
                "`{name}` is a counter, and it is compared with {value}: once past it, it stays there until it is reset"
            );
            self.find(
                message,
                format!("compare what it gained: `increase({name}[5m])`"),
            );
        }
    }
}

fn nature(node: &Binary, left: &Nature, right: &Nature) -> Nature {
    match (node.op, left, right) {
        (op, Nature::Constant(left), Nature::Constant(right)) => constant(op, *left, *right),
        (Op::And | Op::Unless, left, _) => left.clone(),
        (Op::Or, left, right) => left.or(right),
        (op, Nature::Constant(_), vector) if op.compares() && !node.bool => vector.clone(),
        (op, left, _) if op.compares() && !node.bool => left.clone(),
        (Op::Add | Op::Multiply, Nature::Constant(_), vector) => vector.scaled(),
        (Op::Add | Op::Subtract | Op::Multiply | Op::Divide, vector, Nature::Constant(_)) => {
            vector.scaled()
        }
        (Op::Add, Nature::Counter(_), Nature::Counter(_)) => left.clone(),
        _ => Nature::Other,
    }
}

fn constant(op: Op, left: f64, right: f64) -> Nature {
    match op {
        Op::Add => Nature::Constant(left + right),
        Op::Subtract => Nature::Constant(left - right),
        Op::Multiply => Nature::Constant(left * right),
        Op::Divide => Nature::Constant(left / right),
        Op::Power => Nature::Constant(left.powf(right)),
        _ => Nature::Other,
    }
}

/// The way out where a label is not there: those that are.
pub(super) fn labels_of(labels: &LabelSet) -> String {
    let names: Vec<String> = labels
        .names()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    match names.as_slice() {
        [] => "there are no labels at all".into(),
        names => format!("there are {}", names.join(", ")),
    }
}
