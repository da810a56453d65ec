//! Prints a parsed template for one result. An error names its cause; what was printed before it is thrown away.

use crate::sample::{Labels, Timestamp};

use super::functions;
use super::parser::{Node, Operand, Pipeline, Tree};
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

/// Templates that call each other deeper than this are taken for endless.
const DEEPEST_CALL: usize = 100;
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
        calls: 0,
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

struct Printer<'t, 'i> {
    tree: &'t Tree,
    input: &'t Input<'i>,
    variables: Vec<(String, Value)>,
    printed: String,
    calls: usize,
}

impl<'t> Printer<'t, '_> {
    fn all(&mut self, nodes: &'t [Node], dot: &Value) -> Result<Flow, String> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
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
        self.calls += 1;
        if self.calls > DEEPEST_CALL {
            return Err(format!("exceeded maximum template depth ({DEEPEST_CALL})"));
        }
        let outside = std::mem::replace(&mut self.variables, vec![("$".into(), argument.clone())]);
        self.all(body, &argument)?;
        self.variables = outside;
        self.calls -= 1;
        Ok(())
    }

    fn put(&mut self, text: &str) -> Result<(), String> {
        if self.printed.len() + text.len() > LONGEST {
            return Err(format!("prints more than {LONGEST} bytes"));
        }
        self.printed.push_str(text);
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, String> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value, dot)?);
        }
        let value = value.unwrap_or(Value::Missing);
        // A range sets its variables itself, for each element.
        if let [name] = pipeline.variables.as_slice() {
            self.set(name, &value, pipeline.assigns)?;
        }
        Ok(value)
    }

    fn set(&mut self, name: &str, value: &Value, assigns: bool) -> Result<(), String> {
        if !assigns {
            self.variables.push((name.into(), value.clone()));
            return Ok(());
        }
        let known = self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| known == name);
        known
            .ok_or_else(|| format!("undefined variable: {name}"))?
            .1 = value.clone();
        Ok(())
    }

    fn command(
        &mut self,
        operands: &[Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, String> {
        let Some((first, rest)) = operands.split_first() else {
            return Ok(Value::Missing);
        };
        let Operand::Function(name) = first else {
            if !rest.is_empty() || piped.is_some() {
                return Err("can't give argument to non-function".into());
            }
            return self.operand(first, dot);
        };
        if name == "and" || name == "or" {
            return self.first_that(name == "or", rest, piped, dot);
        }
        let mut arguments = Vec::new();
        for operand in rest {
            arguments.push(self.operand(operand, dot)?);
        }
        arguments.extend(piped);
        functions::call(name, &arguments, self.input)
    }

    /// `or`: the first true argument, else the last; `and`: the first that is not, else the last.
    fn first_that(
        &mut self,
        truth: bool,
        rest: &[Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, String> {
        let mut last = None;
        for operand in rest {
            let value = self.operand(operand, dot)?;
            if value.truth() == truth {
                return Ok(value);
            }
            last = Some(value);
        }
        piped
            .or(last)
            .ok_or_else(|| "`and` and `or` want at least one argument".into())
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, String> {
        match operand {
            Operand::Constant(value) => Ok(value.clone()),
            Operand::Dot => Ok(dot.clone()),
            Operand::Field(path) => self.fields(dot.clone(), path),
            Operand::Variable(name, path) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = known.map(|(_, value)| value.clone());
                self.fields(
                    value.ok_or_else(|| format!("undefined variable: {name}"))?,
                    path,
                )
            }
            Operand::Function(_) => self.command(std::slice::from_ref(operand), None, dot),
            Operand::Nested(pipeline) => self.pipeline(pipeline, dot),
            Operand::Chain(inner, path) => {
                let value = self.operand(inner, dot)?;
                self.fields(value, path)
            }
        }
    }

    fn fields(&self, value: Value, path: &[String]) -> Result<Value, String> {
        path.iter()
            .try_fold(value, |value, name| self.field(&value, name))
    }

    fn field(&self, value: &Value, name: &str) -> Result<Value, String> {
        match (value, name) {
            (Value::Root, "Labels") => Ok(Value::Labels(self.input.labels.clone())),
            (Value::Root, "ExternalLabels") => {
                Ok(Value::Labels(self.input.external_labels.clone()))
            }
            (Value::Root, "ExternalURL") => Ok(Value::text(self.input.external_url)),
            (Value::Root, "Value") => Ok(Value::Float(self.input.value)),
            (Value::Labels(labels), name) => Ok(Value::text(labels.get(name))),
            (Value::Arguments(arguments), name) => {
                let found = arguments.iter().find(|(known, _)| known == name);
                Ok(found.map_or(Value::Missing, |(_, value)| value.clone()))
            }
            (Value::Sample(sample), "Labels") => Ok(Value::Labels(sample.labels.clone())),
            (Value::Sample(sample), "Value") => Ok(Value::Float(sample.value)),
            (other, name) => Err(format!(
                "can't evaluate field {name} in type {}",
                other.kind()
            )),
        }
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
