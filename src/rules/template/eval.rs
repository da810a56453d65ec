//! Prints a parsed template for one result. An error names its cause; what was printed before it is thrown away.

use crate::sample::{Labels, Timestamp};

use super::tree::{Node, Pipeline, Tree};
use super::value::Value;

/// A query's answer, for the `query` function: labels and value of each element.
pub(in crate::rules) type Answer = Result<Vec<(Labels, f64)>, String>;

/// What a template is printed for.
pub(in crate::rules) struct Input<'a> {
    /// The element's labels with its metric name, before the rule's labels.
    pub(in crate::rules) labels: &'a Labels,
    /// The element's value.
    pub(in crate::rules) value: f64,
    /// `external_labels` of the configuration.
    pub(in crate::rules) external_labels: &'a Labels,
    /// `external_url` of the configuration.
    pub(in crate::rules) external_url: &'a str,
    /// The slot.
    pub(in crate::rules) at: Timestamp,
    /// Evaluates an expression at the slot.
    pub(in crate::rules) query: &'a dyn Fn(&str) -> Answer,
}

/// Actions and calls inside each other deeper than this are taken for endless; a guard for the stack.
const DEEPEST: usize = 200;
/// More than this is no message.
const LONGEST: usize = 1 << 20;

/// Prints a template.
pub(super) fn print(tree: &Tree, input: &Input) -> Result<String, String> {
    let given = [
        ("$", Value::Root),
        ("$labels", Value::Labels(input.labels.clone())),
        (
            "$externalLabels",
            Value::Labels(input.external_labels.clone()),
        ),
        ("$externalURL", Value::text(input.external_url)),
        ("$value", Value::Float(input.value)),
    ];
    let mut printer = Printer {
        tree,
        input,
        variables: given.map(|(name, value)| (name.to_owned(), value)).into(),
        printed: String::new(),
        depth: 0,
    };
    printer.all(&tree.root, &Value::Root)?;
    Ok(printer.printed)
}

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// A template while it is printed.
pub(super) struct Printer<'t, 'i> {
    tree: &'t Tree,
    pub(super) input: &'t Input<'i>,
    pub(super) variables: Vec<(String, Value)>,
    printed: String,
    depth: usize,
}

impl<'t> Printer<'t, '_> {
    fn all(&mut self, nodes: &'t [Node], dot: &Value) -> Result<Flow, String> {
        if self.depth == DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        self.depth += 1;
        let mut flow = Flow::On;
        for node in nodes {
            flow = self.node(node, dot)?;
            if flow != Flow::On {
                break;
            }
        }
        self.depth -= 1;
        Ok(flow)
    }

    fn node(&mut self, node: &'t Node, dot: &Value) -> Result<Flow, String> {
        match node {
            Node::Text(text) => self.put(text)?,
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.put(&value.show())?;
                }
            }
            Node::Template(name, argument) => self.call(name, argument.as_ref(), dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::If(pipeline, ..) | Node::With(pipeline, ..) | Node::Range(pipeline, ..) => {
                let scope = self.variables.len();
                let value = self.pipeline(pipeline, dot)?;
                let flow = self.control(node, &value, dot)?;
                self.variables.truncate(scope);
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn control(&mut self, node: &'t Node, value: &Value, dot: &Value) -> Result<Flow, String> {
        match node {
            Node::If(_, body, _) if value.truth() => self.all(body, dot),
            Node::With(_, body, _) if value.truth() => self.all(body, value),
            Node::Range(pipeline, body, otherwise) => {
                let elements = elements(value)?;
                if elements.is_empty() {
                    return self.all(otherwise, dot);
                }
                self.range(pipeline, body, elements)
            }
            Node::If(_, _, otherwise) | Node::With(_, _, otherwise) => self.all(otherwise, dot),
            _ => Ok(Flow::On),
        }
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &'t [Node],
        elements: Vec<(Value, Value)>,
    ) -> Result<Flow, String> {
        let scope = self.variables.len();
        for (key, element) in elements {
            match pipeline.variables.as_slice() {
                [one] => self.set(one, &element, pipeline.assigns)?,
                [one, two] => {
                    self.set(one, &key, pipeline.assigns)?;
                    self.set(two, &element, pipeline.assigns)?;
                }
                _ => {}
            }
            let flow = self.all(body, &element)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn call(
        &mut self,
        name: &str,
        argument: Option<&'t Pipeline>,
        dot: &Value,
    ) -> Result<(), String> {
        let argument = match argument {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Nil,
        };
        let tree = self.tree;
        let body = tree
            .defined
            .get(name)
            .ok_or_else(|| format!("template {name:?} not defined"))?;
        let outside = std::mem::replace(&mut self.variables, vec![("$".into(), argument.clone())]);
        self.all(body, &argument)?;
        self.variables = outside;
        Ok(())
    }

    fn put(&mut self, text: &str) -> Result<(), String> {
        if self.printed.len() + text.len() > LONGEST {
            return Err(format!("prints more than {LONGEST} bytes"));
        }
        self.printed.push_str(text);
        Ok(())
    }
}

/// What a range goes over: index or key, and element.
fn elements(value: &Value) -> Result<Vec<(Value, Value)>, String> {
    match value {
        Value::Samples(samples) => {
            let each = samples.iter().enumerate();
            Ok(each
                .map(|(place, sample)| (Value::Int(place as i64), Value::Sample(sample.clone())))
                .collect())
        }
        Value::Labels(labels) => {
            let each = labels.iter();
            Ok(each
                .map(|(name, value)| (Value::text(name), Value::text(value)))
                .collect())
        }
        Value::Arguments(arguments) => {
            let each = arguments.iter();
            Ok(each
                .map(|(name, value)| (Value::text(name.as_str()), value.clone()))
                .collect())
        }
        Value::Missing => Ok(Vec::new()),
        other => Err(format!("range can't iterate over {}", other.show())),
    }
}
