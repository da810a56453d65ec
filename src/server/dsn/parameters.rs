//! The two grammars of a connection string, read into parameters by libpq's names.

use std::collections::BTreeMap;
use std::fmt;

use super::DsnError;

/// Every parameter that is understood or, having no meaning here, accepted and left alone.
const KEYWORDS: [&str; 45] = [
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
    "require_auth",
    "requirepeer",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "sslcrldir",
    "sslkeylogfile",
    "scram_client_key",
    "scram_server_key",
    "user",
];

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
            Some(rest) => uri(rest),
            None if text.contains("://") => Err(DsnError::new(
                "the scheme is not PostgreSQL's",
                "begin the URI with `postgresql://`",
            )),
            None if !text.is_empty() && !text.contains('=') => Err(DsnError::new(
                "is neither a URI nor `key=value` pairs",
                "write `postgresql://USER@HOST/DATABASE` or `host=HOST user=USER dbname=DATABASE`",
            )),
            None => key_values(text),
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

    fn insert(&mut self, key: &str, value: String) -> Result<(), DsnError> {
        if key == "service" || key == "servicefile" {
            return Err(DsnError::new(
                "service files are not read",
                "write the service's parameters into the connection string",
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

/// `[user[:password]@][host[:port][,…]][/database][?key=value[&…]]`. Unlike libpq the last `@` ends the password, so
/// that one with an unencoded `@` is neither cut nor taken for a host.
fn uri(text: &str) -> Result<Parameters, DsnError> {
    let mut parameters = Parameters::default();
    let (before_query, query) = text
        .split_once('?')
        .map_or((text, ""), |(head, query)| (head, query));
    let (authority, database) = before_query
        .split_once('/')
        .map_or((before_query, ""), |(head, path)| (head, path));
    if database.contains('@') || query.contains('@') && !authority.contains('@') {
        return Err(DsnError::new(
            "has an `@` after the host",
            "percent-encode `/` and `?` in the password as `%2F` and `%3F`",
        ));
    }
    let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    parameters.set("user", &decoded(user)?);
    parameters.set("password", &decoded(password)?);
    parameters.set("dbname", &decoded(database)?);
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = host_and_port(host)?;
        names.push(decoded(name)?);
        ports.push(port);
    }
    if names.iter().any(|name| !name.is_empty()) {
        parameters.set("host", &names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        parameters.set("port", &ports.join(","));
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            DsnError::new(
                "has a parameter without a value",
                "write `?key=value&key=value`",
            )
        })?;
        match (key, value) {
            ("ssl", "true") => parameters.insert("sslmode", "require".into())?,
            _ => parameters.insert(&decoded(key)?, decoded(value)?)?,
        }
    }
    Ok(parameters)
}

fn host_and_port(text: &str) -> Result<(&str, &str), DsnError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or_else(|| {
            DsnError::new("has an IPv6 address without its `]`", "write `[::1]:5432`")
        })?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address, port)),
            None if rest.is_empty() => Ok((address, "")),
            None => Err(DsnError::new(
                "has something between `]` and the port",
                "write `[::1]:5432`",
            )),
        };
    }
    Ok(text.split_once(':').unwrap_or((text, "")))
}

fn decoded(text: &str) -> Result<String, DsnError> {
    let wrong = || {
        DsnError::new(
            "has a `%` that is no percent-encoding",
            "write `%25` for a percent sign, and the bytes of UTF-8 for any other letter",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = tail
                .get(..2)
                .and_then(|two| std::str::from_utf8(two).ok())
                .ok_or_else(wrong)?;
            let valid = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            let byte = u8::from_str_radix(digits, 16)
                .ok()
                .filter(|byte| valid && *byte != 0)
                .ok_or_else(wrong)?;
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// `key = value`, values quoted with `'` where they hold spaces, `\` before a quote or backslash.
fn key_values(text: &str) -> Result<Parameters, DsnError> {
    let mut parameters = Parameters::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| {
            DsnError::new(
                "has a word without `=`",
                "a value with spaces must be quoted: `password='two words'`",
            )
        })?;
        let (value, after) = value(after.trim_start())?;
        parameters.insert(key.trim(), value)?;
        rest = after.trim_start();
    }
    Ok(parameters)
}

fn value(text: &str) -> Result<(String, &str), DsnError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut letters = text.char_indices().skip(usize::from(quoted));
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[place + 1..])),
            _ if !quoted && letter.is_whitespace() => return Ok((value, &text[place..])),
            _ => value.push(letter),
        }
    }
    if quoted {
        Err(DsnError::new(
            "has a quoted value without its closing quote",
            "end the value with `'`",
        ))
    } else {
        Ok((value, ""))
    }
}
