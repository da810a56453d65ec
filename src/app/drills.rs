//! What restore drills are told of the live servers: the rows of their tables, from the store alone.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::backup::drill::Rows;
use crate::sample::Timestamp;
use crate::store::{Matcher, Store, Test};

/// Statistics older than this tell nothing of the data.
const OLDEST: Duration = Duration::from_secs(86_400);

/// The rows that the newest statistics of a server tell of, by `schema.table`; of one database, or of the only one.
pub fn live_rows(store: &Store, now: Timestamp, server: &str, database: Option<&str>) -> Rows {
    let equal = |name: &str, value: &str| Matcher {
        name: name.into(),
        test: Test::Equal(value.into()),
    };
    let matchers = [
        equal("__name__", "pg_stat_user_tables_n_live_tup"),
        equal("server", server),
    ];
    let mut databases: BTreeMap<String, Rows> = BTreeMap::new();
    for latest in store.latest(&matchers, now.before(OLDEST), now) {
        let label = |wanted: &str| {
            let mut labels = latest.labels.iter();
            labels
                .find(|(name, _)| &**name == wanted)
                .map(|(_, value)| value.to_string())
                .unwrap_or_default()
        };
        let table = format!("{}.{}", label("schemaname"), label("relname"));
        if latest.value.is_finite() {
            databases
                .entry(label("datname"))
                .or_default()
                .insert(table, latest.value);
        }
    }
    match database {
        Some(database) => databases.remove(database).unwrap_or_default(),
        None if databases.len() == 1 => databases.into_values().next().unwrap_or_default(),
        None => Rows::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Labels, Source, Sources};
    use crate::store::Settings;

    #[test]
    fn rows_are_those_of_one_database_of_one_server() {
        let limits = Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 20,
        };
        let now = Timestamp(1_000_000);
        let store = Store::new(&limits, Timestamp(0));
        let add = |server: &str, database: &str, table: &str, rows: f64| {
            let labels = Labels::new([
                ("__name__", "pg_stat_user_tables_n_live_tup"),
                ("server", server),
                ("datname", database),
                ("schemaname", "public"),
                ("relname", table),
            ]);
            store.append(
                now,
                &Sources::one(Source::new(server, database, "tables")),
                [(labels, rows)],
            );
        };
        add("a", "shop", "users", 40.0);
        add("b", "other", "users", 1.0);
        let rows = |server: &str, database: Option<&str>| {
            live_rows(&store, now, server, database)
                .into_iter()
                .collect::<Vec<_>>()
        };
        let users = vec![("public.users".to_owned(), 40.0)];
        assert_eq!(rows("a", None), users);
        assert_eq!(rows("a", Some("shop")), users);
        assert_eq!(rows("a", Some("other")), vec![]);
        add("a", "more", "users", 3.0);
        assert_eq!(rows("a", None), vec![], "of several none is meant");
        assert_eq!(rows("a", Some("shop")), users);
    }
}
