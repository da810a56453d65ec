//! Random expressions, of the right types mostly.

use proptest::prelude::*;
use proptest::sample::select;

use super::fragments::{
    grouping, joining, labels, matching, modifiers, number, one_of, range, replacing, selector,
    set_matching, steps, text,
};
use super::term::{Term, Type};

use Type::{Matrix, Scalar, Text, Vector};

/// How deep terms are nested.
const DEPTH: usize = 3;

/// Terms of each type that are nested no deeper than a level.
#[derive(Clone)]
struct Level {
    vector: BoxedStrategy<Term>,
    matrix: BoxedStrategy<Term>,
    scalar: BoxedStrategy<Term>,
}

/// Any expression.
pub fn expression() -> BoxedStrategy<Term> {
    let mut level = Level::leaves();
    for _ in 0..DEPTH {
        level = level.next();
    }
    prop_oneof![
        40 => level.vector.clone(),
        4 => level.scalar.clone(),
        1 => level.matrix.clone(),
        1 => texts(),
        1 => fraction(&level),
        2 => wrong(&level),
    ]
    .boxed()
}

/// 3.5 often gives NaN for these, which is let pass; within other terms it could not be told.
fn fraction(level: &Level) -> BoxedStrategy<Term> {
    let buckets = one_of(&["latency_bucket", "rate(change_bucket[5m])", "broken_bucket"]);
    let buckets = buckets.prop_map(|text| Term::leaf(Vector, text)).boxed();
    let fraction = call(&["histogram_fraction"], "#, #, #");
    made(Vector, fraction, [&level.scalar, &level.scalar, &buckets])
}

fn texts() -> BoxedStrategy<Term> {
    text().prop_map(|text| Term::leaf(Text, text)).boxed()
}

/// A pattern, and a strategy for each of its terms.
fn made<const N: usize>(
    gives: Type,
    pattern: impl Strategy<Value = String> + 'static,
    terms: [&BoxedStrategy<Term>; N],
) -> BoxedStrategy<Term> {
    let terms: Vec<BoxedStrategy<Term>> = terms.into_iter().cloned().collect();
    (pattern, terms)
        .prop_map(move |(pattern, terms)| Term::new(gives, &pattern, terms))
        .boxed()
}

fn call(names: &'static [&'static str], arguments: &'static str) -> BoxedStrategy<String> {
    select(names)
        .prop_map(move |name| format!("{name}({arguments})"))
        .boxed()
}

const OF_RANGES: &[&str] = &[
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "deriv",
    "changes",
    "resets",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "last_over_time",
    "present_over_time",
    "absent_over_time",
];

const OF_VALUES: &[&str] = &[
    "abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "round", "acos", "acosh",
    "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh", "tan", "tanh", "deg", "rad",
];

const OF_VECTORS: &[&str] = &["absent", "sort", "sort_desc", "timestamp"];

const OF_DATES: &[&str] = &[
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "hour",
    "minute",
    "month",
    "year",
];

const AGGREGATIONS: &[&str] = &[
    "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar",
];
/// Of equal values these take any, so they are given different ones.
const FEW: &[&str] = &["topk", "bottomk"];

impl Level {
    fn leaves() -> Level {
        let vector = (selector(), modifiers()).prop_map(|(s, m)| Term::leaf(Vector, s + &m));
        let matrix = (selector(), range(), modifiers())
            .prop_map(|(s, range, m)| Term::leaf(Matrix, format!("{s}[{range}]{m}")));
        let scalar = prop_oneof![6 => number(), 1 => one_of(&["time()", "pi()"])];
        Level {
            vector: vector.boxed(),
            matrix: matrix.boxed(),
            scalar: scalar.prop_map(|text| Term::leaf(Scalar, text)).boxed(),
        }
    }

