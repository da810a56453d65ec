use std::time::Duration;

use super::*;
use crate::collectors::{Settings, load, plan};
use crate::document::{Reader, parse};
use crate::server::Facts;

fn settings(written: &str) -> Settings {
    Reader::new(None).read(&parse("x.yml", written).unwrap(), Settings::read)
}

fn planned() -> Plan {
    let keep = ["locks", "tables", "wal", "checkpointer"];
    let collectors: Vec<_> = load(&[])
        .unwrap()
        .into_iter()
        .filter(|collector| keep.contains(&&*collector.name))
        .collect();
    let databases = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
    let facts = Facts {
        version: 150_018,
        user: "mon".into(),
        databases,
        ..Facts::default()
    };
    plan(&collectors, &facts, &settings(""))
}

#[test]
fn a_plan_is_a_table_of_what_runs_and_one_of_what_does_not() {
    assert_eq!(
        explain(&planned()),
        "\
collector  interval  timeout  connection  databases
locks      15s       5s       A (held)
tables     1m        5s       B           a, b, c and 2 more

not running   because
wal           without it the WAL directory may not be listed; mend with `GRANT pg_monitor TO mon`
checkpointer  needs PostgreSQL 17 or later; this is 15
"
    );
}

#[test]
fn costs_are_summed_over_databases_and_what_failed_says_why() {
    let of = |collector: &str, database: &str, millis, outcome| Measured {
        collector: collector.into(),
        database: database.into(),
        took: Duration::from_millis(millis),
        outcome,
    };
    let measured = [
        of("locks", "", 3, Ok(27)),
        of("tables", "a", 20, Ok(40)),
        of("tables", "b", 5000, Err("no answer within 5s".into())),
        of("tables", "c", 0, Err("permission denied".into())),
        of("tables", "d", 0, Err("permission denied".into())),
    ];
    assert_eq!(
        explain_costs(&planned(), &measured, &settings("load_budget: 4%")),
        "\
collector  interval  took       of a core  series  connection  databases
locks      15s       3.0 ms     0.020%     27      A (held)
tables     1m        5020.0 ms  8.367%     40      B           5: a, b, c and 2 more

All 2 together take 5023.0 ms for 67 series, and at their intervals at most 8.387% of a core.
The load budget is 4.000% of a core.

over the budget  would be read every
tables           4m

failed                 because
tables in b            no answer within 5s
tables in 2 databases  permission denied

not running   because
wal           without it the WAL directory may not be listed; mend with `GRANT pg_monitor TO mon`
checkpointer  needs PostgreSQL 17 or later; this is 15
"
    );
}
