use super::*;

fn check(text: &str) -> Vec<String> {
    let problems = load(&[("own.yml".into(), text.into())]).err();
    problems
        .unwrap_or_default()
        .iter()
        .map(Problem::to_string)
        .collect()
}

#[test]
fn the_built_in_files_are_valid_and_named_as_their_collectors() {
    let collectors = load(&[]).unwrap();
    let names: Vec<&str> = collectors
        .iter()
        .map(|collector| &*collector.name)
        .collect();
    let files: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, files);
}

#[test]
fn a_users_own_file_is_read_like_a_built_in_one() {
    let text = "name: jobs\ndoc: Jobs.\nqueries: [{sql: SELECT 1 AS waiting;}]\nmetrics: {jobs_waiting: {from: waiting, help: Jobs that wait.}}\n";
    let collectors = load(&[("own.yml".into(), text.into())]).unwrap();
    let jobs = collectors.last().unwrap();
    assert_eq!(jobs.queries[0].sql, "SELECT 1 AS waiting");
    assert!(jobs.enabled && jobs.lifetime == 3);
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let queries = "queries: [{sql: SELECT 1}]";
    let metrics = "metrics: {x: {from: x, help: X.}}";
    let cases = [
        (
            format!("name: a\ndoc: A.\nscop: server\n{queries}\n{metrics}\n"),
            vec!["own.yml:3:1: scop: unknown key\n  hint: did you mean `scope`?"],
        ),
        (
            format!(
                "name: locks\ndoc: A.\ninterval: often\n{queries}\nmetrics: {{pg_locks_count: {{from: x, help: X.}}}}\n"
            ),
            vec![
                "own.yml:1:7: name: there is already a collector `locks`\n  hint: give it another name; `collect.disable` turns the other one off",
                "own.yml:3:11: interval: `often` is no interval; write `4x` for four times `collect.interval`, or a duration such as `5m`",
                "own.yml:5:10: metrics: `pg_locks_count` already comes from collector `locks`",
            ],
        ),
        (
            format!(
                "name: a\ndoc: A.\nqueries:\n  - {{until: 15, sql: 'SELECT ${{limit}}'}}\n  - {{since: 15, sql: SELECT 1}}\n{metrics}\n"
            ),
            vec![
                "own.yml:4:3: queries: two of them are for PostgreSQL 15\n  hint: end the older one with `until`",
                "own.yml:4:22: queries[0].sql: there is no setting `${limit}`\n  hint: there is `${extension}`, `${long_query}`",
            ],
        ),
        (
            format!(
                "name: a\ndoc: A.\nlabels: [job]\n{queries}\nmetrics:\n  9x: {{from: x, help: X.}}\n  y: {{from: x, value: 1, type: summary, until: 12}}\n"
            ),
            vec![
                "own.yml:6:3: metrics: `y` is for versions that no query reads",
                "own.yml:6:7: metrics.9x.labels: label `job` is pgvigil's own\n  hint: rename the column with AS",
                "own.yml:6:7: metrics.9x: `9x` is no metric name: letters, digits, `_` and `:` only, and no digit first",
                "own.yml:7:6: metrics.y: needs either `from` or `value`\n  hint: `from` names a column, `value: 1` is a constant",
                "own.yml:7:6: metrics.y.help: `help` is missing\n  hint: what it says, one sentence",
                "own.yml:7:6: metrics.y.labels: label `job` is pgvigil's own\n  hint: rename the column with AS",
                "own.yml:7:32: metrics.y.type: `summary` is none of gauge, counter, histogram, unknown",
            ],
        ),
        (
            "name: a b\n".to_owned(),
            vec![
                "own.yml:1:1: doc: `doc` is missing\n  hint: what the collector watches, one sentence",
                "own.yml:1:1: queries: must have at least one query",
                "own.yml:1:1: metrics: must have at least one metric",
                "own.yml:1:7: name: `a b` may have only letters, digits and `_`",
            ],
        ),
        (
            format!("name: a\ndoc: A.\nscope: database\n{queries}\n{metrics}\n"),
            vec![
                "own.yml:5:10: metrics: `x` is read in every database and needs the label `datname`\n  hint: add `current_database() AS datname` to the statement and `datname` to the labels",
            ],
        ),
        (
            "name: a\ndoc: A.\nqueries: [{extension: '1.8', sql: SELECT 1}]\nmetrics:\n  x: {from: x, help: X., aliases: [pg_locks_count, 9y]}\n  z_{x}: {from: x, help: Z., aliases: [z]}\n".to_owned(),
            vec![
                "own.yml:3:10: queries: name an extension that the collector does not need\n  hint: name it with `extension` beside `queries`",
                "own.yml:5:3: metrics: `pg_locks_count` already comes from collector `locks`",
                "own.yml:5:35: metrics.x.aliases: `9y` is no metric name",
                "own.yml:6:39: metrics.z_{x}.aliases: `z_{x}` is made from the row and can have no older names",
            ],
        ),
        (
            format!(
                "name: a\ndoc: A.\nkind: pgbouncer\nscope: database\nlabels: [datname]\n{queries}\n{metrics}\n"
            ),
            vec![
                "own.yml:4:8: scope: is for PostgreSQL only\n  hint: leave `scope` out: the console of a PgBouncer shows all databases",
            ],
        ),
        (
            "name: a\ndoc: A.\nlookup: {of: locks, label: queryid}\nqueries: [{sql: SELECT 1}]\nmetrics: {x: {from: x, help: X.}}\n".to_owned(),
            vec![
                "own.yml:3:9: lookup: collector `locks` shows no label `queryid`",
                "own.yml:4:10: queries: do not ask for the values that are looked up\n  hint: write for instance `WHERE id IN (${unknown})`",
                "own.yml:5:10: metrics: `x` needs the label `queryid`, whose values are looked up",
            ],
        ),
        ("name: [\n".to_owned(), vec![]),
    ];
    for (text, expected) in cases {
        let mut complaints = check(&text);
        let mut expected: Vec<String> = expected.into_iter().map(String::from).collect();
        if expected.is_empty() {
            assert_eq!(complaints.len(), 1, "{text}");
            continue;
        }
        complaints.sort();
        expected.sort();
        assert_eq!(complaints, expected, "{text}");
    }
}

#[test]
fn statements_name_their_relations_with_a_schema() {
    let relation = regex::Regex::new(r"(?:FROM|JOIN)\s+(pg_\w+)").unwrap();
    for collector in load(&[]).unwrap() {
        for query in &collector.queries {
            for found in relation.captures_iter(&query.sql) {
                assert_eq!(&found[1], "pg_catalog", "{}", collector.name);
            }
        }
    }
}
