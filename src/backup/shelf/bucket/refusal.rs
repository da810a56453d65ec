//! Why an object store did not give what was asked, in words that help. It travels inside [`io::Error`].

use std::io;

use super::tap::Failure;

/// Why an object store did not give what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The settings cannot be used.
    #[error("cannot be asked: {0}")]
    Settings(String),
    /// It is asked over plain HTTP, which nobody allowed.
    #[error(
        "is asked without encryption; set `storage.allow_http: true` if nobody else is on the way there"
    )]
    PlainHttp,
    /// No key is known, and the machine has no role.
    #[error(
        "cannot be asked without a key: none is in `storage` or in the environment, and the machine has no role ({0}); set `storage.anonymous: true` if none is needed"
    )]
    NoKey(String),
    /// The key is not accepted.
    #[error("does not accept the key (`{0}`); check the keys in `storage` or in the environment")]
    BadKey(String),
    /// The key is good, but not for this.
    #[error(
        "does not let this key in (`{0}`); the key must be allowed to list the bucket and to read its objects"
    )]
    Denied(String),
    /// There is no such bucket.
    #[error("does not exist; check its name in `files`, and `storage.endpoint`")]
    NoBucket,
    /// What was taken for a folder is an object.
    #[error(
        "is a single object and no folder; name its folder, and a pattern that its name matches"
    )]
    Single,
    /// It is in another region than asked.
    #[error("is in another region{0}; set `storage.region`")]
    Region(String),
    /// Our clock and the store's are too far apart.
    #[error("does not accept the time of this machine; check its clock")]
    Clock,
    /// What came is no listing of a bucket.
    #[error(
        "gave no listing but {0}; check `storage.endpoint`, and `storage.virtual_hosted`, which most stores of their own do not know"
    )]
    NoListing(String),
    /// It cannot be connected to, or broke off.
    #[error("cannot be reached at `{0}`: {1}")]
    Unreachable(String, String),
    /// It was silent for too long.
    #[error("did not answer in time at `{0}`; `storage.timeout` says how long it may be silent")]
    Slow(String),
    /// It has too much to do, or something in it fails.
    #[error("cannot answer now (`{0}`); it is asked again at the next look")]
    Busy(String),
    /// It said anything else.
    #[error("answered {0}")]
    Answer(String),
    /// The object or folder is not there.
    #[error("has nothing there any more")]
    Gone,
    /// The object became another one while it was read.
    #[error("gave another object: it was overwritten while it was read")]
    Changed,
    /// The object would have to be brought back first.
    #[error(
        "lies in the archive of the store (`{0}`) and would have to be brought back before it can be read"
    )]
    Archived(String),
    /// The object's name cannot be asked for.
    #[error("has a name that cannot be asked for")]
    Unnamable,
    /// There is too much of it.
    #[error("holds too much")]
    Endless,
}

/// Answers to a key that is unknown, wrong, over or for another account.
const BAD_KEY: [&str; 11] = [
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "InvalidSecurity",
    "AuthenticationRequired",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "NoAuthenticationInformation",
    "UnrecognizedClientException",
];

impl Refusal {
    /// What the last thing that went wrong means. Without any, the client itself refused to ask.
    pub(super) fn of(failure: Option<Failure>, words: String) -> Refusal {
        match failure {
            Some(Failure::PlainHttp) => Refusal::PlainHttp,
            Some(Failure::Slow { host }) if is_of_role(&host) => {
                Refusal::NoKey(format!("`{host}` is silent"))
            }
            Some(Failure::Broken { host, words }) if is_of_role(&host) => {
                Refusal::NoKey(format!("`{host}`: {words}"))
            }
            Some(Failure::Status { host, status, .. }) if is_of_role(&host) => {
                Refusal::NoKey(format!("`{host}` answers {status}"))
            }
            Some(Failure::Slow { host }) => Refusal::Slow(host),
            Some(Failure::Broken { host, words }) => Refusal::Unreachable(host, words),
            Some(Failure::NoListing(what)) => Refusal::NoListing(what),
            Some(Failure::Status {
                status,
                code,
                message,
                region,
                ..
            }) => by_code(status, code, &message, region),
            None => Refusal::Settings(words),
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Refusal::Gone => io::ErrorKind::NotFound,
            Refusal::Denied(_) => io::ErrorKind::PermissionDenied,
            Refusal::Archived(_) | Refusal::Unnamable | Refusal::Single => {
                io::ErrorKind::Unsupported
            }
            Refusal::Endless => io::ErrorKind::QuotaExceeded,
            _ => io::ErrorKind::NetworkDown,
        }
    }

    /// The refusal an error carries.
    pub(super) fn carried(error: &io::Error) -> Option<&Refusal> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        io::Error::new(refusal.kind(), refusal)
    }
}

/// Where the role of a machine, a container or a pod is asked for.
fn is_of_role(host: &str) -> bool {
    ["169.254.", "metadata.", "fd00:ec2"]
        .iter()
        .any(|start| host.starts_with(start))
}

fn by_code(status: u16, code: String, message: &str, region: String) -> Refusal {
    let name = if code.is_empty() {
        status.to_string()
    } else {
        code
    };
    match (name.as_str(), status) {
        ("NoSuchBucket" | "ContainerNotFound" | "InvalidBucketName", _) => Refusal::NoBucket,
        ("AuthorizationHeaderMalformed" | "PermanentRedirect" | "TemporaryRedirect", _)
        | (_, 301 | 307) => Refusal::Region(if region.is_empty() {
            region
        } else {
            format!(", `{region}`")
        }),
        ("RequestTimeTooSkewed", _) => Refusal::Clock,
        ("InvalidObjectState" | "BlobArchived", _) => Refusal::Archived(name),
        (bad, _) if BAD_KEY.contains(&bad) => Refusal::BadKey(name),
        (_, 401) => Refusal::BadKey(name),
        (_, 403) => Refusal::Denied(name),
        (_, 404) => Refusal::Gone,
        (_, 412) => Refusal::Changed,
        (_, 429 | 500..) => Refusal::Busy(name),
        _ if message.is_empty() => Refusal::Answer(format!("`{name}`")),
        _ => Refusal::Answer(format!("`{name}`: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, code: &str, expected: &str) {
        let failure = Failure::Status {
            host: "s3.example.org".into(),
            status,
            code: code.into(),
            message: "words".into(),
            region: String::new(),
        };
        let said = Refusal::of(Some(failure), String::new()).to_string();
        assert!(said.starts_with(expected), "{code} {status}: {said}");
    }

    #[test]
    fn what_a_store_says_is_told_apart() {
        check(404, "NoSuchBucket", "does not exist");
        check(403, "AccessDenied", "does not let this key in");
        check(403, "SignatureDoesNotMatch", "does not accept the key");
        check(400, "ExpiredToken", "does not accept the key");
        check(401, "", "does not accept the key (`401`)");
        check(403, "RequestTimeTooSkewed", "does not accept the time");
        check(301, "PermanentRedirect", "is in another region;");
        check(503, "SlowDown", "cannot answer now");
        check(403, "InvalidObjectState", "lies in the archive");
        check(500, "InternalError", "cannot answer now (`InternalError`)");
        check(418, "Teapot", "answered `Teapot`: words");
    }

    #[test]
    fn a_machine_without_a_role_is_no_store_that_cannot_be_reached() {
        let host = "169.254.169.254".to_owned();
        let words = "refused".to_owned();
        let failure = Failure::Broken { host, words };
        let said = Refusal::of(Some(failure), String::new()).to_string();
        assert!(said.starts_with("cannot be asked without a key"), "{said}");
    }
}
