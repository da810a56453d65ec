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
    /// All connections are taken.
    Full,
    /// The server is starting up, shutting down or recovering.
    Starting,
    /// A pooler in between refuses start-up options.
    Pooler,
    /// The connection ended.
    Lost,
    /// Anything else.
    Other,
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
