//! Why a server could not be reached, in words that name the thing, the cause and the way out.

/// The ways in which connecting fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The settings cannot be used: a connection string, password file or certificate.
    Settings,
    /// The host name does not resolve, or there is no such socket.
    Address,
    /// Nothing listens there.
    Refused,
    /// Nobody answered in time.
    Silent,
    /// TLS could not be agreed on, or the certificate is not trusted.
    Tls,
    /// The password is wrong or missing.
    Password,
    /// The role does not exist or may not connect.
    Role,
    /// The database does not exist.
    Database,
    /// The role may not enter the database.
    Entry,
    /// All connections are taken.
    Full,
    /// The role or the database has as many connections as its own limit lets it.
    Limit,
    /// The server is starting up or recovering.
    Starting,
    /// The server is shutting down.
    Stopping,
    /// A pooler in between refuses start-up options.
    Pooler,
    /// The user may not use PgBouncer's console.
    Console,
    /// The connection ended.
    Lost,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Whether it lasts until a person changes something, so that there is no use in trying again at once.
    pub fn needs_a_person(self) -> bool {
        matches!(
            self,
            Trouble::Settings
                | Trouble::Tls
                | Trouble::Password
                | Trouble::Role
                | Trouble::Database
                | Trouble::Entry
                | Trouble::Pooler
                | Trouble::Console
        )
    }

    /// The way out that each of them usually has.
    fn hint(self) -> Option<&'static str> {
        match self {
            Trouble::Address => Some("check the host (or socket directory) and the port in `url`"),
            Trouble::Refused => Some(
                "check that the server runs, listens on this address (`listen_addresses`) and uses this port",
            ),
            Trouble::Silent => {
                Some("check firewalls between here and the server, and whether it hangs")
            }
            Trouble::Tls => Some(
                "check `sslmode` and `sslrootcert` in `url` against the server's `ssl` settings and certificate",
            ),
            Trouble::Password => Some(
                "set `password_file`, `~/.pgpass` or the password in `url`, and check it with psql",
            ),
            Trouble::Role => Some(
                "`pgvigil grants` prints the role to create; `pg_hba.conf` must let it in from this address",
            ),
            Trouble::Database => Some("check the database name in `url`"),
            Trouble::Entry => Some(
                "run `GRANT CONNECT ON DATABASE` for the role, or name another database in `url`",
            ),
            Trouble::Full => {
                Some("grant `pg_use_reserved_connections` to the role (PostgreSQL 16 and later)")
            }
            Trouble::Limit => Some(
                "raise it with `ALTER ROLE` (or `ALTER DATABASE`) `… CONNECTION LIMIT n`, or stop the other pgvigil that connects as this role",
            ),
            Trouble::Starting => Some("wait; if it lasts, the server's log says what it is doing"),
            Trouble::Stopping => Some("wait until it is started again"),
            Trouble::Pooler => {
                Some("let the pooler pass `options`, or connect to the server itself")
            }
            Trouble::Console => {
                Some("name the user in `stats_users` of pgbouncer.ini, then `RELOAD`")
            }
            Trouble::Settings | Trouble::Lost | Trouble::Other => None,
        }
    }
}

/// A failure to reach a server; never with a secret in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {cause}")]
pub struct ServerError {
    /// Which of the ways it is.
    pub trouble: Trouble,
    /// What was tried, such as ``cannot connect to `db:5432` as `mon` ``.
    pub what: String,
    /// Why it failed.
    pub cause: String,
    /// The way out, where there is one to name.
    pub hint: Option<String>,
}

impl ServerError {
    /// A failure with the hint that usually helps.
    pub(super) fn new(trouble: Trouble, what: String, cause: String) -> Self {
        let hint = trouble.hint().map(str::to_owned);
        ServerError {
            trouble,
            what,
            cause,
            hint,
        }
    }

    /// Sorts what went wrong between the first byte and the end of authentication.
    pub(super) fn from_connecting(what: String, error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(told) => {
                let trouble = trouble_of(told.code().code(), told.message());
                let cause = format!("{} ({})", told.message(), told.code().code());
                ServerError::new(trouble, what, cause)
            }
            None => {
                let cause = source_text(error);
                ServerError::new(trouble_of_transport(error, &cause), what, cause)
            }
        }
    }
}

fn trouble_of(code: &str, message: &str) -> Trouble {
    match code {
        "28P01" => Trouble::Password,
        "28000" => Trouble::Role,
        "42501" => Trouble::Entry,
        "3D000" => Trouble::Database,
        "53300" if message.starts_with("too many connections for") => Trouble::Limit,
        "53300" => Trouble::Full,
        // One code for both: only the words, where they are English, tell one from the other.
        "57P03" if message.contains("shutting down") => Trouble::Stopping,
        "57P03" => Trouble::Starting,
        "57P01" | "57P02" => Trouble::Stopping,
        "08P01" if message == "not allowed" => Trouble::Console,
        _ if message.contains("unsupported startup parameter") => Trouble::Pooler,
        _ => Trouble::Other,
    }
}

/// tokio-postgres keeps its kinds to itself, so that its words and sources must tell.
fn trouble_of_transport(error: &tokio_postgres::Error, cause: &str) -> Trouble {
    let words = error.to_string();
    if words.contains("TLS") || cause.contains("certificate") || cause.contains("fatal alert") {
        Trouble::Tls
    } else if words.contains("authentication") || words.contains("configuration") {
        Trouble::Password
    } else {
        Trouble::Lost
    }
}

/// The innermost cause, or the error's own words when there is none.
fn source_text(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_refusals_are_told_apart() {
        let cases = [
            ("28P01", "password authentication failed", Trouble::Password),
            ("28000", "no pg_hba.conf entry for host", Trouble::Role),
            ("3D000", "database \"x\" does not exist", Trouble::Database),
            (
                "53300",
                "too many connections for role \"pgvigil\"",
                Trouble::Limit,
            ),
            ("53300", "sorry, too many clients already", Trouble::Full),
            (
                "57P03",
                "the database system is starting up",
                Trouble::Starting,
            ),
            (
                "57P03",
                "the database system is not yet accepting connections",
                Trouble::Starting,
            ),
            (
                "57P03",
                "the database system is shutting down",
                Trouble::Stopping,
            ),
            (
                "08P01",
                "unsupported startup parameter: options",
                Trouble::Pooler,
            ),
            ("08P01", "not allowed", Trouble::Console),
            ("XX000", "anything", Trouble::Other),
        ];
        for (code, message, trouble) in cases {
            assert_eq!(trouble_of(code, message), trouble, "{code} {message}");
        }
    }
}
