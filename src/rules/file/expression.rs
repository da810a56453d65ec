//! The expression of a rule, whose mistakes are told with their place in the file.

use crate::document::{Place, Problem, Section};
use crate::promql::{ParseError, Query};

use super::Reading;

impl Reading<'_, '_> {
    pub(super) fn expression(&self, s: &mut Section) -> Option<Query> {
        let text = s.text("expr", "", "The expression that is evaluated.");
        if text.trim().is_empty() {
            s.problem("expr", "`expr` is missing", None);
            return None;
        }
        let error = match Query::parse(&text) {
            Ok(query) => return Some(query),
            Err(error) => error,
        };
        let begins = s.node("expr", "text", "").map(|node| node.place.clone());
        let exact = begins.and_then(|begins| exact(self.source, &begins, &text, &error));
        match exact {
            Some(place) => self.reader.report(Problem {
                path: s.path_of("expr"),
                ..Problem::at(&place, words(&error))
            }),
            None => s.problem("expr", words(&error), None),
        }
        None
    }
}

fn words(error: &ParseError) -> String {
    format!("could not parse expression: {}", error.message)
}

/// The place of a mistake, where the line of the expression that it is in stands in the file as it is: not folded, and
/// without escapes. A block begins on the line after its head.
fn exact(source: &str, begins: &Place, text: &str, error: &ParseError) -> Option<Place> {
    let before = text.get(..error.position?)?;
    let above = before.matches('\n').count();
    let line = text
        .lines()
        .nth(above)
        .filter(|line| !line.trim().is_empty())?;
    let within = before.rsplit('\n').next()?.chars().count();
    (0..2).find_map(|head| {
        let number = begins.line + above + head;
        let written = source.lines().nth(number - 1)?;
        let from = match number == begins.line {
            true => begins.column - 1,
            false => 0,
        };
        let (skipped, _) = written.char_indices().nth(from)?;
        let found = written[skipped..].find(line)?;
        let column = written[..skipped + found].chars().count() + within + 1;
        Some(Place {
            origin: begins.origin.clone(),
            line: number,
            column,
        })
    })
}
