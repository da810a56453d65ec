//! The reasons for which a collector does not run, in words and with the way out.

use std::fmt;

use super::{Privilege, Role};
use crate::server::{ExtensionVersion, Kind, quoted};

/// Why a collector does not run; its `Display` is for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Named in `collect.disable`.
    Disabled,
    /// Off by default and not named in `collect.enable`.
    NotEnabled,
    /// All it gives are older names, and `collect.aliases` is off.
    Aliases,
    /// The server is older than the first query or newer than the last.
    Version {
        /// What the server is.
        kind: Kind,
        /// The first major version it can read.
        since: u32,
        /// The server's.
        major: u32,
    },
    /// It makes sense on the other role only.
    Role(Role),
    /// Its extension is not installed.
    Extension {
        /// The extension.
        name: String,
        /// The database in which it is missing.
        database: String,
    },
    /// Its extension is installed in a version that no query is for.
    ExtensionVersion {
        /// The extension.
        name: String,
        /// The version that is installed.
        installed: ExtensionVersion,
    },
    /// The connected role lacks a privilege.
    Privilege {
        /// What it lacks.
        missing: Privilege,
        /// The statement that mends it.
        grant: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Disabled => f.write_str("disabled by `collect.disable`"),
            Reason::NotEnabled => f.write_str("off by default; name it in `collect.enable`"),
            Reason::Aliases => f.write_str("gives older names only; set `collect.aliases: true`"),
            Reason::Version { kind, since, major } => {
                let (name, this) = (kind.name(), kind.release(*major));
                if major < since {
                    let since = kind.release(*since);
                    write!(f, "needs {name} {since} or later; this is {this}")
                } else {
                    write!(f, "has nothing to read on {name} {this}")
                }
            }
            Reason::Role(Role::Standby) => f.write_str("runs on standbys only"),
            Reason::Role(_) => f.write_str("runs on primaries only"),
            Reason::Extension { name, database } => write!(
                f,
                "extension `{name}` is not installed in database `{database}`"
            ),
            Reason::ExtensionVersion { name, installed } => write!(
                f,
                "extension `{name}` is too old at version {installed}; mend with `ALTER EXTENSION {} UPDATE`",
                quoted(name)
            ),
            Reason::Privilege { missing, grant } => {
                let (reason, place) = (&missing.reason, missing.place());
                write!(f, "{reason}; mend with `{grant}`{place}")
            }
        }
    }
}
