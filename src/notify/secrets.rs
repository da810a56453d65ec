//! What must not be told, and texts of others without it.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// Something shorter is no secret, and may stand in any text.
const SHORTEST: usize = 6;

/// In the place of a secret.
const HIDDEN: &str = "<secret>";

/// What must not be told of one channel.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// A token or key.
    pub(super) fn of(text: &str) -> Self {
        Secrets::default().and(text)
    }

    /// An address that is a secret in itself: the whole, and its parts but for the host.
    pub(super) fn of_url(text: &str) -> Self {
        let all = Secrets::of(text);
        let Ok(url) = Url::parse(text) else {
            return all;
        };
        let query = url.query().unwrap_or_default();
        let after_host = format!("{}?{query}", url.path());
        let parts = [&after_host, url.path(), query, url.as_str()];
        let segments = url.path().split('/');
        let all = segments.chain(parts).fold(all, Secrets::and);
        all.and_user(&url)
    }

    /// These, and with whom and what an address logs in.
    pub(super) fn and_user(self, url: &Url) -> Self {
        let Some(password) = url.password() else {
            return self.and(url.username());
        };
        let plain = |part| percent_decode_str(part).decode_utf8_lossy();
        let both = format!("{}:{}", plain(url.username()), plain(password));
        let encoded = BASE64_STANDARD.encode(&both);
        let all = [url.username(), password, &both, &encoded];
        all.into_iter().fold(self, Secrets::and)
    }

    /// These and one more.
    pub(super) fn and(mut self, text: &str) -> Self {
        let decoded = percent_decode_str(text).decode_utf8_lossy();
        let json = serde_json::Value::from(text).to_string();
        let escaped = json.trim_matches('"');
        for form in [text, &decoded, escaped, &text.replace('/', "\\/")] {
            if form.len() >= SHORTEST && !self.0.iter().any(|known| known == form) {
                self.0.push(form.to_owned());
            }
        }
        // The whole before its parts.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self
    }

    /// A text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        let hidden = self.0.iter();
        hidden.fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_an_address_but_its_host_is_told() {
        let secrets =
            Secrets::of_url("https://me:pa%40ssword@h.example/hooks/hunter2?token=abcdef");
        let cases = [
            ("no hunter2 at h.example", "no <secret> at h.example"),
            ("POST /hooks/hunter2?token=abcdef", "POST <secret>"),
            (r"no \/hooks\/hunter2", "no <secret>"),
            ("Basic bWU6cGFAc3N3b3Jk", "Basic <secret>"),
            ("pa@ssword or pa%40ssword", "<secret> or <secret>"),
            ("me is too short to be one", "me is too short to be one"),
        ];
        for (text, expected) in cases {
            assert_eq!(secrets.hide(text), expected);
        }
        assert_eq!(
            Secrets::of("a\"b\\cdef").hide(r#"{"k": "a\"b\\cdef"}"#),
            r#"{"k": "<secret>"}"#
        );
        assert_eq!(format!("{secrets:?}"), "<secret>");
    }
}
