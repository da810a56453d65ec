//! What the sinks received, made readable: a message's headers and text, Slack's JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const HEADERS: [&str; 5] = ["From", "To", "Subject", "Message-ID", "In-Reply-To"];

/// Something a receiver was sent.
#[derive(Debug)]
pub(super) enum Arrival {
    /// An email as it came over the wire, lines ended by a line feed.
    Mail(String),
    /// The body of a post to Slack's webhook.
    Slack(String),
}

impl Arrival {
    /// What came.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Arrival::Mail(_) => "an email",
            Arrival::Slack(_) => "a message for Slack",
        }
    }

    /// As a person would see it.
    pub(super) fn text(&self) -> String {
        match self {
            Arrival::Mail(message) => readable(message),
            Arrival::Slack(body) => serde_json::from_str::<serde_json::Value>(body)
                .and_then(|json| serde_json::to_string_pretty(&json))
                .unwrap_or_else(|_| body.clone()),
        }
    }

    /// Whether it says that an alert has ended.
    pub(super) fn is_resolve(&self) -> bool {
        self.text().to_ascii_uppercase().contains("RESOLVED")
    }
}

/// The headers that matter and the text part.
fn readable(message: &str) -> String {
    let (head, body) = parts(message);
    let mut text = String::new();
    for name in HEADERS {
        if let Some(value) = header(&head, name) {
            text += &format!("{name}: {}\n", decode_words(&value));
        }
    }
    text + "\n" + plain_text(&head, body).trim_end()
}

/// Head, its folded lines joined, and body.
fn parts(message: &str) -> (String, &str) {
    let (head, body) = message.split_once("\n\n").unwrap_or((message, ""));
    (head.replace("\n ", " ").replace("\n\t", " "), body)
}

fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// The body, or of several parts the one in plain text.
fn plain_text(head: &str, body: &str) -> String {
    let kind = header(head, "Content-Type").unwrap_or_default();
    if let Some(boundary) = kind
        .split_once("boundary=")
        .map(|(_, rest)| rest.trim_matches(['"', ' ']))
    {
        let boundary = format!(
            "--{}",
            boundary.split(['"', ';']).next().unwrap_or(boundary)
        );
        let inner = body
            .split(&boundary)
            .skip(1)
            .map(|part| parts(part.trim_start_matches('\n')));
        return inner
            .map(|(head, body)| plain_text(&head, body))
            .find(|text| !text.is_empty())
            .unwrap_or_default();
    }
    if !(kind.is_empty() || kind.starts_with("text/plain")) {
        return String::new();
    }
    match header(head, "Content-Transfer-Encoding")
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "quoted-printable" => text_of(&quoted_printable(&body.replace("=\n", ""))),
        "base64" => decode_base64(&body.replace('\n', "")),
        _ => body.to_owned(),
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn decode_base64(text: &str) -> String {
    text_of(&STANDARD.decode(text.trim()).unwrap_or_default())
}

/// Replaces each `=XX` by its byte.
fn quoted_printable(text: &str) -> Vec<u8> {
    let mut pieces = text.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let code = piece
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => bytes.extend_from_slice(format!("={piece}").as_bytes()),
        }
    }
    bytes
}

/// Decodes the `=?utf-8?b?…?=` words of a header.
fn decode_words(value: &str) -> String {
    // The space between two of them is not meant.
    let value = value.replace("?= =?", "?==?");
    let (mut rest, mut text) = (value.as_str(), String::new());
    while let Some((before, encoding, word, after)) = next_word(rest) {
        text += before;
        text += &match encoding {
            "b" | "B" => decode_base64(word),
            _ => text_of(&quoted_printable(&word.replace('_', " "))),
        };
        rest = after;
    }
    text + rest
}

/// What stands before the next encoded word, its encoding, its text, and what stands after it.
fn next_word(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, word) = text.split_once("=?")?;
    let (_charset, word) = word.split_once('?')?;
    let (encoding, word) = word.split_once('?')?;
    let (word, after) = word.split_once("?=")?;
    Some((before, encoding, word, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_made_readable() {
        let alternatives = "From: pgvigil <a@b>\nSubject: =?utf-8?b?w6k=?= =?utf-8?b?w6g=?= two\nX-Other: no\n\
            Content-Type: multipart/alternative;\n boundary=\"xyz\"\n\n\
            --xyz\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
            26 of 30 =3D 87=E2=80=AF% and =\non\n\n--xyz\nContent-Type: text/html\n\n<p>26</p>\n\n--xyz--\n";
        for (message, text) in [
            (
                "To: x\nSubject: hello\n\nbody\n",
                "To: x\nSubject: hello\n\nbody",
            ),
            (
                alternatives,
                "From: pgvigil <a@b>\nSubject: éè two\n\n26 of 30 = 87\u{202f}% and on",
            ),
            (
                "Content-Transfer-Encoding: base64\n\naGVs\nbG8=\n",
                "\nhello",
            ),
        ] {
            assert_eq!(readable(message), text);
        }
    }

    #[test]
    fn resolves_are_told_from_alerts() {
        assert!(Arrival::Slack(r#"{"text": "resolved: all is well"}"#.into()).is_resolve());
        assert!(!Arrival::Mail("Subject: FIRING\n\nx".into()).is_resolve());
    }
}
