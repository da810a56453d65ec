use super::*;
use crate::document::{Problem, Reader, parse};
use crate::server::{QueryText, Table};

fn query(extra: &str) -> EvidenceQuery {
    let text = format!(
        "kind: evidence\nname: own\ndoc: Own rows.\nqueries: [{{sql: 'SELECT a, query FROM t;'}}]\n{extra}\n"
    );
    let queries = load_evidence(&[("own.yml".into(), text)]).unwrap();
    Arc::unwrap_or_clone(queries.last().unwrap().clone())
}

#[test]
fn the_built_in_files_are_valid_and_their_statements_name_schemas() {
    let relation = regex::Regex::new(r"(?:FROM|JOIN)\s+(pg_\w+)").unwrap();
    for query in load_evidence(&[]).unwrap() {
        assert_ne!(query.title, query.reads.doc, "{}", query.name());
        for statement in &query.reads.queries {
            for found in relation.captures_iter(&statement.sql) {
                assert_eq!(&found[1], "pg_catalog", "{}", query.name());
            }
        }
    }
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let cases = [
        (
            "kind: evidence\nname: slots\ndoc: A.\nqueries: [{sql: SELECT 1}]\ntimeout: 5s\nrows: 100\n",
            vec![
                "own.yml:2:7: name: there is already something to read named `slots`\n  hint: give it another name",
                "own.yml:5:10: timeout: must be no more than 2s\n  hint: who is told of an incident waits no longer for evidence",
                "own.yml:6:7: rows: `100` is no number of rows; write 1 to 50",
            ],
        ),
        (
            "kind: evidence\nname: a b\ndoc: A.\nmetrics: {}\n",
            vec![
                "own.yml:1:1: queries: must have at least one query",
                "own.yml:2:7: name: `a b` may have only letters, digits and `_`",
                "own.yml:4:1: metrics: unknown key",
            ],
        ),
        ("kind: postgresql\n", vec![]),
        ("kind: [\n", vec![]),
    ];
    for (text, expected) in cases {
        let problems = load_evidence(&[("own.yml".into(), text.into())]).err();
        let problems = problems.unwrap_or_default();
        let mut complaints: Vec<String> = problems.iter().map(Problem::to_string).collect();
        complaints.sort();
        assert_eq!(complaints, expected, "{text}");
    }
}

#[test]
fn annotations_name_queries_with_commas_or_spaces() {
    assert_eq!(named("a, b c,a\n"), ["a", "b", "c"]);
    assert!(named(" , ").is_empty());
}

#[test]
fn statements_are_bounded_in_rows_and_time() {
    let text = "timeout: 30s\ninclude: [own.yml]\noverride: {own: {timeout: 9s}}";
    let settings = Reader::new(None).read(&parse("x.yml", text).unwrap(), Settings::read);
    let facts = Facts {
        version: 180_000,
        ..Facts::default()
    };
    let run = query("rows: 3").plan(&facts, &settings).unwrap();
    assert_eq!(run.timeout, LONGEST);
    let expected = "SELECT *, pg_catalog.count(*) OVER () AS \"pgvigil rows\" FROM (\nSELECT a, query FROM t\n) AS evidence LIMIT 3";
    assert_eq!(&*run.sql, expected);
}

#[test]
fn answers_become_short_texts() {
    let mut table = Table::new(["a", "query", found::COUNT]);
    let long = "x".repeat(400);
    table.push(&[Some("  1\t"), Some("SELECT\n'secret'"), Some("40")]);
    table.push(&[None, Some(&long), Some("40")]);
    let query = query("statements: [query]\nrows: 2");
    let shown = |text| found(&query, &table, text);
    let normalized = shown(QueryText::Normalized);
    assert_eq!(normalized.columns, ["a", "query"]);
    assert_eq!(normalized.rows[0], ["  1", "SELECT $1"]);
    assert_eq!(normalized.rows[1][0], "");
    assert_eq!(normalized.rows[1][1].chars().count(), 300);
    assert_eq!(normalized.more, 38);
    assert_eq!(shown(QueryText::Full).rows[0][1], "SELECT 'secret'");
    assert_eq!(shown(QueryText::Off).columns, ["a"]);
}

#[test]
fn what_is_too_long_loses_its_last_rows() {
    let row = |text: &str| vec![text.to_owned()];
    let mut found = Found {
        columns: row("ab"),
        rows: vec![row("cdef"), row("ghij"), row("k")],
        more: 1,
    };
    assert_eq!(found.shrink(9), 6);
    assert_eq!((found.rows.len(), found.more), (1, 3));
}
