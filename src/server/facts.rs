//! What the planner needs to know about a server, read once per connection and again when it changes.

use std::collections::BTreeSet;

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
    /// Extensions installed in the configured database.
    pub extensions: BTreeSet<String>,
}

impl Facts {
    /// The major version, such as 15.
    pub fn major(&self) -> u32 {
        self.version / 10_000
    }
}
