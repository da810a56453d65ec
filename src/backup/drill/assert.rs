//! Asks restored data whether it is what it should be.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Check;
use super::cluster::{Bench, Cluster};
use super::failure::Failure;
use super::roles::quote;
use super::settings::Settings;
use crate::backup::Table;
use crate::sample::Timestamp;

/// Rows of tables, by `schema.table`.
pub type Rows = BTreeMap<String, f64>;

/// What is known of the data from elsewhere.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Expected {
    /// The rows that the dump was seen to hold.
    pub(super) rows: Vec<Table>,
    /// How many tables and constraints its table of contents lists.
    pub(super) listed: Option<(u64, u64)>,
    /// The rows that the live server's statistics tell of.
    pub(super) live: Rows,
}

/// A table may always be so many rows from what statistics say: they are estimates.
const SLACK: f64 = 100.0;
/// Of what differs, so much is named.
const MOST_NAMED: usize = 3;
/// Tables counted by one statement.
const AT_ONCE: usize = 200;

/// Everything that can be asked. What the drill itself cannot do ends it.
pub(super) fn checks(
    bench: &Bench,
    cluster: &Cluster,
    database: &str,
    expected: &Expected,
    settings: &Settings,
) -> Result<Vec<Check>, Failure> {
    let mut checks = Vec::new();
    let mut add = |check: Option<Check>| {
        checks.extend(check);
        bench.limits.check()
    };
    add(listed(cluster, database, expected.listed))?;
    for table in &settings.tables {
        add(Some(is_there(cluster, database, table)))?;
    }
    add(same_rows(cluster, database, &expected.rows))?;
    add(settings
        .tolerance
        .and_then(|tolerance| like_live(cluster, database, &expected.live, tolerance)))?;
    for sql in &settings.assert {
        add(Some(is_true(cluster, database, sql)))?;
    }
    add(Some(intact(bench, cluster, database)))?;
    Ok(checks)
}

/// How much older the newest row is than the recovery point, in seconds, and the check that it could be found out.
pub(super) fn age(
    cluster: &Cluster,
    database: &str,
    sql: &str,
    point: Option<Timestamp>,
) -> (Option<f64>, Check) {
    let name = "the newest row has a time".to_owned();
    let question = format!(
        "SELECT extract(epoch FROM newest::text::timestamptz) FROM ({}) AS given (newest)",
        bare(sql)
    );
    let answer = match cluster.ask(database, &question) {
        Ok(answer) => answer,
        Err(failure) => return (None, failed(name, failure)),
    };
    let newest = answer.trim().parse::<f64>().ok();
    let age = newest
        .zip(point)
        .map(|(newest, point)| (point.0 as f64 / 1000.0 - newest).max(0.0));
    let found = match newest {
        Some(newest) => Timestamp((newest * 1000.0) as i64).rfc3339(),
        None => "there is no row".into(),
    };
    (
        age,
        Check {
            name,
            holds: Some(newest.is_some()),
            found,
        },
    )
}

fn bare(sql: &str) -> &str {
    sql.trim().trim_end_matches(';')
}

fn failed(name: String, failure: Failure) -> Check {
    let (holds, found) = match failure {
        Failure::Bad(words) => (Some(false), words),
        Failure::Impossible(words) => (None, words),
        Failure::Stopped => (None, "stopped".into()),
    };
    Check { name, holds, found }
}

fn listed(cluster: &Cluster, database: &str, listed: Option<(u64, u64)>) -> Option<Check> {
    const SQL: &str = "SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')), (SELECT count(*) FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace WHERE contype IN ('p', 'u', 'x', 'f') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'))";
    let (tables, constraints) = listed?;
    let name = "every table and constraint of the table of contents is there".to_owned();
    let answer = match cluster.ask(database, SQL) {
        Ok(answer) => answer,
        Err(failure) => return Some(failed(name, failure)),
    };
    let mut counts = answer
        .trim()
        .split('|')
        .map(|count| count.parse::<u64>().unwrap_or(0));
    let (has, held) = (counts.next().unwrap_or(0), counts.next().unwrap_or(0));
    let found = format!("{has} of {tables} tables, {held} of {constraints} constraints");
    Some(Check {
        name,
        holds: Some(has >= tables && held >= constraints),
        found,
    })
}

