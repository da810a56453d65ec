//! What a function makes of labels, and which values it is not meant for.

use super::expression::Reading;
use super::labels::LabelSet;
use super::vector::{Nature, Vector};
use crate::promql::expr::{Call, Expr, Selector};
use crate::sample::NAME;
use crate::store::Test;

/// Complains of arguments that a function makes no sense of.
pub(super) fn check(reading: &mut Reading<'_>, call: &Call, arguments: &[Vector]) {
    let name = call.function.name();
    let range = call.arguments.iter().zip(arguments);
    let range = range
        .filter(|(expr, _)| matches!(expr, Expr::Matrix(..) | Expr::Subquery(_)))
        .map(|(_, vector)| &vector.nature)
        .next();
    match (name, range) {
        ("rate" | "increase" | "irate", Some(Nature::Gauge(gauge))) => {
            let message = format!(
                "`{name}` of `{gauge}`, which is a gauge: whenever it falls, that is taken for a reset of a counter"
            );
            reading.find(
                message,
                "use `delta` or `deriv`, or `max_over_time` of the gauge itself",
            );
        }
        ("delta" | "idelta" | "deriv", Some(Nature::Counter(counter))) => {
            let message =
                format!("`{name}` of `{counter}`, which is a counter: a reset is taken for a fall");
            reading.find(message, "use `increase` or `rate`");
        }
        ("timestamp", _) if !matches!(call.arguments.first(), Some(Expr::Vector(_))) => {
            let message = "`timestamp` of an expression is always the moment of evaluation; only of a plain selector \
                           it is the time of the sample";
            reading.find(
                message.into(),
                "name a metric alone, or one that holds the moment as its value",
            );
        }
        _ => {}
    }
}

/// What a call gives.
pub(super) fn value(call: &Call, arguments: &[Vector]) -> Vector {
    let name = call.function.name();
    // The vector among the arguments: the last that may be one, for parameters of quantiles come first.
    let operand = call
        .arguments
        .iter()
        .zip(arguments)
        .find(|(expr, _)| !matches!(expr, Expr::Number(_) | Expr::Text(_)) && is_vector(expr))
        .map(|(_, vector)| vector);
    let labels = operand.map_or_else(LabelSet::default, |vector| vector.labels.clone());
    let nature = operand.map_or(Nature::Other, |vector| vector.nature.clone());
    match name {
        "time" | "pi" | "scalar" | "vector" => Vector::bare(),
        "absent" | "absent_over_time" => Vector::with(absent(call.arguments.first())),
        "histogram_quantile" | "histogram_fraction" => Vector::with(labels.without("le")),
        "label_replace" => Vector {
            nature,
            labels: replaced(labels, &call.arguments),
        },
        "label_join" => Vector {
            nature,
            labels: match call.arguments.get(1) {
                Some(Expr::Text(label)) => labels.perhaps_with(label),
                _ => LabelSet::unknown(),
            },
        },
        "abs" | "ceil" | "floor" | "round" | "sort" | "sort_desc" | "last_over_time"
        | "max_over_time" | "min_over_time" | "clamp_min" => Vector { nature, labels },
        _ => Vector::with(labels),
    }
}

fn is_vector(expr: &Expr) -> bool {
    use crate::promql::Kind;
    matches!(expr.kind(), Kind::Vector | Kind::Matrix)
}

/// `absent` has the labels that its argument asks for with `=`.
fn absent(argument: Option<&Expr>) -> LabelSet {
    let Some(Expr::Vector(Selector { matchers, .. }) | Expr::Matrix(Selector { matchers, .. }, _)) =
        argument
    else {
        return LabelSet::default();
    };
    let mut labels = LabelSet::default();
    for matcher in matchers.iter().filter(|matcher| matcher.name != NAME) {
        let of_this_name = matchers.iter().filter(|other| other.name == matcher.name);
        if let (Test::Equal(value), 1) = (&matcher.test, of_this_name.count())
            && !value.is_empty()
        {
            labels = labels.with(&matcher.name, Some(value));
        }
    }
    labels
}

/// `label_replace(v, label, replacement, source, pattern)`: a label that the pattern does not fit stays as it is.
fn replaced(labels: LabelSet, arguments: &[Expr]) -> LabelSet {
    let [
        _,
        Expr::Text(label),
        Expr::Text(replacement),
        _,
        Expr::Text(pattern),
    ] = arguments
    else {
        return LabelSet::unknown();
    };
    let always = [".*", "(.*)", ""].contains(&pattern.as_str());
    match replacement.is_empty() {
        true if always => labels.without(label),
        false if always && !replacement.contains('$') => labels.with(label, Some(replacement)),
        _ => labels.perhaps_with(label),
    }
}
