//! A connection string's parameters by libpq's names, and which of them may be given.

use std::collections::BTreeMap;
use std::fmt;

use super::{DsnError, grammar};

/// Every parameter that is understood or, having no meaning here, accepted and left alone.
const KEYWORDS: [&str; 41] = [
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "options",
    "passfile",
    "password",
    "port",
    "replication",
    "scram_client_key",
    "scram_server_key",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslkey",
    "sslkeylogfile",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// Parameters that ask for a check nobody here makes: leaving them alone would say it was made.
const UNCHECKED: [&str; 4] = ["require_auth", "requirepeer", "sslcrl", "sslcrldir"];

/// Parameters by libpq's names; not printable, for one of them is the password.
#[derive(Clone, PartialEq, Eq, Default)]
pub(in crate::server) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads either grammar.
    ///
    /// # Errors
    /// What is malformed, without quoting it.
    pub(in crate::server) fn parse(text: &str) -> Result<Self, DsnError> {
        let text = text.trim();
        match text
            .strip_prefix("postgresql://")
            .or_else(|| text.strip_prefix("postgres://"))
        {
            Some(rest) => grammar::uri(rest),
            None if text.contains("://") => Err(DsnError::new(
                "the scheme is not PostgreSQL's",
                "begin the URI with `postgresql://`",
            )),
            None if !text.is_empty() && !text.contains('=') => Err(DsnError::new(
                "is neither a URI nor `key=value` pairs",
                "write `postgresql://USER@HOST/DATABASE` or `host=HOST user=USER dbname=DATABASE`",
            )),
            None => grammar::key_values(text),
        }
    }

    /// A value, empty when there is none.
    pub(in crate::server) fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// Sets a value; an empty one is left out.
    pub(in crate::server) fn set(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.0.insert(key.into(), value.into());
        }
    }

    /// Takes over what `self` does not say.
    pub(in crate::server) fn or(mut self, defaults: Parameters) -> Self {
        for (key, value) in defaults.0 {
            self.0.entry(key).or_insert(value);
        }
        self
    }

    /// As `key='value'` pairs, which [`Parameters::parse`] reads back.
    pub(in crate::server) fn text(&self) -> String {
        let pairs: Vec<String> = self
            .0
            .iter()
            .map(|(key, value)| {
                format!(
                    "{key}='{}'",
                    value.replace('\\', "\\\\").replace('\'', "\\'")
                )
            })
            .collect();
        pairs.join(" ")
    }

    pub(super) fn insert(&mut self, key: &str, value: String) -> Result<(), DsnError> {
        if key == "service" || key == "servicefile" {
            return Err(DsnError::new(
                "service files are not read",
                "write the service's parameters into the connection string",
            ));
        }
        if UNCHECKED.contains(&key) {
            return Err(DsnError::new(
                format!("`{key}` asks for a check that pgvigil does not make"),
                "leave it out; `sslmode=verify-full` makes sure of the server",
            ));
        }
        if KEYWORDS.contains(&key) {
            self.0.insert(key.into(), value);
            return Ok(());
        }
        let near = KEYWORDS
            .iter()
            .find(|known| strsim::damerau_levenshtein(known, key) <= 2);
        Err(match near {
            Some(near) => DsnError::new(
                "has an unknown parameter",
                format!("did you mean `{near}`?"),
            ),
            None => DsnError::new(
                "has a parameter that libpq does not know",
                "a value with spaces must be quoted: `password='two words'`; in a URI, percent-encode `&` and `?`",
            ),
        })
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
