//! What the planner needs to know about a server, read once per connection and again when it changes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Databases, Extension, Kind, ReadError, Table};

/// The state of one server as far as it decides which collectors run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// PostgreSQL or PgBouncer. Of a PgBouncer nothing more is known than its version.
    pub kind: Kind,
    /// `server_version_num`, such as 150018 for 15.18; likewise 1180001 for PgBouncer 1.18.1.
    pub version: u32,
    /// The text of `version()`, or what PgBouncer answers to `SHOW VERSION`, such as `PgBouncer 1.18.0`.
    pub version_text: String,
    /// Whether it is in recovery.
    pub standby: bool,
    /// The connected role.
    pub user: String,
    /// Roles whose privileges the connected role has, such as `pg_monitor`, and its rights to call functions of
    /// `pg_catalog` that not everybody may call, such as `EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir()`; every one of
    /// them for a superuser.
    pub privileges: BTreeSet<String>,
    /// Whether the connected role is a superuser.
    pub superuser: bool,
    /// The configured database.
    pub database: String,
    /// Databases that can be connected to, after the include and exclude patterns, templates excluded by default.
    pub databases: Vec<String>,
    /// Databases that let nobody in, after the same patterns.
    pub closed: Vec<String>,
    /// How many databases the patterns, or the provider of a managed service, leave out.
    pub excluded: usize,
    /// Extensions installed in the configured database, by name.
    pub extensions: BTreeMap<String, Extension>,
}

impl Facts {
    /// The major version, such as 15; of PgBouncer 1.18 it is 118.
    pub fn major(&self) -> u32 {
        self.version / 10_000
    }
}

/// Every fact as kind and value, an extension with its version and schema. Databases of managed services that nobody may
/// enter are left out; any other that refuses is visited all the same, so that it is named.
pub(super) const SQL: &str = "
SELECT *, NULL AS version, NULL AS schema FROM (
  SELECT 'version', pg_catalog.current_setting('server_version_num')
  UNION ALL SELECT 'version_text', pg_catalog.version()
  UNION ALL SELECT 'standby', pg_catalog.pg_is_in_recovery()::text
  UNION ALL SELECT 'user', current_user::text
  UNION ALL SELECT 'superuser', rolsuper::text FROM pg_catalog.pg_roles WHERE rolname = current_user
  UNION ALL SELECT 'privilege', rolname::text FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE')
  UNION ALL SELECT 'privilege', 'EXECUTE ON FUNCTION pg_catalog.' || oid::regprocedure FROM pg_catalog.pg_proc
    WHERE proacl IS NOT NULL AND pronamespace = 'pg_catalog'::regnamespace
      AND pg_catalog.has_function_privilege(oid, 'EXECUTE')
  UNION ALL SELECT 'database', pg_catalog.current_database()::text
  UNION ALL SELECT CASE WHEN datname IN ('rdsadmin', 'cloudsqladmin', 'azure_maintenance', 'azure_sys')
                             AND NOT pg_catalog.has_database_privilege(oid, 'CONNECT') THEN 'withheld'
                        WHEN datallowconn AND datconnlimit <> -2 THEN 'connectable' ELSE 'closed' END, datname::text
    FROM pg_catalog.pg_database WHERE NOT datistemplate
) AS facts(kind, value)
UNION ALL SELECT 'extension', extname::text, extversion, nspname::text
  FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace";

impl Facts {
    /// From a PgBouncer's answer to `SHOW VERSION`.
    ///
    /// # Errors
    /// The answer names no PgBouncer.
    pub(super) fn from_console(table: &Table) -> Result<Facts, ReadError> {
        let text = table.first().unwrap_or_default();
        match text.strip_prefix("PgBouncer ").and_then(version_number) {
            Some(version) => Ok(Facts {
                kind: Kind::PgBouncer,
                version,
                version_text: text.to_owned(),
                ..Facts::default()
            }),
            None => Err(ReadError::Connection(
                "what answers is no PgBouncer of 1.12 or later".into(),
            )),
        }
    }

    /// From the answer to [`SQL`].
    ///
    /// # Errors
    /// The answer has no version, so that it did not come from PostgreSQL.
    pub(super) fn from_table(table: &Table, admitted: &Databases) -> Result<Facts, ReadError> {
        let mut facts = Facts::default();
        for row in table.rows() {
            let (Some(kind), Some(value)) = (row.cell(0), row.cell(1)) else {
                continue;
            };
            let value = value.to_owned();
            match kind {
                "version" => facts.version = value.parse().unwrap_or_default(),
                "version_text" => facts.version_text = value,
                "standby" => facts.standby = value == "true",
                "user" => facts.user = value,
                "superuser" => facts.superuser = value == "true",
                "privilege" => {
                    facts.privileges.insert(value);
                }
                "database" => facts.database = value,
                "connectable" if admitted.admit(&value) => facts.databases.push(value),
                "closed" if admitted.admit(&value) => facts.closed.push(value),
                "connectable" | "closed" | "withheld" => facts.excluded += 1,
                "extension" => {
                    let extension = Extension {
                        version: row
                            .cell(2)
                            .and_then(|version| version.parse().ok())
                            .unwrap_or_default(),
                        schema: row.cell(3).unwrap_or_default().to_owned(),
                    };
                    facts.extensions.insert(value, extension);
                }
                _ => {}
            }
        }
        facts.databases.sort();
        if facts.version == 0 {
            return Err(ReadError::Connection(
                "the server does not say which PostgreSQL it is".into(),
            ));
        }
        Ok(facts)
    }
}

/// `1.18.1` as 1180001; whatever follows the numbers is left out.
fn version_number(text: &str) -> Option<u32> {
    let mut numbers = text.split('.').map(|part| {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse::<u32>().ok())
    });
    let (first, second) = (numbers.next()??, numbers.next()??);
    let third = numbers.next().flatten().unwrap_or_default();
    Some((first * 100 + second) * 10_000 + third)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_pgbouncer_are_numbers() {
        let cases = [
            ("1.18.0", Some(1_180_000)),
            ("1.24.1", Some(1_240_001)),
            ("1.25.0-dev", Some(1_250_000)),
            ("2.0rc1", Some(2_000_000)),
            ("one", None),
        ];
        for (text, number) in cases {
            assert_eq!(version_number(text), number, "{text}");
        }
    }
}
