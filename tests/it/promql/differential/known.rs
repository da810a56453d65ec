//! Where pgvigil differs from this Prometheus on purpose: mostly what 3.5 does otherwise than the 3.14 whose scripts the
//! conformance runner reads.

use std::collections::BTreeSet;

use pgvigil::sample::{Labels, NAME};

use super::peer::{Answer, Told};
use super::verdict::{self, Difference};

/// Says whether a difference is meant.
type Known = fn(&str, &Difference, &Told, &Told) -> bool;

const KNOWN: &[Known] = &[
    refused_parameter,
    constant_parameter,
    fraction_below,
    names_come_back,
    merged,
    logarithm_of_the_smallest,
    place_of_parentheses,
    met_and_left_out,
    rounded_deviation,
];

/// Whether the answers may differ.
pub fn is_deliberate(text: &str, difference: &Difference, ours: &Told, theirs: &Told) -> bool {
    KNOWN
        .iter()
        .any(|known| known(text, difference, ours, theirs))
}

/// A parameter of topk and bottomk that is no number is an error since 3.6, even over nothing.
fn refused_parameter(_: &str, _: &Difference, ours: &Told, _: &Told) -> bool {
    let says = [
        "Parameter value is NaN",
        "overflows int64",
        "underflows int64",
    ];
    matches!(&ours.answer, Answer::Failed(_, m) if says.iter().any(|says| m.contains(says)))
}

/// Prometheus takes an aggregation over what is held by `@` as constant, although its parameter is not, and a parameter
/// that is held for `NaN` after the first moment.
fn constant_parameter(text: &str, _: &Difference, _: &Told, theirs: &Told) -> bool {
    let mut with_parameter = ["topk", "bottomk", "quantile"].iter();
    let of_a_range = match &theirs.answer {
        Answer::Matrix(_) => true,
        Answer::Failed(_, message) => message.starts_with("Scalar value NaN"),
        _ => false,
    };
    text.contains('@') && of_a_range && with_parameter.any(|name| text.contains(name))
}

/// A fraction from below the lowest bound on is a number since 3.6.
fn fraction_below(text: &str, difference: &Difference, _: &Told, _: &Told) -> bool {
    let theirs_is_nan = difference
        .numbers
        .is_some_and(|(_, theirs)| theirs.is_nan());
    text.contains("histogram_fraction") && theirs_is_nan
}

/// 3.5 forgets that a name was to go where a subquery, a comparison or a set operator passes its series on
/// (prometheus#18397).
fn names_come_back(_: &str, _: &Difference, ours: &Told, theirs: &Told) -> bool {
    let nameless = |told: &Told| {
        let strip = |labels: &Labels| labels.with(NAME, "");
        let answer = match &told.answer {
            Answer::Vector(all) => {
                Answer::Vector(all.iter().map(|(l, v)| (strip(l), *v)).collect())
            }
            Answer::Matrix(all) => Answer::Matrix(
                all.iter()
                    .map(|(l, points)| (strip(l), points.clone()))
                    .collect(),
            ),
            other => other.clone(),
        };
        Told {
            answer,
            ..told.clone()
        }
    };
    let named = |answer: &Answer| match answer {
        Answer::Vector(all) => all
            .iter()
            .filter(|(labels, _)| !labels.metric().is_empty())
            .count(),
        Answer::Matrix(all) => all
            .iter()
            .filter(|(labels, _)| !labels.metric().is_empty())
            .count(),
        _ => 0,
    };
    named(&ours.answer) < named(&theirs.answer)
        && verdict::difference("", &nameless(ours), &nameless(theirs)).is_none()
}

/// Where two series become one without their names and are never there at once, 3.5 fails over a range.
fn merged(_: &str, _: &Difference, ours: &Told, theirs: &Told) -> bool {
    let refused = "vector cannot contain metrics with the same labelset";
    matches!(&theirs.answer, Answer::Failed(_, message) if message == refused)
        && matches!(ours.answer, Answer::Matrix(_))
}

/// Go's logarithm on this processor takes all numbers below the smallest normal one for that, and so does its power.
fn logarithm_of_the_smallest(text: &str, difference: &Difference, _: &Told, _: &Told) -> bool {
    let mut by_logarithm = ["ln(", "log2(", "log10(", "^"].iter();
    text.contains("5e-324")
        && difference.kind == "values"
        && by_logarithm.any(|name| text.contains(name))
}

/// 3.5 says of a constant in parentheses where the parentheses are, of another term where it is itself.
fn place_of_parentheses(text: &str, difference: &Difference, ours: &Told, theirs: &Told) -> bool {
    let place = regex::Regex::new(r" \(\d+:\d+\)$").unwrap();
    let placeless = |told: &Told| -> BTreeSet<String> {
        let all = told.warnings.iter().chain(&told.infos);
        all.map(|said| place.replace(said, "").replace(" for metric name \"\"", ""))
            .collect()
    };
    text.contains("((")
        && matches!(difference.kind, "warnings" | "infos")
        && placeless(ours) == placeless(theirs)
}

/// That many meet one is an error also where a comparison then leaves one of them or none; 3.5 looks at what is left.
fn met_and_left_out(_: &str, _: &Difference, ours: &Told, theirs: &Told) -> bool {
    let refused = "multiple matches for labels";
    matches!(&ours.answer, Answer::Failed(_, message) if message.starts_with(refused))
        && !matches!(theirs.answer, Answer::Failed(..))
}

/// How far values lie apart that are large and close to each other hangs on the order in which they are added.
fn rounded_deviation(text: &str, difference: &Difference, _: &Told, _: &Told) -> bool {
    let is_rounding = |(ours, theirs): (f64, f64)| {
        let apart = (ours - theirs).abs();
        apart < 1e-6 * ours.abs().max(theirs.abs()) || apart < 1e-12
    };
    (text.contains("stddev") || text.contains("stdvar"))
        && difference.numbers.is_some_and(is_rounding)
}