fn is_there(cluster: &Cluster, database: &str, table: &str) -> Check {
    let name = format!("table `{table}` is there");
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let condition = match table.split_once('.') {
        Some((schema, table)) => format!(
            "nspname = {} AND relname = {}",
            literal(schema),
            literal(table)
        ),
        None => format!("relname = {}", literal(table)),
    };
    let sql = format!(
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p', 'f', 'm') AND {condition}"
    );
    match cluster.ask(database, &sql) {
        Ok(count) if count != "0" => Check {
            name,
            holds: Some(true),
            found: "yes".into(),
        },
        Ok(_) => Check {
            name,
            holds: Some(false),
            found: "no".into(),
        },
        Err(failure) => failed(name, failure),
    }
}

fn same_rows(cluster: &Cluster, database: &str, rows: &[Table]) -> Option<Check> {
    if rows.is_empty() {
        return None;
    }
    let name = "every table has the rows that the dump holds".to_owned();
    let tables: Vec<(String, String)> = rows
        .iter()
        .map(|table| (table.schema.clone(), table.name.clone()))
        .collect();
    let counts = match count(cluster, database, &tables) {
        Ok(counts) => counts,
        Err(failure) => return Some(failed(name, failure)),
    };
    let pairs = rows
        .iter()
        .zip(counts)
        .filter(|(table, count)| table.rows != *count);
    let wrong: Vec<String> = pairs
        .map(|(table, count)| format!("`{table}` has {count} of {}", table.rows))
        .collect();
    let all = format!(
        "{} rows in {} tables",
        rows.iter().map(|table| table.rows).sum::<u64>(),
        rows.len()
    );
    Some(sum_up(name, &wrong, all))
}

fn like_live(cluster: &Cluster, database: &str, live: &Rows, tolerance: f64) -> Option<Check> {
    let tables: Vec<(String, String)> = live
        .keys()
        .filter_map(|name| name.split_once('.'))
        .map(|(schema, table)| (schema.to_owned(), table.to_owned()))
        .collect();
    if tables.is_empty() {
        return None;
    }
    let name = "every table has about as many rows as the live server".to_owned();
    let counts = match existing(cluster, database, &tables) {
        Ok(counts) => counts,
        Err(failure) => return Some(failed(name, failure)),
    };
    let wrong = unlike(live, &counts, tolerance);
    Some(sum_up(name, &wrong, format!("{} tables", tables.len())))
}

/// The tables whose rows are too far from those of the live server.
fn unlike(live: &Rows, counts: &Rows, tolerance: f64) -> Vec<String> {
    let judged = live
        .iter()
        .filter_map(|(table, live)| match counts.get(table) {
            Some(count) if (count - live).abs() <= (live * tolerance).max(SLACK) => None,
            Some(count) => Some(format!("`{table}` has {count}, the live server {live}")),
            // It may be younger than the backup.
            None if *live <= SLACK => None,
            None => Some(format!(
                "`{table}` is missing, the live server has {live} rows"
            )),
        });
    judged.collect()
}

/// The rows of those of the tables that exist.
fn existing(
    cluster: &Cluster,
    database: &str,
    tables: &[(String, String)],
) -> Result<Rows, Failure> {
    let all = cluster.ask(database, "SELECT quote_ident(nspname) || '.' || quote_ident(relname), nspname || '.' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p')")?;
    let names: std::collections::BTreeSet<&str> = all
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(_, name)| name)
        .collect();
    let there: Vec<(String, String)> = tables
        .iter()
        .filter(|(schema, table)| names.contains(format!("{schema}.{table}").as_str()))
        .cloned()
        .collect();
    let counts = count(cluster, database, &there)?;
    let named = there
        .iter()
        .map(|(schema, table)| format!("{schema}.{table}"));
    Ok(named
        .zip(counts.into_iter().map(|count| count as f64))
        .collect())
}

