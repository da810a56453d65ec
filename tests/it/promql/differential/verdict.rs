//! Whether two answers are one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use pgvigil::sample::Labels;

use super::super::compare::near;
use super::peer::{Answer, Told};

const TOLERANCE: f64 = 1e-9;

/// How many warnings, or infos, Prometheus lists.
const LISTED: usize = 10;

/// In what two answers differ.
pub struct Difference {
    /// The same word for differences of one kind.
    pub kind: &'static str,
    pub detail: String,
    /// Ours and theirs, where two numbers differ.
    pub numbers: Option<(f64, f64)>,
}

impl Difference {
    fn of(kind: &'static str, ours: &impl Debug, theirs: &impl Debug) -> Difference {
        let detail = format!("ours:   {ours:?}\n  theirs: {theirs:?}");
        Difference {
            kind,
            detail,
            numbers: None,
        }
    }
}

/// In what two answers differ, if they do.
pub fn difference(text: &str, ours: &Told, theirs: &Told) -> Option<Difference> {
    let values = match (&ours.answer, &theirs.answer) {
        (Answer::Failed(kind, _), Answer::Failed(other, _)) => {
            return (kind != other)
                .then(|| Difference::of("error type", &ours.answer, &theirs.answer));
        }
        (Answer::Scalar(a), Answer::Scalar(b)) => of_points(&[(0, *a)], &[(0, *b)]),
        (Answer::Text(a), Answer::Text(b)) => (a != b).then(|| Difference::of("text", a, b)),
        (Answer::Vector(ours), Answer::Vector(theirs)) => {
            // Of equal values any may come first.
            let value = |(_, value): &(Labels, f64)| (0, *value);
            let order = |all: &[(Labels, f64)]| all.iter().map(value).collect::<Vec<_>>();
            let ordered = text.starts_with("sort");
            let in_order = || of_points(&order(ours), &order(theirs)).filter(|_| ordered);
            of_series(&single(ours), &single(theirs)).or_else(in_order)
        }
        (Answer::Matrix(ours), Answer::Matrix(theirs)) => of_series(ours, theirs),
        (ours, theirs) => Some(Difference::of("kind of answer", ours, theirs)),
    };
    values
        .or_else(|| of_texts("warnings", &ours.warnings, &theirs.warnings))
        .or_else(|| of_texts("infos", &ours.infos, &theirs.infos))
}

type SeriesPoints = (Labels, Vec<(i64, f64)>);

fn single(elements: &[(Labels, f64)]) -> Vec<SeriesPoints> {
    let series = elements
        .iter()
        .map(|(labels, value)| (labels.clone(), vec![(0, *value)]));
    series.collect()
}

fn of_series(ours: &[SeriesPoints], theirs: &[SeriesPoints]) -> Option<Difference> {
    let by_labels = |series: &[SeriesPoints]| -> BTreeMap<Labels, Vec<(i64, f64)>> {
        series.iter().cloned().collect()
    };
    let (ours, theirs) = (by_labels(ours), by_labels(theirs));
    let all: BTreeSet<&Labels> = ours.keys().chain(theirs.keys()).collect();
    all.into_iter().find_map(|labels| {
        let of = |series: &BTreeMap<Labels, Vec<(i64, f64)>>| series.get(labels).cloned();
        let found = match (of(&ours), of(&theirs)) {
            (Some(ours), Some(theirs)) => of_points(&ours, &theirs),
            (ours, theirs) => Some(Difference::of("series", &ours, &theirs)),
        }?;
        Some(Difference {
            detail: format!("{labels}\n  {}", found.detail),
            ..found
        })
    })
}

fn of_points(ours: &[(i64, f64)], theirs: &[(i64, f64)]) -> Option<Difference> {
    if ours.len() != theirs.len() {
        return Some(Difference::of("number of points", &ours, &theirs));
    }
    let mut pairs = ours.iter().zip(theirs);
    let same = |(a, b): &(&(i64, f64), &(i64, f64))| a.0 == b.0 && near(a.1, b.1, TOLERANCE);
    let (a, b) = pairs.find(|pair| !same(pair))?;
    Some(Difference {
        numbers: Some((a.1, b.1)),
        ..Difference::of("values", a, b)
    })
}

/// The same in any order; past so many Prometheus tells only how many more there are. 3.5 names a metric that has no
/// name, later ones leave it out. A number in them is told to fewer digits.
fn of_texts(kind: &'static str, ours: &[String], theirs: &[String]) -> Option<Difference> {
    if ours.len() > LISTED && theirs.len() > LISTED {
        return None;
    }
    let number = regex::Regex::new(r"got [-+0-9.e]+").unwrap();
    let rounded = |found: &regex::Captures<'_>| {
        let number: f64 = found[0]["got ".len()..].parse().unwrap_or(f64::NAN);
        format!("got {number:.9e}")
    };
    let set = |texts: &[String]| -> BTreeSet<String> {
        let texts = texts
            .iter()
            .map(|text| text.replace(" for metric name \"\"", ""));
        texts
            .map(|text| number.replace(&text, rounded).into_owned())
            .collect()
    };
    (set(ours) != set(theirs)).then(|| Difference::of(kind, &ours, &theirs))
}
