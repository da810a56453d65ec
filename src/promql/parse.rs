//! The one place that knows promql-parser: guards it, calls it, and turns its tree into ours.
//!
//! What it takes differently from Prometheus, and what is done about it:
//! - a number of seconds that is no duration (`[1e30]`, `offset inf`) makes it panic: such texts are not shown to it;
//! - `0s` is refused wherever it stands: written as `0` where a number or an offset may be zero;
//! - deep nesting would exhaust the stack: refused with its own message;
//! - `{a="1" or b="2"}`, `fill` and experimental functions are taken: refused here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::token;
use promql_parser::parser::{
    self, AggregateExpr, AtModifier, BinModifier, BinaryExpr, LabelModifier, Offset,
    VectorMatchCardinality, VectorSelector,
};

use super::ParseError;
use super::expr::{
    Aggregate, Aggregation, At, Binary, Call, Card, Expr, Grouping, Matching, Op, Selector, Shift,
    Subquery,
};
use super::function;
use super::guard::guarded;
use crate::sample::NAME;
use crate::store::{Matcher, Test};

/// Parses an expression.
pub(super) fn parse(text: &str) -> Result<Expr, ParseError> {
    let shown = guarded(text)?;
    let tree = parser::parse(&shown).map_err(error)?;
    Translation::default().expr(&tree)
}

/// An error without a place, as the parser gives none.
pub(super) fn error(message: impl Into<String>) -> ParseError {
    ParseError {
        message: message.into(),
        position: None,
    }
}

#[derive(Default)]
struct Translation {
    selectors: usize,
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
            parser::Expr::Call(call) => Expr::Call(Call {
                function: function::find(call.func.name)?,
                arguments: call
                    .args
                    .args
                    .iter()
                    .map(|argument| self.expr(argument))
                    .collect::<Result<_, _>>()?,
            }),
            parser::Expr::Extension(_) => return Err(error("unknown kind of expression")),
        })
    }

    fn selector(&mut self, selector: &VectorSelector) -> Result<Selector, ParseError> {
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
        self.selectors += 1;
        Ok(Selector {
            id: self.selectors - 1,
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
            op: operator(tree.op)?,
            left: self.expr(&tree.lhs)?,
            right: self.expr(&tree.rhs)?,
            bool: modifier.return_bool,
            matching: matching(&modifier),
        })
    }

    fn aggregate(&mut self, tree: &AggregateExpr) -> Result<Aggregate, ParseError> {
        Ok(Aggregate {
            op: aggregation(tree.op)?,
            expr: self.expr(&tree.expr)?,
            param: tree
                .param
                .as_ref()
                .map(|param| self.expr(param))
                .transpose()?,
            grouping: match &tree.modifier {
                Some(LabelModifier::Include(names)) => Grouping::By(names.labels.clone()),
                Some(LabelModifier::Exclude(names)) => Grouping::Without(names.labels.clone()),
                None => Grouping::By(Vec::new()),
            },
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
            MatchOp::Re(pattern) => Test::Like(pattern.clone()),
            MatchOp::NotRe(pattern) => Test::NotLike(pattern.clone()),
        },
    });
    Ok(conditions.collect())
}

fn matching(modifier: &BinModifier) -> Matching {
    let (on, labels) = match &modifier.matching {
        Some(LabelModifier::Include(labels)) => (true, labels.labels.clone()),
        Some(LabelModifier::Exclude(labels)) => (false, labels.labels.clone()),
        None => (false, Vec::new()),
    };
    let (card, include) = match &modifier.card {
        VectorMatchCardinality::ManyToOne(labels) => (Card::ManyToOne, labels.labels.clone()),
        VectorMatchCardinality::OneToMany(labels) => (Card::OneToMany, labels.labels.clone()),
        VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => {
            (Card::OneToOne, Vec::new())
        }
    };
    Matching {
        on,
        labels,
        card,
        include,
    }
}

fn operator(op: token::TokenType) -> Result<Op, ParseError> {
    Ok(match op.id() {
        token::T_ADD => Op::Add,
        token::T_SUB => Op::Subtract,
        token::T_MUL => Op::Multiply,
        token::T_DIV => Op::Divide,
        token::T_MOD => Op::Modulo,
        token::T_POW => Op::Power,
        token::T_ATAN2 => Op::Atan2,
        token::T_EQLC => Op::Equal,
        token::T_NEQ => Op::NotEqual,
        token::T_GTR => Op::Greater,
        token::T_LSS => Op::Less,
        token::T_GTE => Op::GreaterOrEqual,
        token::T_LTE => Op::LessOrEqual,
        token::T_LAND => Op::And,
        token::T_LOR => Op::Or,
        token::T_LUNLESS => Op::Unless,
        _ => return Err(error(format!("unknown operator \"{op}\""))),
    })
}

fn aggregation(op: token::TokenType) -> Result<Aggregation, ParseError> {
    Ok(match op.id() {
        token::T_SUM => Aggregation::Sum,
        token::T_AVG => Aggregation::Average,
        token::T_MIN => Aggregation::Minimum,
        token::T_MAX => Aggregation::Maximum,
        token::T_COUNT => Aggregation::Count,
        token::T_GROUP => Aggregation::Group,
        token::T_STDDEV => Aggregation::Deviation,
        token::T_STDVAR => Aggregation::Variance,
        token::T_TOPK => Aggregation::Top,
        token::T_BOTTOMK => Aggregation::Bottom,
        token::T_QUANTILE => Aggregation::Quantile,
        token::T_COUNT_VALUES => Aggregation::CountValues,
        _ => {
            return Err(error(format!(
                "aggregation \"{op}\" is experimental and not evaluated"
            )));
        }
    })
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
