use super::*;

fn told(text: &str) -> String {
    match series(text) {
        Err(cause) => format!("error: {cause}"),
        Ok((labels, points)) => {
            let each = points.iter().map(|point| match point {
                None => "_".into(),
                Some(value) if crate::sample::is_stale(*value) => "stale".into(),
                Some(value) => value.to_string(),
            });
            format!("{labels} {}", each.collect::<Vec<String>>().join(" "))
        }
    }
}

#[test]
fn series_are_read_as_promtool_reads_them() {
    let cases = [
        ("m 1 2 3", "m 1 2 3"),
        ("m 0+10x3", "m 0 10 20 30"),
        ("m 5-2x2 -1-1x1", "m 5 3 1 -1 -2"),
        ("m 7x2", "m 7 7 7"),
        ("m _ _x2 1 stale _", "m _ _ _ 1 stale _"),
        ("m 1e2+.5x1 -Inf NaN +inf", "m 100 100.5 -inf NaN inf"),
        ("m 010 08 1_000 5.", "m 8 8 1000 5"),
        ("m 0x3", "m 0 0 0 0"),
        ("m", "m "),
        ("m   1 \t 2  ", "m 1 2"),
        (r#"a:b{c="d", e='f"',} 1"#, r#"a:b{c="d", e="f\""} 1"#),
        (r#"{__name__="m"} 1"#, "m 1"),
        (r#"{"a.b", "c.d"="\u00e9\n"} 1"#, r#"a.b{c.d="é\n"} 1"#),
        ("m {} 1", "error: unexpected `{}` where a number should be"),
        (
            "m 1+2",
            "error: the text ends where `x` and a count should be",
        ),
        (
            "m 1 x 2",
            "error: `x` is no value; write a number, `_` or `stale`",
        ),
        (
            "m 1 + 2x3",
            "error: unexpected `+` where a number should be",
        ),
        ("m 1x1.5", "error: unexpected `.5` where a count should be"),
        (
            "m{a=b} 1",
            "error: unexpected `b}` where a quoted text should be",
        ),
        (
            "m{} {{schema:0}}",
            "error: native histograms (`{{…}}`) are not evaluated here, numbers alone are",
        ),
        (
            "m 1x99999999999",
            "error: more than 5000000 values in one series",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn labels_of_a_sample_may_be_none() {
    for text in ["", "{}", " { } "] {
        assert_eq!(labels(text), Ok(Labels::default()), "{text}");
    }
    assert_eq!(labels(r#"m {a="b"}"#).unwrap().to_string(), r#"m{a="b"}"#);
    assert!(labels(r#"m{a="b"} 5"#).is_err());
}
