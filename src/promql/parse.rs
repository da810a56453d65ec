//! The one place that knows promql-parser: guards it, calls it, and turns its tree into ours.
//!
//! What it takes differently from Prometheus, and what is done about it:
//! - a number of seconds that is no duration (`[1e30]`, `offset inf`) makes it panic, a part of one beyond 32 bits counts
//!   for nothing, `0s` is refused wherever it stands, and arithmetic (`[5m + step()]`) is unknown to it: every duration
//!   in brackets or behind `offset` is computed here and written as plain seconds;
//! - a moment behind `@` that no clock shows is bent to one: refused;
//! - deep nesting would exhaust the stack: refused with its own message;
//! - bytes written as `\xc3` in a string become characters of their own: decoded beforehand;
//! - in a pattern `.` does not match a line break: compiled again;
//! - numbers are taken where vectors are needed (`ln(0)`): refused here;
//! - `{a="1" or b="2"}`, `fill` and experimental functions are taken: refused here.
//!
//! Its messages are handed on as they are, but where it gives no reason. It gives no places either: that of a word out of
//! place, and those of arguments, which warnings name, are found in the words of the text.

mod duration;
mod guard;
mod operator;
mod places;
mod unexpected;

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{self, AggregateExpr, AtModifier, BinaryExpr, Offset, VectorSelector};
use regex::Regex;

use super::ParseError;
use super::expr::{Aggregate, At, Binary, Call, Expr, Selector, Shift, Subquery};
use super::function;
use super::token::tokens;
use crate::sample::NAME;
use crate::store::{Matcher, Test};
pub(super) use duration::Timing;
use guard::guarded;

/// An expression that was read.
pub(super) struct Parsed {
    pub(super) expr: Expr,
    /// Whether a duration in it depends on when it is evaluated: it is then to be parsed again with that timing.
    pub(super) timed: bool,
}

/// What the parser says of a word that is out of place, whichever it is.
const NO_REASON: &str = "invalid promql query";

/// Parses an expression.
pub(super) fn parse(text: &str, timing: Option<Timing>) -> Result<Parsed, ParseError> {
    let shown = guarded(text, timing)?;
    let words = tokens(text);
    let tree = parser::parse(&shown.text).map_err(|message| match message == NO_REASON {
        true => unexpected::find(&words, text.len()).unwrap_or_else(|| error(message)),
        false => error(message),
    })?;
    let calls = places::of_calls(&words).into_iter();
    let mut translation = Translation {
        places: calls.map(|call| call.arguments).collect(),
    };
    Ok(Parsed {
        expr: translation.expr(&tree)?,
        timed: shown.timed,
    })
}

/// The expression in normal form; as it is where it does not parse.
pub(super) fn normal(text: &str) -> String {
    printed(text, |tree| tree.to_string())
}

/// The expression laid out over lines; as it is where it does not parse.
pub(super) fn pretty(text: &str) -> String {
    printed(text, |tree| tree.prettify())
}

fn printed(text: &str, print: impl Fn(&parser::Expr) -> String) -> String {
    let shown = guarded(text, None).ok();
    let tree = shown.and_then(|shown| parser::parse(&shown.text).ok());
    tree.map_or_else(|| text.to_owned(), |tree| print(&tree))
}

/// An error without a place, as the parser gives none.
pub(super) fn error(message: impl Into<String>) -> ParseError {
    ParseError {
        message: message.into(),
        position: None,
    }
}

struct Translation {
    /// Where the arguments of each call and aggregation begin, in the order in which they stand in the text, which is
    /// that of the tree from the root down, parameters before operands.
    places: VecDeque<Vec<usize>>,
}

impl Translation {
    fn expr(&mut self, tree: &parser::Expr) -> Result<Expr, ParseError> {
        Ok(match tree {
            parser::Expr::NumberLiteral(number) => Expr::Number(number.val),
            parser::Expr::StringLiteral(text) => Expr::Text(text.val.clone()),
            parser::Expr::Paren(paren) => self.expr(&paren.expr)?,
            parser::Expr::Unary(unary) => Expr::Negative(Box::new(self.expr(&unary.expr)?)),
            parser::Expr::VectorSelector(selector) => Expr::Vector(self.selector(selector)?),
            parser::Expr::MatrixSelector(matrix) => {
                Expr::Matrix(self.selector(&matrix.vs)?, millis(matrix.range))
            }
            parser::Expr::Subquery(subquery) => Expr::Subquery(Box::new(Subquery {
                expr: self.expr(&subquery.expr)?,
                range: millis(subquery.range),
                step: subquery.step.map(millis),
                shift: shift(subquery.at.as_ref(), subquery.offset.as_ref()),
            })),
            parser::Expr::Binary(binary) => Expr::Binary(Box::new(self.binary(binary)?)),
            parser::Expr::Aggregate(tree) => Expr::Aggregate(Box::new(self.aggregate(tree)?)),
            parser::Expr::Call(call) => Expr::Call(self.call(call)?),
            parser::Expr::Extension(_) => return Err(error("unknown kind of expression")),
        })
    }