fn count(
    cluster: &Cluster,
    database: &str,
    tables: &[(String, String)],
) -> Result<Vec<u64>, Failure> {
    let mut counts = Vec::new();
    for some in tables.chunks(AT_ONCE) {
        let mut sql = String::new();
        for (place, (schema, table)) in some.iter().enumerate() {
            let union = if place == 0 { "" } else { " UNION ALL " };
            let table = if schema.is_empty() {
                quote(table)
            } else {
                format!("{}.{}", quote(schema), quote(table))
            };
            let _ = write!(sql, "{union}SELECT {place}, count(*) FROM {table}");
        }
        let answer = cluster.ask(database, &format!("{sql} ORDER BY 1"))?;
        counts.extend(
            answer
                .lines()
                .filter_map(|line| line.split_once('|')?.1.parse::<u64>().ok()),
        );
    }
    if counts.len() == tables.len() {
        Ok(counts)
    } else {
        Err(Failure::Bad("not every table could be counted".into()))
    }
}

fn sum_up(name: String, wrong: &[String], all: String) -> Check {
    if wrong.is_empty() {
        return Check {
            name,
            holds: Some(true),
            found: all,
        };
    }
    let named = wrong
        .iter()
        .take(MOST_NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let more = wrong.len().saturating_sub(MOST_NAMED);
    let found = if more == 0 {
        named
    } else {
        format!("{named} and {more} more")
    };
    Check {
        name,
        holds: Some(false),
        found,
    }
}

fn is_true(cluster: &Cluster, database: &str, sql: &str) -> Check {
    let name = bare(sql).to_owned();
    match cluster.ask(database, sql) {
        Ok(answer) if ["t", "true"].contains(&answer.as_str()) => Check {
            name,
            holds: Some(true),
            found: "true".into(),
        },
        Ok(answer) => {
            let shown: String = answer
                .chars()
                .filter(|c| !c.is_control())
                .take(100)
                .collect();
            let found = match shown.as_str() {
                "" => "no row, or NULL; one true row is asked for".into(),
                "f" | "false" => "false".into(),
                other => format!("`{other}`; one true row is asked for"),
            };
            Check {
                name,
                holds: Some(false),
                found,
            }
        }
        Err(failure) => failed(name, failure),
    }
}

/// Tables and indexes agree with each other, where this machine can check that.
fn intact(bench: &Bench, cluster: &Cluster, database: &str) -> Check {
    let name = "tables and indexes are intact (amcheck)".to_owned();
    let has_extension = cluster.ask(
        database,
        "SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'",
    );
    if !bench.installation.has("pg_amcheck")
        || bench.installation.major < 14
        || has_extension.as_deref() != Ok("1")
    {
        return Check {
            name,
            holds: None,
            found: "amcheck is not installed here".into(),
        };
    }
    let amcheck = cluster.client("pg_amcheck", database);
    let amcheck = amcheck
        .args([
            "--install-missing",
            "--heapallindexed",
            "--no-password",
            "--database",
        ])
        .arg(database);
    match amcheck.run(bench.limits, &bench.log("pg_amcheck")) {
        Ok((status, _)) if status.success() => Check {
            name,
            holds: Some(true),
            found: "yes".into(),
        },
        Ok((status, said)) => {
            let first = said
                .lines()
                .find(|line| !line.trim().is_empty())
                .unwrap_or_default();
            let found = first
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect();
            // 2 is corruption; anything else is that it could not be asked.
            Check {
                name,
                holds: (status.code() == Some(2)).then_some(false),
                found,
            }
        }
        Err(failure) => failed(name, failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_compared_with_the_live_server_within_the_tolerance() {
        let rows = |rows: &[(&str, f64)]| {
            rows.iter()
                .map(|(name, rows)| ((*name).to_owned(), *rows))
                .collect::<Rows>()
        };
        let live = rows(&[
            ("a", 1000.0),
            ("b", 10_000.0),
            ("small", 5.0),
            ("new", 100.0),
            ("gone", 101.0),
        ]);
        let counts = rows(&[("a", 900.0), ("b", 8_999.0), ("small", 0.0), ("old", 7.0)]);
        let wrong = [
            "`b` has 8999, the live server 10000",
            "`gone` is missing, the live server has 101 rows",
        ];
        assert_eq!(unlike(&live, &counts, 0.1), wrong);
    }
}