    fn next(&self) -> Level {
        let Level {
            vector: v,
            matrix,
            scalar: s,
        } = self;
        let vector = prop_oneof![
            3 => v.clone(),
            5 => self.of_ranges(),
            4 => self.of_vectors(),
            2 => self.of_labels(),
            2 => self.of_buckets(),
            5 => self.aggregations(),
            5 => self.operators(),
        ];
        let subquery = (steps(), modifiers()).prop_map(|(s, m)| format!("(#)[{s}]{m}"));
        let number_operator = operator().prop_map(|op| format!("# {op} #"));
        let comparison = comparison().prop_map(|op| format!("# {op} bool #"));
        let scalar = prop_oneof![
            4 => s.clone(),
            2 => made(Scalar, Just("scalar(#)".into()), [v]),
            2 => made(Scalar, number_operator, [s, s]),
            1 => made(Scalar, comparison, [s, s]),
            1 => made(Scalar, one_of(&["-#", "(#)", "-(#)"]), [s]),
        ];
        Level {
            matrix: prop_oneof![3 => matrix.clone(), 1 => made(Matrix, subquery, [v])].boxed(),
            vector: vector.boxed(),
            scalar: scalar.boxed(),
        }
    }

    fn of_ranges(&self) -> BoxedStrategy<Term> {
        let Level {
            matrix: m,
            scalar: s,
            ..
        } = self;
        prop_oneof![
            8 => made(Vector, call(OF_RANGES, "#"), [m]),
            2 => made(Vector, call(&["quantile_over_time"], "#, #"), [s, m]),
            1 => made(Vector, call(&["predict_linear"], "#, #"), [m, s]),
            1 => made(Vector, call(&["double_exponential_smoothing"], "#, #, #"), [m, s, s]),
        ]
        .boxed()
    }

    fn of_vectors(&self) -> BoxedStrategy<Term> {
        let Level {
            vector: v,
            scalar: s,
            ..
        } = self;
        prop_oneof![
            4 => made(Vector, call(OF_VALUES, "#"), [v]),
            2 => made(Vector, call(OF_VECTORS, "#"), [v]),
            1 => made(Vector, call(OF_DATES, "#"), [v]),
            1 => made(Vector, call(OF_DATES, ""), []),
            1 => made(Vector, call(&["clamp_min", "clamp_max", "round"], "#, #"), [v, s]),
            1 => made(Vector, call(&["clamp"], "#, #, #"), [v, s, s]),
            1 => made(Vector, call(&["vector"], "#"), [s]),
            1 => made(Vector, one_of(&["-#", "+#", "(#)", "-(#)"]), [v]),
        ]
        .boxed()
    }

    fn of_labels(&self) -> BoxedStrategy<Term> {
        let replace = replacing().prop_map(|rest| format!("label_replace(#,{rest})"));
        let join = joining().prop_map(|rest| format!("label_join(#,{rest})"));
        prop_oneof![
            made(Vector, replace, [&self.vector]),
            made(Vector, join, [&self.vector]),
        ]
        .boxed()
    }

    fn of_buckets(&self) -> BoxedStrategy<Term> {
        let Level {
            vector: v,
            scalar: s,
            ..
        } = self;
        let buckets = one_of(&[
            "latency_bucket",
            "rate(latency_bucket[5m])",
            "sum by (le) (rate(latency_bucket[5m]))",
            "broken_bucket",
            "sum without (instance) (broken_bucket)",
            "{__name__=~\"latency_bucket|broken_bucket\"}",
        ]);
        let change = Just(Term::leaf(Vector, "rate(change_bucket[5m])"));
        let buckets = buckets.prop_map(|text| Term::leaf(Vector, text));
        let buckets = prop_oneof![5 => buckets, 1 => change, 1 => v.clone()].boxed();
        made(Vector, call(&["histogram_quantile"], "#, #"), [s, &buckets])
    }

    fn aggregations(&self) -> BoxedStrategy<Term> {
        let Level {
            vector: v,
            scalar: s,
            ..
        } = self;
        let placed = |(name, grouping, first, of): (&str, String, bool, &str)| match first {
            true => format!("{name}{grouping}({of})"),
            false => format!("{name}({of}){grouping}"),
        };
        let plain = (select(AGGREGATIONS), grouping(), any::<bool>());
        let plain = plain.prop_map(move |(n, g, first)| placed((n, g, first, "#")));
        let few = (select(FEW), grouping(), any::<bool>());
        let few = few.prop_map(move |(n, g, first)| placed((n, g, first, "#, #")));
        let quantile = (grouping(), any::<bool>());
        let quantile = quantile.prop_map(move |(g, first)| placed(("quantile", g, first, "#, #")));
        let different = different();
        // Values that become labels have to be equal to the last digit.
        let whole = made(
            Vector,
            one_of(&["ceil(#)", "floor(#)", "round(#)", "sgn(#)"]),
            [v],
        );
        let label = one_of(&["\"value\"", "\"job\"", "\"ü\"", "\"\"", "\"__name__\""]);
        let values = (label, grouping()).prop_map(|(l, g)| format!("count_values{g}({l}, #)"));
        prop_oneof![
            6 => made(Vector, plain, [v]),
            2 => made(Vector, few, [s, &different]),
            1 => made(Vector, quantile, [s, v]),
            1 => made(Vector, values, [&whole]),
        ]
        .boxed()
    }