    fn call(&mut self, call: &parser::Call) -> Result<Call, ParseError> {
        let name = call.func.name;
        let function = function::find(name)?;
        let arguments = &call.args.args;
        for (argument, expected) in arguments.iter().zip(&call.func.arg_types) {
            let got = argument.value_type();
            if got != *expected {
                return Err(error(format!(
                    "expected type {expected} in call to function '{name}', got {got}"
                )));
            }
        }
        let places = self.places.pop_front().unwrap_or_default();
        let arguments = arguments.iter().map(|argument| self.expr(argument));
        Ok(Call {
            function,
            arguments: arguments.collect::<Result<_, _>>()?,
            places,
        })
    }

    fn selector(&self, selector: &VectorSelector) -> Result<Selector, ParseError> {
        let mut matchers: Vec<Matcher> = Vec::new();
        if let Some(name) = &selector.name {
            matchers.push(Matcher {
                name: NAME.into(),
                test: Test::Equal(name.clone()),
            });
        }
        matchers.extend(conditions(&selector.matchers)?);
        let name = matchers.iter().find_map(|matcher| match &matcher.test {
            Test::Equal(name) if matcher.name == NAME => Some(name.clone()),
            _ => None,
        });
        Ok(Selector {
            name,
            matchers,
            shift: shift(selector.at.as_ref(), selector.offset.as_ref()),
        })
    }

    fn binary(&mut self, tree: &BinaryExpr) -> Result<Binary, ParseError> {
        let modifier = tree.modifier.clone().unwrap_or_default();
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(error(
                "the fill modifiers are experimental and not evaluated",
            ));
        }
        Ok(Binary {
            op: operator::operator(tree.op)?,
            left: self.expr(&tree.lhs)?,
            right: self.expr(&tree.rhs)?,
            bool: modifier.return_bool,
            matching: operator::matching(&modifier),
        })
    }

    fn aggregate(&mut self, tree: &AggregateExpr) -> Result<Aggregate, ParseError> {
        let place = self
            .places
            .pop_front()
            .and_then(|places| places.first().copied());
        let param = tree.param.as_ref();
        let param = param.map(|param| self.expr(param)).transpose()?;
        Ok(Aggregate {
            op: operator::aggregation(tree.op)?,
            expr: self.expr(&tree.expr)?,
            param,
            grouping: operator::grouping(tree.modifier.as_ref()),
            place,
        })
    }
}

fn conditions(matchers: &Matchers) -> Result<Vec<Matcher>, ParseError> {
    if !matchers.or_matchers.is_empty() {
        return Err(error(
            "unexpected \"or\" in label matching, expected \",\" or \"}\"",
        ));
    }
    let conditions = matchers.matchers.iter().map(|matcher| Matcher {
        name: matcher.name.clone(),
        test: match &matcher.op {
            MatchOp::Equal => Test::Equal(matcher.value.clone()),
            MatchOp::NotEqual => Test::NotEqual(matcher.value.clone()),
            MatchOp::Re(pattern) => Test::Like(whole(&matcher.value, pattern)),
            MatchOp::NotRe(pattern) => Test::NotLike(whole(&matcher.value, pattern)),
        },
    });
    Ok(conditions.collect())
}

/// The pattern with `.` for any character; as the parser compiled it where it had to be mended.
fn whole(pattern: &str, compiled: &Regex) -> Regex {
    Regex::new(&format!("^(?s:{pattern})$")).unwrap_or_else(|_| compiled.clone())
}

fn shift(at: Option<&AtModifier>, offset: Option<&Offset>) -> Shift {
    Shift {
        at: at.map(|at| match at {
            AtModifier::Start => At::Start,
            AtModifier::End => At::End,
            AtModifier::At(moment) => At::Moment(epoch_millis(*moment)),
        }),
        offset: match offset {
            Some(Offset::Pos(span)) => millis(*span),
            Some(Offset::Neg(span)) => -millis(*span),
            None => 0,
        },
    }
}

fn epoch_millis(moment: SystemTime) -> i64 {
    match moment.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}

/// Bounded to what sums of a few still fit.
fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).map_or(i64::MAX / 8, |span| span.min(i64::MAX / 8))
}

#[cfg(test)]
mod tests;
