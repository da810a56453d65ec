use super::*;
use proptest::prelude::*;

#[test]
fn literals_become_parameters() {
    let cases = [
        ("SELECT 1", "SELECT $1"),
        (
            "SELECT *\n  FROM t1 -- note\n WHERE a = 'it''s' AND b>-1.5e-3",
            "SELECT * FROM t1 WHERE a = $1 AND b>-$2",
        ),
        (
            "select E'a\\'b', B'01', x'1F', N'x', U&'\\0061' /* a /* b */ c */ , $$do$$, $t$ $$ $t$",
            "select $1, $2, $3, $4, U&$5 , $6, $7",
        ),
        (
            "SELECT \"Odd 1 Name\".c2 FROM Größe9",
            "SELECT \"Odd 1 Name\".c2 FROM Größe9",
        ),
        ("SELECT $7, $23::int", "SELECT $1, $2::int"),
        (
            "SELECT a[1:2], 0xFF, 1_000, .5, 5.",
            "SELECT a[$1:$2], $3, $4, $5, $6",
        ),
        ("SELECT foo$bar$baz", "SELECT foo$bar$baz"),
        // Cut short by the server.
        ("SELECT 'abc", "SELECT $1"),
        ("SELECT $x$abc", "SELECT $1"),
        ("SELECT $x", "SELECT $1"),
        ("SELECT 1 /* abc", "SELECT $1"),
        // Ambiguous without standard_conforming_strings.
        ("SELECT 'a\\' OR b = 'c' AND d", "SELECT $1…"),
        (
            "SET app.token TO abc; SELECT a",
            "SET app.token TO $1; SELECT a",
        ),
        ("set local app.token=abc", "set local app.token= $1"),
        ("ALTER ROLE a SET b TO c", "ALTER ROLE a SET b TO $1"),
        ("ALTER ROLE a PASSWORD 'p'", "ALTER ROLE a PASSWORD $1"),
        (
            "UPDATE t SET a = b WHERE c = d",
            "UPDATE t SET a = b WHERE c = d",
        ),
        ("", ""),
    ];
    for (sql, expected) in cases {
        assert_eq!(without_literals(sql), expected, "{sql}");
    }
}

/// A literal or comment of any kind that holds `secret`.
const WHOLE: &[&str] = &[
    "'secret'",
    "'it''s secret'",
    "E'it\\'s secret'",
    "e'secret\\\\'",
    "'C:\\secret\\'",
    "'\\' secret",
    "U&'secret'",
    "B'secret'",
    "$$secret$$",
    "$tag$ secret $$ ' $tag$",
    "$größe$secret$größe$",
    "0secret",
    "1.5secret",
    "-- secret\n",
    "/* secret /* ' */ secret */",
];

/// The same, cut short.
const OPEN: &[&str] = &[
    "",
    "'secret",
    "$$secret",
    "$t$secret$t",
    "/* secret",
    "-- secret",
    "E'secret\\",
];

/// What may stand around them.
const AROUND: &[&str] = &[
    "SELECT", "FROM t", "a", "(", ")", ",", "=", "\"q'q\"", "\n", "::text", "$1", "5", "é", "-",
    "/", ";", "E", "a$1", "U&", ".",
];

proptest! {
    #[test]
    fn no_literal_survives(
        parts in prop::collection::vec(
            (prop::sample::select(AROUND), prop::sample::select(WHOLE)),
            1..6,
        ),
        end in prop::sample::select(OPEN),
    ) {
        let parts = parts.iter().map(|(before, literal)| format!("{before} {literal} "));
        let sql = parts.collect::<String>() + end;
        let plain = without_literals(&sql);
        prop_assert!(!plain.contains("secret"), "{sql:?} became {plain:?}");
    }

    #[test]
    fn nothing_is_too_odd(sql in ".*") {
        without_literals(&sql);
    }
}
