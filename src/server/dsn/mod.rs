//! libpq's connection strings: text in, a checked [`Dsn`] out. No message quotes what was written, for a password may
//! be anywhere in a string that is malformed.

mod parameters;
mod passfile;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use parameters::Parameters;

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

/// One host to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name, address or socket directory, as written; what a certificate must name.
    pub host: String,
    /// The address to use instead of looking the name up.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

impl Target {
    /// Whether it is a directory with a Unix socket.
    pub fn is_socket(&self) -> bool {
        self.address.is_none() && self.host.starts_with('/')
    }

    /// The socket's path inside its directory.
    pub fn socket(&self) -> PathBuf {
        PathBuf::from(format!("{}/.s.PGSQL.{}", self.host, self.port))
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// libpq's six ways of using TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SslMode {
    /// Never.
    Disable,
    /// Only where the server insists.
    Allow,
    /// Where the server offers it.
    #[default]
    Prefer,
    /// Always, whoever answers.
    Require,
    /// Always, with a certificate signed by a trusted authority.
    VerifyCa,
    /// Always, with a certificate signed by a trusted authority for this very host.
    VerifyFull,
}

const MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

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
}

/// Where the trusted authorities come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// The operating system's.
    System,
    /// A PEM file.
    File(PathBuf),
}

/// libpq's `target_session_attrs`. A server that takes writes is a primary; one that does not is a standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionWanted {
    /// The first that answers.
    #[default]
    Any,
    /// One that is not in recovery.
    Primary,
    /// One that is in recovery.
    Standby,
    /// One that is in recovery if there is one, else the first that answers.
    PreferStandby,
}

const SESSIONS: [(&str, SessionWanted); 6] = [
    ("any", SessionWanted::Any),
    ("read-write", SessionWanted::Primary),
    ("primary", SessionWanted::Primary),
    ("read-only", SessionWanted::Standby),
    ("standby", SessionWanted::Standby),
    ("prefer-standby", SessionWanted::PreferStandby),
];

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
                _ => word(parameters, "sslmode", &MODES)?,
            },
            roots: match parameters.get("sslrootcert") {
                "" => None,
                "system" => Some(Roots::System),
                file => Some(Roots::File(file.into())),
            },
            certificate: path("sslcert"),
            key: path("sslkey"),
        };
        if tls.roots == Some(Roots::System) && tls.mode != SslMode::VerifyFull {
            return Err(DsnError::new(
                "`sslrootcert=system` trusts every public authority, which says nothing without the host's name",
                "write `sslmode=verify-full`",
            ));
        }
        Ok(Dsn {
            targets: targets(parameters)?,
            user,
            password: Some(parameters.get("password"))
                .filter(|password| !password.is_empty())
                .map(|password| Secret::Value(password.to_owned())),
            database,
            tls,
            session: word(parameters, "target_session_attrs", &SESSIONS)?,
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

/// libpq's pairing of `host`, `hostaddr` and `port` lists.
fn targets(parameters: &Parameters) -> Result<Vec<Target>, DsnError> {
    let list = |key: &str| -> Vec<String> {
        match parameters.get(key) {
            "" => Vec::new(),
            text => text.split(',').map(|part| part.trim().to_owned()).collect(),
        }
    };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(DsnError::new(
            format!(
                "there are {} hosts but {} addresses in `hostaddr`",
                hosts.len(),
                addresses.len()
            ),
            "give one address for each host",
        ));
    }
    let count = hosts.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(DsnError::new(
            format!("there are {} ports for {count} hosts", ports.len()),
            "give one port for all, or one for each host",
        ));
    }
    (0..count)
        .map(|place| {
            let address = match addresses.get(place).map_or("", String::as_str) {
                "" => None,
                text => Some(text.parse::<IpAddr>().map_err(|_| {
                    DsnError::new(
                        "`hostaddr` is no IP address",
                        "write a name into `host` instead",
                    )
                })?),
            };
            let host = match hosts.get(place).map_or("", String::as_str) {
                "" => address.map_or_else(default_host, |address| address.to_string()),
                host => host.to_owned(),
            };
            let port = ports
                .get(place)
                .or_else(|| ports.first().filter(|_| ports.len() == 1));
            Ok(Target {
                host,
                address,
                port: port_number(port.map_or("", String::as_str))?,
            })
        })
        .collect()
}

fn port_number(text: &str) -> Result<u16, DsnError> {
    if text.is_empty() {
        return Ok(5432);
    }
    text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| {
        DsnError::new(
            "the port is no number from 1 to 65535",
            "in a URI, percent-encode `:` `/` `@` `?` and `#` in the password as `%3A` `%2F` `%40` `%3F` and `%23`",
        )
    })
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

fn word<T: Copy + Default>(
    parameters: &Parameters,
    key: &str,
    words: &[(&str, T)],
) -> Result<T, DsnError> {
    let text = parameters.get(key);
    if text.is_empty() {
        return Ok(T::default());
    }
    match words.iter().find(|(known, _)| *known == text) {
        Some((_, value)) => Ok(*value),
        None => {
            let all: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
            Err(DsnError::new(
                format!("`{key}` has a value that libpq does not know"),
                format!("write one of {}", all.join(", ")),
            ))
        }
    }
}

fn default_host() -> String {
    let directory = "/var/run/postgresql";
    if std::path::Path::new(directory).is_dir() {
        directory.into()
    } else {
        "localhost".into()
    }
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
