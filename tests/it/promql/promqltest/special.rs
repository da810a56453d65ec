//! What a case may touch that pgvigil does not evaluate, and says so: only such a case may be skipped.

use std::convert::Infallible;

use pgvigil::promql::Query;
use pgvigil::sample::Labels;
use promql_parser::label::Matchers;
use promql_parser::parser::{self, Expr};
use promql_parser::util::{ExprVisitor, walk_expr};
use regex::Regex;

use super::case::Case;

/// What is outside of the stable language over float series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    NativeHistogram,
    StartTimestamp,
    Experimental,
}

/// A series that has something special among its samples.
pub type SpecialSeries = (Labels, Special);

impl Special {
    /// Its name in the counts.
    pub fn name(self) -> &'static str {
        match self {
            Special::NativeHistogram => "native histogram",
            Special::StartTimestamp => "start timestamp",
            Special::Experimental => "experimental",
        }
    }
}

/// The reason why a case that failed with `problem` need not pass, if there is one.
pub fn reason(case: &Case, problem: &str, loaded: &[SpecialSeries]) -> Option<Special> {
    if case.expected.is_native() || refused(case, problem, "native histogram") {
        return Some(Special::NativeHistogram);
    }
    if refused(case, problem, "experimental") {
        return Some(Special::Experimental);
    }
    // What should fail fails whatever the samples are.
    let touched = loaded.iter().find(|(labels, _)| reads(&case.query, labels));
    touched
        .filter(|_| case.expected.fails.is_none())
        .map(|(_, special)| *special)
}

/// Whether pgvigil's message refuses something as of this kind that is really in the expression.
fn refused(case: &Case, problem: &str, kind: &str) -> bool {
    let named = Regex::new("[\"`]([A-Za-z_]+)[\"`]").unwrap();
    problem.contains(kind)
        && named
            .captures_iter(problem)
            .any(|found| case.query.contains(&found[1]))
}

/// Whether an expression selects a series.
fn reads(query: &str, labels: &Labels) -> bool {
    // Ours first: there are texts over which the crate panics.
    let expr = Query::parse(query)
        .ok()
        .and_then(|_| parser::parse(query).ok());
    match expr {
        Some(expr) => {
            let mut search = Search {
                labels,
                found: false,
            };
            let Ok(_) = walk_expr(&mut search, &expr);
            search.found
        }
        // Newer syntax than the crate's: its name tells.
        None => query.contains(labels.metric()),
    }
}

struct Search<'a> {
    labels: &'a Labels,
    found: bool,
}

impl ExprVisitor for Search<'_> {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        let selector = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            _ => return Ok(true),
        };
        let named = selector.name.as_deref();
        self.found |= named.is_none_or(|name| name == self.labels.metric())
            && fits(&selector.matchers, self.labels);
        Ok(true)
    }
}

fn fits(matchers: &Matchers, labels: &Labels) -> bool {
    let one = |m: &promql_parser::label::Matcher| m.is_match(labels.get(&m.name));
    let any = &matchers.or_matchers;
    matchers.matchers.iter().all(one)
        && (any.is_empty() || any.iter().any(|all| all.iter().all(one)))
}
