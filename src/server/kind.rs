//! The kinds of server that speak PostgreSQL's protocol.

use super::pulse;

/// What a server is, which decides what it can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// PostgreSQL itself.
    #[default]
    PostgreSql,
    /// A PgBouncer, asked on its console, which knows `SHOW` and takes no settings.
    PgBouncer,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::PostgreSql => "PostgreSQL",
            Kind::PgBouncer => "PgBouncer",
        }
    }

    /// A major version as people write it: 15, or 1.18 for the 118 of PgBouncer.
    pub fn release(self, major: u32) -> String {
        match self {
            Kind::PostgreSql => major.to_string(),
            Kind::PgBouncer => format!("{}.{}", major / 100, major % 100),
        }
    }

    /// What it is asked for a sign of life.
    pub(super) fn sign_of_life(self) -> &'static str {
        match self {
            Kind::PostgreSql => pulse::SQL,
            Kind::PgBouncer => "SHOW VERSION",
        }
    }
}
