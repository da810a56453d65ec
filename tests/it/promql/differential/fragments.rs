//! The pieces that expressions are made of.

use proptest::prelude::*;
use proptest::sample::select;

use super::series::{LAST, START};

/// Texts that come one as often as the other; the first is the simplest.
pub fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

const METRICS: &[&str] = &[
    "temperature",
    "requests_total",
    "small",
    "odd",
    "epoch",
    "info",
    "latency_bucket",
    "broken_bucket",
    "latency_sum",
    "sparse",
    "once",
    "nothing",
];

const MATCHERS: &[&str] = &[
    "job=\"api\"",
    "job!=\"api\"",
    "instance=\"a\"",
    "instance=~\"a|b\"",
    "instance!~\"a|c\"",
    "instance=~\"(?i)A\"",
    "job=~\"a.*\"",
    "job=~\"\"",
    "code=\"\"",
    "code=~\"5..\"",
    "le=\"1\"",
    "instance!=\"\"",
    "none=\"\"",
    "job=~\".+\"",
];

const NAMELESS: &[&str] = &[
    "{__name__=~\"temperature|small\"}",
    "{__name__=~\"requests.*\",instance=\"a\"}",
    "{\"größe\"}",
    "{\"größe\",\"län gs\"=\"x\"}",
    "{job=\"api\"}",
    "{__name__=~\"latency_.*\",job=\"api\"}",
    "{__name__!=\"\",instance=\"b\"}",
];

/// A selector without modifiers.
pub fn selector() -> BoxedStrategy<String> {
    let matchers = prop::collection::vec(select(MATCHERS), 0..3);
    let named = (select(METRICS), matchers).prop_map(|(name, matchers)| match matchers.len() {
        0 => name.to_owned(),
        _ => format!("{name}{{{}}}", matchers.join(",")),
    });
    prop_oneof![9 => named, 2 => one_of(NAMELESS)].boxed()
}

/// `offset` and `@`, mostly neither.
pub fn modifiers() -> BoxedStrategy<String> {
    let at = (START - 300..LAST + 600, 0..1000u32).prop_map(|(s, ms)| format!(" @ {s}.{ms:03}"));
    let at = prop_oneof![
        one_of(&[" @ start()", " @ end()"]),
        at,
        one_of(&[" @ 0", " @ 1.6e9"]),
    ];
    let offset = one_of(&[
        " offset 1m",
        " offset 5m",
        " offset -1m",
        " offset 17s",
        " offset 0s",
        " offset 1m30s",
        " offset -7s500ms",
        " offset 90",
    ]);
    prop_oneof![
        12 => Just(String::new()),
        2 => offset.clone(),
        1 => at.clone(),
        1 => (offset, at).prop_map(|(offset, at)| format!("{offset}{at}")),
    ]
    .boxed()
}

/// The length of a range.
pub fn range() -> BoxedStrategy<String> {
    one_of(&[
        "5m", "1m", "30s", "15s", "2m30s", "1h", "10m", "300", "45s1ms", "1ms", "7m", "1e2", "0x5A",
    ])
}

/// The length and the step of a subquery.
pub fn steps() -> BoxedStrategy<String> {
    one_of(&[
        "5m:1m", "5m:", "10m:30s", "1m:15s", "3m:17s", "1m:5m", "90:45", "2m:1m1ms",
    ])
}

/// A number as it is written.
pub fn number() -> BoxedStrategy<String> {
    prop_oneof![
        4 => one_of(&["1", "0", "2", "0.5", "3", "0.9", "10", "100"]),
        2 => one_of(&["-1", "1.5", "-0.5", "1e3", "1e-3", "0x1F", "5m", "1h30m", "1_000", ".5", "-0"]),
        1 => one_of(&["NaN", "Inf", "-Inf", "+Inf", "1e300", "5e-324", "1e-9", "9007199254740993"]),
        1 => (-1000..1000i32, 1..999u32).prop_map(|(a, b)| format!("{a}.{b}")),
    ]
    .boxed()
}

/// A quoted text.
pub fn text() -> BoxedStrategy<String> {
    one_of(&[
        "\"x\"",
        "\"\"",
        "'a\\'b'",
        "`r\\aw`",
        "\"ü\\u00e4\\n\"",
        "\"$1\"",
        "\"a.*\"",
    ])
}

/// Some labels, in parentheses.
pub fn labels() -> BoxedStrategy<String> {
    one_of(&[
        "(job)",
        "(instance)",
        "()",
        "(job, instance)",
        "(job,instance,code)",
        "(le)",
        "(__name__)",
        "(none)",
        "(\"län gs\")",
        "(job,)",
    ])
}

/// `by` or `without`.
pub fn grouping() -> BoxedStrategy<String> {
    let clause = (one_of(&["by", "without"]), labels());
    prop_oneof![
        2 => Just(String::new()),
        5 => clause.prop_map(|(word, labels)| format!(" {word} {labels} ")),
    ]
    .boxed()
}

/// How the elements of two vectors find each other.
pub fn matching() -> BoxedStrategy<String> {
    let clause = (one_of(&["on", "ignoring"]), labels());
    let clause = clause.prop_map(|(word, labels)| format!("{word} {labels} "));
    let group = (
        one_of(&["group_left", "group_right"]),
        one_of(&[" ", "() ", "(version) ", "(code, none) "]),
    );
    let group = group.prop_map(|(word, labels)| format!("{word}{labels}"));
    prop_oneof![
        3 => Just(String::new()),
        3 => clause.clone(),
        3 => (clause, group).prop_map(|(clause, group)| format!("{clause}{group}")),
    ]
    .boxed()
}

/// `on` or `ignoring` for set operators.
pub fn set_matching() -> BoxedStrategy<String> {
    let clause = (one_of(&["on", "ignoring"]), labels());
    prop_oneof![
        2 => Just(String::new()),
        3 => clause.prop_map(|(word, labels)| format!("{word} {labels} ")),
    ]
    .boxed()
}

/// The arguments of `label_replace` after its vector.
pub fn replacing() -> BoxedStrategy<String> {
    let target = one_of(&[
        "\"new\"",
        "\"job\"",
        "\"__name__\"",
        "\"instance\"",
        "\"\"",
        "\"ü\"",
        "\"a-b\"",
    ]);
    let with = one_of(&[
        "\"$1\"",
        "\"x\"",
        "\"\"",
        "\"${1}-$2\"",
        "\"$name\"",
        "\"$$1\"",
        "\"$1x\"",
    ]);
    let from = one_of(&[
        "\"job\"",
        "\"instance\"",
        "\"none\"",
        "\"__name__\"",
        "\"le\"",
    ]);
    let pattern = one_of(&[
        "\"(.*)\"",
        "\"(a)(.*)\"",
        "\"\"",
        "\"b\"",
        "\"(?P<name>.+)\"",
        "\"(\"",
        "\"a|(b)\"",
        "\"(?i:A)p.\"",
    ]);
    (target, with, from, pattern)
        .prop_map(|(target, with, from, pattern)| format!("{target},{with},{from},{pattern}"))
        .boxed()
}

/// The arguments of `label_join` after its vector.
pub fn joining() -> BoxedStrategy<String> {
    one_of(&[
        "\"new\",\"-\",\"job\",\"instance\"",
        "\"new\",\"\",\"none\"",
        "\"job\",\",\",\"instance\",\"job\",\"code\"",
        "\"__name__\",\"_\",\"job\",\"instance\"",
        "\"new\",\"-\"",
        "\"\",\"-\",\"job\"",
        "\"instance\",\"\",\"none\"",
    ])
}
