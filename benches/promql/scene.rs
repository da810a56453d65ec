//! The samples that both get.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;

use pgvigil::sample::{Labels, NAME, Source, Sources, Timestamp};
use promql_parser::label::MatchOp;
use promql_parser::parser::{self, Expr};
use promql_parser::util::{ExprVisitor, walk_expr};

/// When the samples begin; not long ago enough for anything to be forgotten.
pub const START: Timestamp = Timestamp(1_700_000_000_000);
pub const STEP: i64 = 15_000;

/// Series with as many samples each.
pub struct Scene {
    pub series: Vec<Labels>,
    pub cycles: i64,
}

impl Scene {
    /// What the default rules read, from so many servers that there are about as many series.
    pub fn of_the_rules(series: usize, cycles: i64) -> Scene {
        let read = selected(&rules());
        let servers = series.div_ceil(read.len());
        let all = (0..servers).flat_map(|server| {
            read.iter().map(move |labels| {
                labels
                    .with("server", &format!("server-{server}"))
                    .with(
                        "instance",
                        &format!("10.0.{}.{}:5432", server / 250, server % 250),
                    )
                    .with("job", "pgvigil")
            })
        });
        Scene {
            series: all.take(series).collect(),
            cycles,
        }
    }

    /// Counters, gauges and the buckets of histograms, a thousand in all: an hour and a little.
    pub fn of_a_thousand() -> Scene {
        let of = |name: &str, n: usize| {
            Labels::new([
                (NAME, name.to_owned()),
                ("server", format!("server-{}", n / 20)),
                ("relname", format!("table_{}", n % 20)),
            ])
        };
        let buckets = (0..200).flat_map(|n: usize| {
            ["0.1", "1", "+Inf"].map(|le| of("took_seconds_bucket", n).with("le", le))
        });
        let series = (0..200).map(|n| of("reads_total", n));
        let series = series.chain((0..200).map(|n| of("size_bytes", n)));
        Scene {
            series: series.chain(buckets).collect(),
            cycles: 300,
        }
    }

    pub fn at(&self, cycle: i64) -> Timestamp {
        Timestamp(START.0 + cycle * STEP)
    }

    pub fn end(&self) -> Timestamp {
        self.at(self.cycles - 1)
    }

    /// The value of a series in a cycle: some never change, some count, some waver.
    pub fn value(&self, place: usize, cycle: i64) -> f64 {
        match place % 4 {
            0 => (place % 97) as f64,
            1 | 2 => (cycle * (place as i64 % 50 + 1)) as f64,
            _ => (place as i64 * 31 + cycle * cycle % 101) as f64 / 8.0,
        }
    }
}

pub fn sources() -> Sources {
    Sources::one(Source::new("bench", "", "bench"))
}

/// The expressions of the default rules.
pub fn rules() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "yml"));
    files.sort();
    let expressions = files.iter().flat_map(|file| {
        let text = std::fs::read_to_string(file).unwrap();
        expressions(&text)
    });
    expressions.collect()
}

/// What stands behind each `expr:`, also as a block.
fn expressions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((before, first)) = line.split_once("expr:") else {
            continue;
        };
        let mut expression = first
            .trim()
            .trim_start_matches(['|', '>', '-'])
            .trim()
            .to_owned();
        let depth = before.len();
        while let Some(more) = lines
            .next_if(|line| line.len() - line.trim_start().len() > depth && !line.trim().is_empty())
        {
            expression = format!("{expression}\n{}", more.trim());
        }
        found.push(expression);
    }
    found
}

/// A series for each selector, with the labels that it asks for by their value.
fn selected(expressions: &[String]) -> Vec<Labels> {
    let mut search = Search(BTreeSet::new());
    for expression in expressions {
        let expr =
            parser::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let Ok(_) = walk_expr(&mut search, &expr);
    }
    search.0.into_iter().collect()
}

struct Search(BTreeSet<Labels>);

impl ExprVisitor for Search {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        let selector = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            _ => return Ok(true),
        };
        let name = selector.name.clone().unwrap_or_default();
        let asked = selector.matchers.matchers.iter();
        let asked = asked.filter(|matcher| matches!(matcher.op, MatchOp::Equal));
        let asked = asked.map(|matcher| (matcher.name.clone(), matcher.value.clone()));
        self.0
            .insert(Labels::new(asked.chain([(NAME.to_owned(), name)])));
        Ok(true)
    }
}
