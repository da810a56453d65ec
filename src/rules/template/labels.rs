//! The labels that a template prints, as far as they are named in it.

use std::collections::BTreeSet;

use super::Template;
use super::tree::{Node, Operand, Pipeline};
use super::value::Value;

impl Template {
    /// The labels that are printed as `$labels.NAME` or in ways that come to the same. Those that are first asked for with
    /// `if`, `with`, `or` or `and` are left out: whoever asks expects that they may be absent.
    pub(in crate::rules) fn printed_labels(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if let Some(tree) = &self.tree {
            list(&tree.root, true, &mut found);
        }
        found
    }
}

/// `rooted` where the dot is what the template begins with.
fn list(nodes: &[Node], rooted: bool, found: &mut BTreeSet<String>) {
    for node in nodes {
        match node {
            Node::Text(_) | Node::Template(..) | Node::Break | Node::Continue => {}
            Node::Print(pipeline) => printed(pipeline, rooted, found),
            Node::If(asked, then, otherwise) => {
                guarded(asked, rooted, then, rooted, found);
                list(otherwise, rooted, found);
            }
            Node::With(asked, then, otherwise) => {
                guarded(asked, rooted, then, false, found);
                list(otherwise, rooted, found);
            }
            Node::Range(_, each, otherwise) => {
                list(each, false, found);
                list(otherwise, rooted, found);
            }
        }
    }
}

/// What is printed only where it was asked for is no mistake.
fn guarded(
    asked: &Pipeline,
    rooted: bool,
    then: &[Node],
    rooted_then: bool,
    found: &mut BTreeSet<String>,
) {
    let (mut guards, mut inside) = (BTreeSet::new(), BTreeSet::new());
    each_operand(asked, &mut |operand| guards.extend(label(operand, rooted)));
    list(then, rooted_then, &mut inside);
    found.extend(inside.difference(&guards).cloned());
}

fn printed(pipeline: &Pipeline, rooted: bool, found: &mut BTreeSet<String>) {
    for command in &pipeline.commands {
        match command.as_slice() {
            [Operand::Function(name), ..] if ["or", "and"].contains(&name.as_str()) => {}
            [
                Operand::Function(name),
                map,
                Operand::Constant(Value::Text(key)),
            ] if name == "index" && is_labels(map, rooted) => {
                found.insert(key.clone());
            }
            operands => {
                for operand in operands {
                    match operand {
                        Operand::Nested(inner) => printed(inner, rooted, found),
                        operand => found.extend(label(operand, rooted)),
                    }
                }
            }
        }
    }
}

fn each_operand(pipeline: &Pipeline, visit: &mut impl FnMut(&Operand)) {
    for operand in pipeline.commands.iter().flatten() {
        visit(operand);
        if let Operand::Nested(inner) = operand {
            each_operand(inner, visit);
        }
    }
}

fn is_labels(operand: &Operand, rooted: bool) -> bool {
    match operand {
        Operand::Variable(name, path) => name == "$labels" && path.is_empty(),
        Operand::Field(path) => rooted && path.as_slice() == ["Labels"],
        _ => false,
    }
}

/// The label that an operand is.
fn label(operand: &Operand, rooted: bool) -> Option<String> {
    match operand {
        Operand::Variable(name, path) if name == "$labels" => path.first().cloned(),
        Operand::Field(path) if rooted && path.first().is_some_and(|name| name == "Labels") => {
            path.get(1).cloned()
        }
        _ => None,
    }
}
