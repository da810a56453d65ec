//! Parameters whose value is one of a few words.

use super::{DsnError, Parameters};

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

pub(super) const SSL_MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Allow),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

/// libpq's `channel_binding`: whether the password's exchange is tied to the TLS session, so that nobody in between can
/// pass it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// Where the server offers it.
    #[default]
    Prefer,
    /// Always.
    Require,
}

pub(super) const CHANNEL_BINDINGS: [(&str, ChannelBinding); 3] = [
    ("disable", ChannelBinding::Disable),
    ("prefer", ChannelBinding::Prefer),
    ("require", ChannelBinding::Require),
];

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

pub(super) const SESSIONS: [(&str, SessionWanted); 6] = [
    ("any", SessionWanted::Any),
    ("read-write", SessionWanted::Primary),
    ("primary", SessionWanted::Primary),
    ("read-only", SessionWanted::Standby),
    ("standby", SessionWanted::Standby),
    ("prefer-standby", SessionWanted::PreferStandby),
];

/// The value of a parameter by its word; the default when it is not written.
pub(super) fn word<T: Copy + Default>(
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
