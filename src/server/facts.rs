//! What the planner needs to know about a server, read once per connection and again when it changes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Databases, Extension, ReadError, Table};

/// The state of one server as far as it decides which collectors run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// `server_version_num`, such as 150018 for 15.18.
    pub version: u32,
    /// The text of `version()`.
    pub version_text: String,
    /// Whether it is in recovery.
    pub standby: bool,
    /// The connected role.
    pub user: String,
    /// Roles whose privileges the connected role has, such as `pg_monitor`; every one of them for a superuser.
    pub privileges: BTreeSet<String>,
    /// Whether the connected role is a superuser.
    pub superuser: bool,
    /// The configured database.
    pub database: String,
    /// Databases that can be connected to, after the include and exclude patterns, templates excluded by default.
    pub databases: Vec<String>,
    /// Extensions installed in the configured database, by name.
    pub extensions: BTreeMap<String, Extension>,
}

impl Facts {
    /// The major version, such as 15.
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
  UNION ALL SELECT 'database', pg_catalog.current_database()::text
  UNION ALL SELECT 'connectable', datname::text FROM pg_catalog.pg_database
    WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2
      AND (datname NOT IN ('rdsadmin', 'cloudsqladmin', 'azure_maintenance', 'azure_sys')
           OR pg_catalog.has_database_privilege(oid, 'CONNECT'))
) AS facts(kind, value)
UNION ALL SELECT 'extension', extname::text, extversion, nspname::text
  FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace";

impl Facts {
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
