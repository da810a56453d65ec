//! What a pipeline computes: commands, operands, variables and fields.

use super::eval::Printer;
use super::functions;
use super::tree::{Operand, Pipeline};
use super::value::Value;

impl Printer<'_, '_> {
    /// The value of the last command; sets the variable that the pipeline declares.
    pub(super) fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, String> {
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

    /// Declares a variable, or assigns to the nearest of its name.
    pub(super) fn set(&mut self, name: &str, value: &Value, assigns: bool) -> Result<(), String> {
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
