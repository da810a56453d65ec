//! Tables that vacuum has not come to in time.

use std::collections::BTreeMap;

use super::{Desk, Finding, Topic, finding, identifier};
use crate::promql::Element;
use crate::web::overview::Tone;
use crate::web::overview::facts::values;
use crate::web::words;

/// At so many transactions PostgreSQL would mix up past and future, and stops before.
const WRAPAROUND: f64 = 2_147_483_648.0;

/// From here on PostgreSQL itself lays everything else aside (vacuum_failsafe_age).
const FAILSAFE: f64 = 1_600_000_000.0;

/// What PostgreSQL has as autovacuum_freeze_max_age unless told otherwise.
const FREEZE_AGE: f64 = 200_000_000.0;

pub(super) fn wraparound(desk: &Desk) -> Topic {
    let ages = desk.elements("sort_desc(pg_database_xid_age)");
    let limits = freeze_ages(desk);
    let limit = |element: &Element| {
        let own = limits.get(element.labels.get("instance"));
        own.copied().unwrap_or(FREEZE_AGE)
    };
    let of_databases = ages.iter().filter(|age| age.value > 1.1 * limit(age));
    let of_databases = of_databases.map(|age| Finding {
        name: age.labels.get("datname").to_owned(),
        what: distance(age.value),
        tone: tone(age.value),
        statement: "VACUUM (FREEZE, VERBOSE);".into(),
        ..finding(age)
    });
    let tables = desk.elements("sort_desc(pg_table_xid_age)");
    let of_tables = tables.iter().filter(|age| age.value > 1.1 * limit(age));
    let of_tables = of_tables.map(|age| Finding {
        what: distance(age.value),
        tone: tone(age.value),
        statement: format!("VACUUM (FREEZE, VERBOSE) {};", table(age)),
        ..finding(age)
    });
    Topic {
        id: "wraparound",
        title: "Distance to wraparound",
        meaning: "Transaction numbers are used again after two thousand million. Rows that are not frozen by then would be lost, so PostgreSQL stops taking writes before.",
        doubt: "Autovacuum freezes by itself once a table passes autovacuum_freeze_max_age; what is listed is past it by a tenth, so something holds it back: an old transaction, a replication slot, a prepared transaction (the oldest xmin), or vacuum is too slow. Freezing by hand does not help before that is gone.",
        findings: of_databases.chain(of_tables).collect(),
        calm: ages.first().map_or_else(String::new, |age| {
            format!(
                "The furthest, {} on {}, has come {} of the way.",
                age.labels.get("datname"),
                age.labels.get("instance"),
                words::share(age.value / WRAPAROUND)
            )
        }),
        unknown: desk.unknown("freeze_ages"),
        ..Topic::default()
    }
}

fn freeze_ages(desk: &Desk) -> BTreeMap<String, f64> {
    let expression = "max by (instance) (pg_settings_autovacuum_freeze_max_age)";
    values(desk.store, expression, "instance", desk.now)
}

fn distance(age: f64) -> String {
    format!(
        "{} transactions old, {} of the way to wraparound",
        words::number(age),
        words::share(age / WRAPAROUND)
    )
}

fn tone(age: f64) -> Tone {
    match age {
        age if age > FAILSAFE => Tone::Critical,
        _ => Tone::Warning,
    }
}

pub(super) fn upkeep(desk: &Desk) -> Topic {
    let due = desk.elements("sort_desc(pg_autovacuum_due_ratio > 1)");
    let due = due.iter().map(|element| Finding {
        what: overdue(element),
        tone: match element.value {
            much if much > 5.0 => Tone::Warning,
            _ => Tone::Info,
        },
        statement: remedy(element),
        ..finding(element)
    });
    let off = desk.elements("pg_autovacuum_disabled_tables > 0");
    let off = off.iter().map(|element| Finding {
        name: element.labels.get("datname").to_owned(),
        what: match element.value {
            1.0 => "autovacuum is switched off on 1 table".into(),
            count => format!("autovacuum is switched off on {} tables", words::number(count)),
        },
        tone: Tone::Warning,
        statement: "SELECT oid::regclass, reloptions FROM pg_class WHERE reloptions::text ~ 'autovacuum_enabled=';"
            .into(),
        ..finding(element)
    });
    Topic {
        id: "upkeep",
        title: "Tables overdue for vacuum or analyze",
        meaning: "By their own limits autovacuum should have come. Until it does, dead rows take room and time, and the planner guesses from old statistics.",
        doubt: "A table is due for a moment before each run, so one that is here now may be gone a minute later. One that stays needs more or faster workers (autovacuum_max_workers, autovacuum_vacuum_cost_limit), or something keeps its dead rows alive: the oldest transaction, a slot, a standby with hot_standby_feedback.",
        findings: due.chain(off).collect(),
        unknown: desk.unknown("autovacuum_queue"),
        ..Topic::default()
    }
}

fn overdue(element: &Element) -> String {
    let times = format!("{} times its own limit", words::number(element.value));
    match element.labels.get("reason") {
        "analyze" => format!("changes since the last ANALYZE are {times}"),
        "wraparound" => format!("its age is {times}"),
        "inserts" => format!("inserts since the last VACUUM are {times}"),
        reason => format!("{reason} are {times}"),
    }
}

fn remedy(element: &Element) -> String {
    let table = table(element);
    match element.labels.get("reason") {
        "analyze" => format!("ANALYZE {table};"),
        "wraparound" => format!("VACUUM (FREEZE, VERBOSE) {table};"),
        _ => format!("VACUUM (ANALYZE, VERBOSE) {table};"),
    }
}

fn table(element: &Element) -> String {
    let label = |name: &str| identifier(element.labels.get(name));
    format!("{}.{}", label("schemaname"), label("relname"))
}
