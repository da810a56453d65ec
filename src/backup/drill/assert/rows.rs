//! Holds the rows of restored tables against those of the dump, and of the live server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{failed, sum_up};
use crate::backup::Table;
use crate::backup::drill::Check;
use crate::backup::drill::cluster::Cluster;
use crate::backup::drill::failure::Failure;
use crate::backup::drill::roles::quote;

/// Rows of tables, by `schema.table`.
pub type Rows = BTreeMap<String, f64>;

/// A table may always be so many rows from what statistics say: they are estimates.
const SLACK: f64 = 100.0;
/// Tables counted by one statement.
const AT_ONCE: usize = 200;

pub(super) fn same_rows(cluster: &Cluster, database: &str, rows: &[Table]) -> Option<Check> {
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

pub(super) fn like_live(
    cluster: &Cluster,
    database: &str,
    live: &Rows,
    tolerance: f64,
) -> Option<Check> {
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
    let names: BTreeSet<&str> = all
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
