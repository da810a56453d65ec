use super::*;
use crate::sample::{Labels, Timestamp};

fn print(value: f64, source: &str) -> String {
    let labels = Labels::new([
        ("__name__", "m"),
        ("a", "1"),
        ("b", "x y"),
        ("host", "db1.example.org:5432"),
    ]);
    let query = |expression: &str| match expression {
        "none" => Ok(Vec::new()),
        "two" => Ok(vec![
            (Labels::new([("l", "z"), ("__value__", "text")]), 1.5),
            (Labels::new([("l", "k")]), 2.0),
        ]),
        other => Err(format!("cannot evaluate `{other}`")),
    };
    let input = Input {
        labels: &labels,
        value,
        external_labels: &Labels::new([("cluster", "prod")]),
        external_url: "https://pgvigil.example/watch",
        at: Timestamp(1_700_000_000_500),
        query: &query,
    };
    Template::parse(source).unwrap().print(&input)
}

fn refusal(source: &str) -> String {
    Template::parse(source)
        .map(|_| "accepted".to_owned())
        .unwrap_or_else(|error| error)
}

/// T2: the golden table, measured with promtool: value, then `$value`, humanize, humanize1024, humanizeDuration, humanizePercentage,
/// `%.2f`, `%.0f`.
#[test]
fn numbers_print_as_go_prints_them() {
    let golden = [
        (
            1234567.0,
            "1.234567e+06|1.235M|1.177Mi|14d 6h 56m 7s|1.235e+08%|1234567.00|1234567",
        ),
        (
            0.123456789,
            "0.123456789|123.5m|0.1235|123.5ms|12.35%|0.12|0",
        ),
        (
            93784.5,
            "93784.5|93.78k|91.59ki|1d 2h 3m 4s|9.378e+06%|93784.50|93784",
        ),
        (
            100000.0,
            "100000|100k|97.66ki|1d 3h 46m 40s|1e+07%|100000.00|100000",
        ),
        (-0.00042, "-0.00042|-420u|-0.00042|-420us|-0.042%|-0.00|-0"),
        (
            -1500.0,
            "-1500|-1.5k|-1.465ki|-25m 0s|-1.5e+05%|-1500.00|-1500",
        ),
        (0.0, "0|0|0|0s|0%|0.00|0"),
        (f64::NAN, "NaN|NaN|NaN|NaN|NaN%|NaN|NaN"),
        (f64::INFINITY, "+Inf|+Inf|+Inf|+Inf|+Inf%|+Inf|+Inf"),
        // Of two numbers of 16 digits that are as near, the even one.
        (
            0.000_181_674_957_275_390_63,
            "0.00018167495727539062|181.7u|0.0001817|181.7us|0.01817%|0.00|0",
        ),
    ];
    let template = r#"{{ $value }}|{{ humanize $value }}|{{ $value | humanize1024 }}|{{ $value | humanizeDuration }}|{{ humanizePercentage $value }}|{{ printf "%.2f" $value }}|{{ $value | printf "%.0f" }}"#;
    for (value, expected) in golden {
        assert_eq!(print(value, template), expected);
    }
    let large = 123456789012345680000000.0;
    let template = "{{ $value }}|{{ humanize $value }}|{{ humanize1024 $value }}|{{ humanizePercentage $value }}";
    assert_eq!(
        print(large, template),
        "1.2345678901234569e+23|123.5Z|104.6Zi|1.235e+25%"
    );
}

