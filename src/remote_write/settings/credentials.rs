//! `basic_auth` and `authorization`: how to log in.

use crate::document::{Secret, Section};

/// How to log in.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::remote_write) enum Credentials {
    /// With a user and, mostly, a password.
    Basic(String, Option<Secret>),
    /// With the scheme and what follows it, mostly `Bearer` and a token.
    Token(String, Secret),
}

impl Credentials {
    /// Reads either section, with problems noted.
    pub(super) fn read(s: &mut Section) -> Option<Self> {
        let basic = s.optional_section("basic_auth", "Logs in with a user and a password.", basic);
        let doc = "Logs in with a token.";
        let token = s.optional_section("authorization", doc, token).flatten();
        if s.has("basic_auth") && s.has("authorization") {
            let message = "logs in twice, by `basic_auth` and by `authorization`";
            s.problem("authorization", message, Some("leave one of them out"));
        }
        basic.or(token)
    }
}

fn basic(s: &mut Section) -> Credentials {
    let user = s.required_text("username", "Who asks.");
    let doc = "The user's password; better kept in `password_file`.";
    Credentials::Basic(user, s.secret("password", doc))
}

fn token(s: &mut Section) -> Option<Credentials> {
    let doc = "The scheme of the `Authorization` header.";
    let kind = s.text("type", "Bearer", doc);
    if kind.eq_ignore_ascii_case("basic") {
        let hint = "write `basic_auth: {username: …, password_file: …}`";
        s.problem("type", "`Basic` is not for this section", Some(hint));
    }
    if kind.is_empty() || !kind.chars().all(|c| c.is_ascii_graphic()) {
        s.problem("type", "must be one word", None);
    }
    let doc = "The token; better kept in `credentials_file`.";
    let credentials = s.secret("credentials", doc);
    if credentials.is_none() {
        let hint = "write `credentials_file: /run/secrets/token`";
        s.problem("", "`credentials` is missing", Some(hint));
    }
    Some(Credentials::Token(kind, credentials?))
}
