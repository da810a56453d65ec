use proptest::prelude::*;

use super::*;

#[test]
fn wrong_expressions_are_refused() {
    let cases = [
        ("foo bar", "unexpected identifier \"bar\""),
        (
            "rate(foo)",
            "expected type matrix in call to function 'rate', got vector",
        ),
        (
            "ln(0)",
            "expected type vector in call to function 'ln', got scalar",
        ),
        (
            "1 > 2",
            "comparisons between scalars must use BOOL modifier",
        ),
        (
            "{a=\"1\" or b=\"2\"}",
            "unexpected \"or\" in label matching, expected \",\" or \"}\"",
        ),
        (
            "mad_over_time(a[5m])",
            "function \"mad_over_time\" is experimental and not evaluated",
        ),
        (
            "histogram_avg(a)",
            "function \"histogram_avg\" works on native histograms, which are not evaluated",
        ),
        (
            "limitk(1, a)",
            "aggregation \"limitk\" is experimental and not evaluated",
        ),
        (
            "a * fill(0) b",
            "the fill modifiers are experimental and not evaluated",
        ),
    ];
    for (text, message) in cases {
        let refused = parse(text, None).map_err(|error| error.message);
        assert_eq!(refused.err().as_deref(), Some(message), "{text}");
    }
}

const WORDS: &[&str] = &[
    "a",
    "rate",
    "sum",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "=",
    "=~",
    "\"x\"",
    "'\\xff'",
    "5m",
    "0s",
    "0",
    "1e30",
    "-1",
    "Inf",
    "NaN",
    "+",
    "-",
    "*",
    "/",
    "^",
    ">",
    "bool",
    "and",
    "on",
    "by",
    "group_left",
    "offset",
    "@",
    ":",
    ",",
    "start",
    "topk",
    "label_replace",
    "0x",
    "1e",
    ".",
    "#",
    "é",
    "\\",
];

proptest! {
    #[test]
    fn no_text_makes_it_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..12), glue in prop::sample::select(vec!["", " "])) {
        let _ = parse(&words.join(glue), None);
    }

    #[test]
    fn no_characters_make_it_panic(text in "\\PC{0,40}") {
        let _ = parse(&text, None);
    }
}
