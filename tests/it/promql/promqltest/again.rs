//! The same instant query at other moments: with every selector held to its moment by `@`, it gives the same whenever
//! it is evaluated.

use std::time::{Duration, SystemTime};

use pgvigil::promql::Query;
use promql_parser::parser::{self, AtModifier, Expr};

/// Functions that give something else at another moment, whatever their arguments.
const BOUND_TO_NOW: &[&str] = &[
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "time",
    "timestamp",
    "year",
];

/// The expression held to a moment, and the moments at which to evaluate it.
pub fn at_other_moments(query: &str, at: i64) -> Option<(String, Vec<i64>)> {
    let moment = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at).ok()?);
    // Ours first: there are texts over which the crate panics.
    Query::parse(query).ok()?;
    let mut expr = parser::parse(query).ok()?;
    let held = hold(&mut expr, moment);
    let moments = match at {
        0 => vec![-1000, 1000],
        at => vec![-10 * at, 0, at / 5, 10 * at],
    };
    held.then(|| (expr.to_string(), moments))
}

/// Holds every selector that is not held yet; says whether that holds the whole expression. What is inside of a subquery
/// is as of the subquery's moments.
fn hold(expr: &mut Expr, moment: SystemTime) -> bool {
    let at = || Some(AtModifier::At(moment));
    let into = |expr: &mut Expr| hold(expr, moment);
    match expr {
        Expr::VectorSelector(selector) => selector.at = selector.at.take().or_else(at),
        Expr::MatrixSelector(matrix) => matrix.vs.at = matrix.vs.at.take().or_else(at),
        Expr::Subquery(subquery) => {
            subquery.at = subquery.at.take().or_else(at);
            return !is_bound_to_now(&subquery.expr);
        }
        Expr::Call(call) => {
            let all = call.args.args.iter_mut().all(|argument| into(argument));
            return all && !BOUND_TO_NOW.contains(&call.func.name);
        }
        Expr::Aggregate(aggregate) => {
            let param = aggregate.param.as_mut().is_none_or(|param| into(param));
            return param && into(&mut aggregate.expr);
        }
        Expr::Binary(binary) => return into(&mut binary.lhs) && into(&mut binary.rhs),
        Expr::Unary(unary) => return into(&mut unary.expr),
        Expr::Paren(paren) => return into(&mut paren.expr),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
    true
}

/// Whether a function anywhere below is bound to the moment of evaluation.
fn is_bound_to_now(expr: &Expr) -> bool {
    // A copy is held for its answer alone.
    !hold(&mut expr.clone(), SystemTime::UNIX_EPOCH)
}