    fn operators(&self) -> BoxedStrategy<Term> {
        let Level {
            vector: v,
            scalar: s,
            ..
        } = self;
        let any_operator = prop_oneof![2 => operator(), 1 => comparison(), 1 => comparison().prop_map(|op| op + " bool")].boxed();
        let both = (any_operator.clone(), matching()).prop_map(|(op, m)| format!("# {op} {m}#"));
        let apart =
            (any_operator.clone(), matching()).prop_map(|(op, m)| format!("(#) {op} {m}(#)"));
        let set = (one_of(&["and", "or", "unless"]), set_matching());
        let set = set.prop_map(|(op, m)| format!("(#) {op} {m}(#)"));
        let mixed = any_operator.prop_map(|op| format!("# {op} #")).boxed();
        prop_oneof![
            3 => made(Vector, both, [v, v]),
            2 => made(Vector, apart, [v, v]),
            2 => made(Vector, set, [v, v]),
            2 => made(Vector, mixed.clone(), [v, s]),
            2 => made(Vector, mixed, [s, v]),
        ]
        .boxed()
    }
}

/// A vector whose elements hardly have equal values.
fn different() -> BoxedStrategy<Term> {
    let selector = one_of(&[
        "temperature",
        "requests_total",
        "requests_total{job=\"api\"}",
        "latency_sum",
        "sparse",
        "{\"größe\"}",
    ]);
    let selector = (selector, modifiers()).prop_map(|(s, m)| Term::leaf(Vector, s + &m));
    let around = one_of(&["#", "# * 2", "-#", "1 - #", "sum without (code) (#)"]);
    made(Vector, around, [&selector.boxed()])
}

fn operator() -> BoxedStrategy<String> {
    one_of(&["+", "-", "*", "/", "%", "^", "atan2"])
}

fn comparison() -> BoxedStrategy<String> {
    one_of(&["==", "!=", ">", "<", ">=", "<="])
}

/// What has the wrong type, or is no expression.
fn wrong(level: &Level) -> BoxedStrategy<Term> {
    let Level {
        vector: v,
        matrix: m,
        scalar: s,
    } = level;
    let t = texts();
    let broken = labels().prop_map(|labels| format!("sum by {labels} #"));
    prop_oneof![
        made(Vector, call(OF_RANGES, "#"), [v]),
        made(Vector, call(OF_VALUES, "#"), [m]),
        made(Vector, call(AGGREGATIONS, "#"), [s]),
        made(Vector, call(AGGREGATIONS, "#"), [&t]),
        made(Vector, call(&["nonsense", "sum_over", "RATE"], "#"), [m]),
        made(
            Vector,
            operator().prop_map(|op| format!("# {op} #")),
            [v, &t]
        ),
        made(
            Vector,
            operator().prop_map(|op| format!("# {op} #")),
            [m, v]
        ),
        made(
            Vector,
            comparison().prop_map(|op| format!("# {op} #")),
            [s, s]
        ),
        made(Vector, one_of(&["# and #", "# or on (job) #"]), [s, v]),
        made(
            Vector,
            one_of(&[
                "#[5m]",
                "# offset 5m",
                "# @ 5",
                "#[5m:0s]",
                "#{}",
                "# #",
                "#)"
            ]),
            [v]
        ),
        made(
            Vector,
            one_of(&["rate(#, #)", "histogram_quantile(#, #)", "topk(#, #)"]),
            [v, s]
        ),
        made(Vector, broken, [v]),
    ]
    .boxed()
}