#[test]
fn templates_print_as_in_prometheus() {
    let cases = [
        ("plain", "plain"),
        (
            "{{ $labels }}",
            "map[__name__:m a:1 b:x y host:db1.example.org:5432]",
        ),
        (
            "{{ $labels.a }}-{{ .Labels.b }}-{{ $labels.none }}-{{ index $labels \"a\" }}",
            "1-x y--1",
        ),
        (
            "{{ $externalLabels.cluster }} {{ $externalURL }} {{ pathPrefix }}",
            "prod https://pgvigil.example/watch /watch",
        ),
        ("a {{- 1 -}} b {{/* note */}}c", "a1b c"),
        (
            "{{ if gt $value 1.0 }}high{{ else if eq $labels.a \"1\" }}one{{ else }}low{{ end }}",
            "high",
        ),
        ("{{ with $x := $labels.a }}{{ $x }}{{ . }}{{ end }}", "11"),
        (
            "{{ with $labels.none }}{{ . }}{{ else }}none{{ end }}",
            "none",
        ),
        (
            "{{ range query \"two\" }}[{{ .Labels.l }} {{ .Value }}]{{ end }}",
            "[z 1.5][k 2]",
        ),
        (
            "{{ range $i, $s := query \"two\" | sortByLabel \"l\" }}{{ $i }}{{ $s.Labels.l }} {{ end }}",
            "0k 1z ",
        ),
        (
            "{{ range query \"two\" }}{{ if eq .Value 1.5 }}{{ continue }}{{ end }}{{ .Value }}{{ break }}{{ end }}",
            "2",
        ),
        (
            "{{ range $k, $v := $labels }}{{ $k }}={{ $v }},{{ end }}",
            "__name__=m,a=1,b=x y,host=db1.example.org:5432,",
        ),
        (
            "{{ range query \"none\" }}x{{ else }}nothing{{ end }}",
            "nothing",
        ),
        (
            "{{ query \"two\" | first | value }} {{ query \"two\" | first | strvalue }} {{ query \"two\" | first | label \"l\" }}",
            "1.5 text z",
        ),
        (
            "{{ with query \"none\" }}{{ . | first | value }}{{ end }}!",
            "!",
        ),
        (
            "{{ define \"t\" }}<{{ .arg0 }} {{ .arg1 }}>{{ end }}{{ template \"t\" (args 1 \"x\") }}",
            "<1 x>",
        ),
        ("{{ block \"b\" $value }}{{ . }}{{ end }}", "1500"),
        (
            "{{ $n := 0 }}{{ range query \"two\" }}{{ $n = .Value }}{{ end }}{{ $n }}",
            "2",
        ),
        (
            "{{ and 1 0 }} {{ or 0 \"x\" }} {{ not true }} {{ len $labels }} {{ len \"abc\" }} {{ slice \"abcdef\" 1 3 }}",
            "0 x false 4 3 bc",
        ),
        (
            "{{ eq $labels.a \"0\" \"1\" }} {{ ne 1 2 }} {{ lt \"a\" \"b\" }} {{ le 2 2 }} {{ ge $value 1500.0 }}",
            "true true true true true",
        ),
        ("{{ printf \"%d\" $value }}", "%!d(float64=1500)"),
        ("{{ printf \"%s\" $value }}", "%!s(float64=1500)"),
        (
            "{{ printf \"%5.1f|%-6s|%06.2f|%+d|%x|%q|%t|%v|%e|%.4g|%T\" 2.25 \"ab\" 3.14159 7 255 \"q\" true 1e6 1234.5 0.00001234 $value }}",
            "  2.2|ab    |003.14|+7|ff|\"q\"|true|1e+06|1.234500e+03|1.234e-05|float64",
        ),
        (
            "{{ printf \"%d %s\" 1 }}{{ printf \"x\" 1 }}{{ printf \"%\" }}",
            "1 %!s(MISSING)x%!(EXTRA int=1)%!(NOVERB)",
        ),
        (
            "{{ print 1 2 \"a\" \"b\" 3 }}|{{ println 1 \"a\" }}",
            "1 2ab3|1 a\n",
        ),
        (
            "{{ html \"<a&'\" }} {{ js \"a'=b\" }} {{ urlquery \"a b&c\" }} {{ urlQueryEscape \"x=1\" }}",
            "&lt;a&amp;&#39; a\\'\\u003Db a+b%26c x%3D1",
        ),
        (
            "{{ title \"out of order\" }} {{ toUpper \"a\" }}{{ toLower \"B\" }}",
            "Out Of Order Ab",
        ),
        (
            "{{ stripPort $labels.host }} {{ stripDomain $labels.host }} {{ stripPort \"[::1]:80\" }} {{ stripDomain \"10.0.0.1:80\" }}",
            "db1.example.org db1:5432 ::1 10.0.0.1:80",
        ),
        (
            "{{ match \"^db[0-9]\" $labels.host }} {{ reReplaceAll \"(db)([0-9])\" \"$2-$1\" $labels.host }}",
            "true 1-db.example.org:5432",
        ),
        (
            "{{ graphLink \"up == 0\" }} {{ tableLink \"up\" }}",
            "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1",
        ),
        (
            "{{ humanizeTimestamp 1435065584.128 }} {{ toTime 1435065584 }} {{ toDuration 3723.5 }}",
            "2015-06-23 13:19:44.128 +0000 UTC 2015-06-23 13:19:44 +0000 UTC 1h2m3.5s",
        ),
        (
            "{{ parseDuration \"1h30m\" }} {{ now }} {{ humanizeDuration \"90\" }}",
            "5400 1.7000000005e+09 1m 30s",
        ),
        (
            "{{ `raw {{ x` }} {{ \"tab\\t\\u00e9\" }} {{ 'a' }} {{ 0x1F }} {{ 1_000 }} {{ -.5 }} {{ true }}",
            "raw {{ x tab\té 97 31 1000 -0.5 true",
        ),
        (
            "{{ (query \"two\" | first).Value }} {{ ($labels).a }} {{ $.Value }}",
            "1.5 1 1500",
        ),
        (
            "{{ safeHtml \"<b>\" }}{{ externalURL }}",
            "<b>https://pgvigil.example/watch",
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(print(1500.0, source), expected, "{source}");
    }
}

#[test]
fn a_failure_becomes_the_text() {
    let cases = [
        (
            "{{ if gt $value 1 }}x{{ end }}",
            "error calling gt: incompatible types for comparison",
        ),
        (
            "{{ query \"none\" | first | value }}",
            "error calling first: first() called on vector with no elements",
        ),
        (
            "{{ query \"bad\" }}",
            "error calling query: cannot evaluate `bad`",
        ),
        (
            "x{{ $labels.a.b }}",
            "can't evaluate field b in type string",
        ),
        ("{{ template \"none\" }}", "template \"none\" not defined"),
        (
            "{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}",
            "nested deeper than 200 levels",
        ),
        (
            "{{ title $value }}",
            "error calling title: it does not take (float64)",
        ),
        ("{{ 1 2 }}", "can't give argument to non-function"),
    ];
    for (source, cause) in cases {
        assert_eq!(
            print(1500.0, source),
            format!("<error expanding template: {cause}>"),
            "{source}"
        );
    }
}

#[test]
fn a_template_that_calls_itself_from_deep_inside_ends() {
    let (open, close) = ("{{ if true }}".repeat(90), "{{ end }}".repeat(90));
    let call = "{{ template \"t\" }}";
    let source = format!("{{{{ define \"t\" }}}}{open}{call}{close}{{{{ end }}}}{call}");
    let printed = print(0.0, &source);
    assert!(printed.contains("nested deeper than"), "{printed}");
}

#[test]
fn what_go_refuses_to_parse_is_refused() {
    let cases = [
        ("{{ nosuch $value }}", "function \"nosuch\" not defined"),
        ("{{ $label.x }}", "undefined variable \"$label\""),
        ("{{ if $value }}x", "unexpected EOF"),
        ("{{ end }}", "unexpected {{end}}"),
        ("{{ else }}", "unexpected {{else}}"),
        ("{{ }}", "missing value for command"),
        ("{{ $value", "unclosed action"),
        ("{{ ( $value }}", "unclosed left paren"),
        ("{{ \"x }}", "unterminated quoted string"),
        ("{{ 1 | 2 }}", "non executable command in pipeline stage 2"),
        ("{{ break }}", "{{break}} outside {{range}}"),
        ("{{ if }}x{{ end }}", "missing value for if"),
        (
            "{{ with $x := 1 }}{{ end }}{{ $x }}",
            "undefined variable \"$x\"",
        ),
        ("{{ 3k }}", "bad number syntax: \"3k\""),
        ("{{ $value | }}", "missing value for command"),
        ("{{/* x }}", "unclosed comment"),
        (
            "{{ define \"x\" }}{{ $value }}{{ end }}",
            "undefined variable \"$value\"",
        ),
        ("{{ tmpl \"x\" }}", "function \"tmpl\" not defined"),
    ];
    for (source, expected) in cases {
        assert_eq!(refusal(source), expected, "{source}");
    }
}
