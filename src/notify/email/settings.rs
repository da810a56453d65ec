//! `email:` of a receiver.

use std::path::PathBuf;

use lettre::message::Mailbox;
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;

use crate::document::{Secret, Section};

/// Where mail goes, and through which server.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Everybody who gets it; each is served on its own.
    pub to: Vec<Mailbox>,
    /// The sender.
    pub from: Mailbox,
    /// The server that takes it.
    pub server: Server,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Certificate authorities to trust beside the system's.
    pub ca: Option<PathBuf>,
    /// The password for the server's user.
    pub password: Option<Secret>,
}

/// An SMTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whom to log in as; nobody where the server asks for nobody.
    pub user: Option<String>,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte, as on port 465.
    Implicit,
    /// After `STARTTLS`, which the server must offer.
    Starttls,
    /// Not at all.
    None,
}

struct Link {
    implicit: bool,
    server: Server,
    password: Option<Secret>,
}

impl Settings {
    /// Reads the section; `None` when it cannot be used, with the problems noted.
    pub fn read(s: &mut Section) -> Option<Self> {
        let to = s.texts("to", "Addresses such as `oncall@example.com`.");
        let to: Vec<Mailbox> = to
            .iter()
            .filter_map(|text| mailbox(s, "to", text))
            .collect();
        if to.is_empty() {
            s.problem(
                "to",
                "needs at least one address",
                Some("oncall@example.com"),
            );
        }
        let doc = "The sender; `pgvigil@` and this host's name when not written.";
        let from = s.optional_text("from", doc).unwrap_or_else(default_sender);
        let from = mailbox(s, "from", &from);
        let doc = "The server: `smtp://` (port 587 with a user, else 25) or `smtps://` (465), with `user@` or \
                   `user:password@` before the host.";
        let link = s.parsed("smtp", "URL", "", doc, link);
        if !s.has("smtp") {
            let hint = "smtp://user@mail.example.com:587";
            s.problem("smtp", "`smtp` is missing", Some(hint));
        }
        let password = s.secret("password", "The password of the server's user.");
        let doc = "`auto` is implicit for `smtps://`, none for `smtp://` to this machine, else `starttls`.";
        let words = ["auto", "implicit", "starttls", "none"];
        let encryption = s.choice("tls", &words, "auto", doc);
        let doc = "A PEM file of authorities to trust beside the system's.";
        let ca = s.optional_path("ca", doc);
        let link = link?;
        let password = password.or_else(|| link.password.clone());
        if password.is_some() && link.server.user.is_none() {
            let hint = "write it into the URL: smtp://user@mail.example.com:587";
            s.problem("smtp", "there is a password but no user", Some(hint));
        }
        Some(Settings {
            to,
            from: from?,
            encryption: encryption_of(&encryption, &link),
            ca,
            password,
            server: link.server,
        })
    }
}

fn encryption_of(word: &str, link: &Link) -> Encryption {
    match word {
        "implicit" => Encryption::Implicit,
        "starttls" => Encryption::Starttls,
        "none" => Encryption::None,
        _ if link.implicit => Encryption::Implicit,
        _ if is_here(&link.server.host) => Encryption::None,
        _ => Encryption::Starttls,
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn mailbox(s: &Section, key: &str, text: &str) -> Option<Mailbox> {
    match text.parse() {
        Ok(mailbox) => Some(mailbox),
        Err(_) => {
            let message = format!("`{text}` is no email address");
            s.problem(key, message, Some("write one such as `oncall@example.com`"));
            None
        }
    }
}

fn default_sender() -> String {
    match ClientId::default() {
        ClientId::Domain(host) => format!("pgvigil@{host}"),
        _ => "pgvigil@localhost".into(),
    }
}

/// Reads a server's URL. What goes wrong is told without the text, for a password may be in it.
fn link(text: &str) -> Result<Link, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("is no URL: {error}"))?;
    let implicit = match url.scheme() {
        "smtps" => true,
        "smtp" => false,
        other => {
            return Err(format!(
                "begins with `{other}://`, not `smtp://` or `smtps://`"
            ));
        }
    };
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host
        .ok_or("names no host")?
        .trim_matches(['[', ']'])
        .to_owned();
    let user = Some(decoded(url.username())?).filter(|user| !user.is_empty());
    let password = url.password().map(decoded).transpose()?;
    let password = password.map(Secret::Value);
    let usual = match (implicit, &user) {
        (true, _) => 465,
        (false, Some(_)) => 587,
        (false, None) => 25,
    };
    let port = url.port().unwrap_or(usual);
    Ok(Link {
        implicit,
        server: Server { host, port, user },
        password,
    })
}

fn decoded(part: &str) -> Result<String, String> {
    let decoded = percent_decode_str(part).decode_utf8();
    let text = decoded.map_err(|_| "its user or password is not UTF-8")?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_server_and_how_to_reach_it() {
        let cases = [
            (
                "smtps://u:p%40ss@mail.example",
                "mail.example:465 Some(\"u\") Implicit",
            ),
            (
                "smtp://u@mail.example",
                "mail.example:587 Some(\"u\") Starttls",
            ),
            ("smtp://mail.example", "mail.example:25 None Starttls"),
            ("smtp://localhost:2525", "localhost:2525 None None"),
            ("smtp://[::1]:25", "::1:25 None None"),
        ];
        for (text, expected) in cases {
            let link = link(text).unwrap();
            let encryption = encryption_of("auto", &link);
            let Server { host, port, user } = link.server;
            assert_eq!(format!("{host}:{port} {user:?} {encryption:?}"), expected);
        }
        let link = link("smtps://u:p%40ss@mail.example").unwrap();
        assert_eq!(link.password, Some(Secret::Value("p@ss".into())));
    }

    #[test]
    fn a_bad_url_is_not_repeated() {
        for text in [
            "smtp://u:hunter2@",
            "http://u:hunter2@mail",
            "u:hunter2@mail:25",
        ] {
            let message = link(text).err().unwrap();
            assert!(!message.contains("hunter2"), "{message}");
        }
    }
}
