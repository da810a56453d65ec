//! Operators, aggregations and their modifiers, from promql-parser's into ours.

use promql_parser::parser::token;
use promql_parser::parser::{BinModifier, LabelModifier, VectorMatchCardinality};

use super::error;
use crate::promql::ParseError;
use crate::promql::expr::{Aggregation, Card, Grouping, Matching, Op};

pub(super) fn matching(modifier: &BinModifier) -> Matching {
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

pub(super) fn operator(op: token::TokenType) -> Result<Op, ParseError> {
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

pub(super) fn aggregation(op: token::TokenType) -> Result<Aggregation, ParseError> {
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

/// A missing modifier puts everything into one group.
pub(super) fn grouping(modifier: Option<&LabelModifier>) -> Grouping {
    match modifier {
        Some(LabelModifier::Include(names)) => Grouping::By(names.labels.clone()),
        Some(LabelModifier::Exclude(names)) => Grouping::Without(names.labels.clone()),
        None => Grouping::By(Vec::new()),
    }
}
