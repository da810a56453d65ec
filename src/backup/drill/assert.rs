//! Asks restored data whether it is what it should be.

mod rows;

use super::Check;
use super::cluster::{Bench, Cluster};
use super::failure::Failure;
use super::settings::Settings;
use crate::backup::Table;
use crate::sample::Timestamp;
pub use rows::Rows;
use rows::{like_live, same_rows};

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

/// Of what differs, so much is named.
const MOST_NAMED: usize = 3;

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
        Err(Failure::Bad(words)) => {
            let words = format!(
                "{words} (asked of the database `{database}`; `database` of the drill names another)"
            );
            failed(name, Failure::Bad(words))
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
