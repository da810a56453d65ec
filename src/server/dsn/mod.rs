//! libpq's connection strings: text in, a checked [`Dsn`] out. No message quotes what was written, for a password may
//! be anywhere in a string that is malformed.

mod grammar;
mod parameters;
mod passfile;
mod target;
mod words;

use std::path::PathBuf;
use std::time::Duration;

pub(super) use parameters::Parameters;
pub(super) use target::Target;
pub use words::SslMode;
use words::word;
pub(super) use words::{ChannelBinding, SessionWanted};

use crate::document::Secret;

/// What is wrong with a connection string; never quotes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DsnError {
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub hint: String,
}

impl DsnError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        DsnError {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// A connection string, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Dsn {
    /// Where to connect, in the order of trying.
    pub targets: Vec<Target>,
    /// The role.
    pub user: String,
    /// The password written in the string.
    pub password: Option<Secret>,
    /// The database; by default named like the role.
    pub database: String,
    /// Whether and how TLS is used.
    pub tls: Tls,
    /// Which of several hosts is wanted.
    pub session: SessionWanted,
    /// Command-line options for the server, sent before pgvigil's own.
    pub options: String,
    /// The time for each connection attempt; the whole has a limit of its own.
    pub connect_timeout: Option<Duration>,
    /// The file of passwords; `~/.pgpass` when not given.
    pub passfile: Option<PathBuf>,
}

/// Whether and how TLS is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// The mode.
    pub mode: SslMode,
    /// The trusted authorities; `~/.postgresql/root.crt` when not given.
    pub roots: Option<Roots>,
    /// The client's certificate.
    pub certificate: Option<PathBuf>,
    /// The client's key.
    pub key: Option<PathBuf>,
    /// Whether the password's exchange must be tied to this very TLS session.
    pub channel_binding: ChannelBinding,
}

/// Where the trusted authorities come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// The operating system's.
    System,
    /// A PEM file.
    File(PathBuf),
}

impl Dsn {
    /// Reads a URI (`postgresql://…`) or `key=value` string.
    ///
    /// # Errors
    /// What is wrong, without quoting it.
    pub fn parse(text: &str) -> Result<Self, DsnError> {
        Dsn::from_parameters(&Parameters::parse(text)?)
    }

    /// Checks what a string said and fills in libpq's defaults.
    ///
    /// # Errors
    /// The first parameter whose value cannot be.
    fn from_parameters(parameters: &Parameters) -> Result<Self, DsnError> {
        let user = match parameters.get("user") {
            "" => system_user(),
            user => user.to_owned(),
        };
        let database = match parameters.get("dbname") {
            "" => user.clone(),
            database => database.to_owned(),
        };
        let path = |key: &str| {
            Some(parameters.get(key))
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        };
        let tls = Tls {
            mode: match parameters.get("sslmode") {
                "" if parameters.get("sslrootcert") == "system" => SslMode::VerifyFull,
                _ => word(parameters, "sslmode", &words::SSL_MODES)?,
            },
            roots: match parameters.get("sslrootcert") {
                "" => None,
                "system" => Some(Roots::System),
                file => Some(Roots::File(file.into())),
            },
            certificate: path("sslcert"),
            key: path("sslkey"),
            channel_binding: word(parameters, "channel_binding", &words::CHANNEL_BINDINGS)?,
        };
        if tls.roots == Some(Roots::System) && tls.mode != SslMode::VerifyFull {
            return Err(DsnError::new(
                "`sslrootcert=system` trusts every public authority, which says nothing without the host's name",
                "write `sslmode=verify-full`",
            ));
        }
        Ok(Dsn {
            targets: target::list(parameters)?,
            user,
            password: Some(parameters.get("password"))
                .filter(|password| !password.is_empty())
                .map(|password| Secret::Value(password.to_owned())),
            database,
            tls,
            session: word(parameters, "target_session_attrs", &words::SESSIONS)?,
            options: parameters.get("options").to_owned(),
            connect_timeout: connect_timeout(parameters.get("connect_timeout"))?,
            passfile: path("passfile"),
        })
    }

    /// The first target as `host:port`, which names a server that has no name.
    pub fn place(&self) -> String {
        self.targets.first().map(Target::place).unwrap_or_default()
    }

    /// The password for a target: the written one, else the first line of the password file that fits.
    ///
    /// # Errors
    /// The password file exists and must not be used, or cannot be read.
    pub fn password_for(
        &self,
        target: &Target,
        database: &str,
    ) -> Result<Option<String>, DsnError> {
        match &self.password {
            Some(password) => password.reveal().map(Some).map_err(|unreadable| {
                DsnError::new(
                    unreadable,
                    "the file must be readable by the user pgvigil runs as",
                )
            }),
            None => passfile::look_up(self.passfile.as_deref(), target, database, &self.user),
        }
    }
}

/// libpq's rule: zero or less is for ever, and one second is too short for it to mean.
fn connect_timeout(text: &str) -> Result<Option<Duration>, DsnError> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || {
        DsnError::new(
            "`connect_timeout` is no whole number",
            "write seconds, such as `connect_timeout=2`",
        )
    };
    let seconds: i64 = text.trim().parse().map_err(|_| wrong())?;
    Ok(u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs))
}

/// The operating system's name for the user this process runs as.
fn system_user() -> String {
    let id = rustix::process::geteuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut entries = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    entries
        .find(|fields| fields.get(2) == Some(&id.as_str()))
        .map(|fields| fields[0].to_owned())
        .or_else(|| std::env::var("USER").ok())
        .unwrap_or_else(|| "postgres".into())
}

#[cfg(test)]
mod tests;
