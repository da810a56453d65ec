//! Posts messages as an Alertmanager would, with a key that is the same for each try and, where a secret is known to
//! both, a signature.

mod settings;

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use ring::hmac;

pub use settings::Settings;

use super::Context;
use super::failure::Failure;
use super::http;
use super::message::Message;
use super::payload;
use super::secrets::Secrets;

/// Holds `sha256=` and, in hexadecimal digits, the HMAC-SHA256 of the body as it was sent.
const SIGNATURE: &str = "x-pgvigil-signature";

/// One address.
#[derive(Debug, Clone)]
pub(super) struct Webhook {
    settings: Settings,
    client: Result<Client, String>,
    receiver: String,
}

impl Webhook {
    /// That of a receiver, not tried yet.
    pub(super) fn new(settings: Settings, client: Result<Client, String>, receiver: &str) -> Self {
        let receiver = receiver.to_owned();
        Webhook {
            settings,
            client,
            receiver,
        }
    }

    /// Where it posts to, which may be a secret.
    pub(super) fn url(&self) -> Result<String, String> {
        self.settings.url.reveal()
    }

    /// Posts a message; the group that it belongs to.
    pub(super) async fn send(
        &self,
        message: &Message,
        context: &Context,
        dialogue: &mut Vec<String>,
    ) -> Result<String, Failure> {
        let client = self.client.as_ref().map_err(Failure::temporary)?;
        let url = self.url().map_err(Failure::temporary)?;
        let mut secrets = Secrets::of_url(&url);
        let most = self.settings.max_alerts;
        let body = payload::payload(message, &self.receiver, context, most).to_string();
        let mut request = client.post(&url);
        for (name, value) in &self.settings.headers {
            let value = value.reveal().map_err(Failure::temporary)?;
            secrets = secrets.and(&value);
            request = request.header(name, http::unseen(&value)?);
        }
        if let Some(secret) = &self.settings.secret {
            let secret = secret.reveal().map_err(Failure::temporary)?;
            request = request.header(SIGNATURE, signature(&secret, body.as_bytes()));
            secrets = secrets.and(&secret);
        }
        // After the user's own, which cannot replace what the payload is.
        let request = request.header(CONTENT_TYPE, "application/json").header(
            HeaderName::from_static("idempotency-key"),
            payload::key(message),
        );
        dialogue.push("POST the webhook".into());
        let refusal = http::send(request.body(body)).await?;
        let refusal = refusal.map(|refusal| refusal.without(&secrets));
        dialogue.push(refusal.as_ref().map_or("ok".into(), ToString::to_string));
        match refusal {
            None => Ok(payload::group(message)),
            Some(refusal) => Err(refusal.failure()),
        }
    }
}

fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body);
    let digits: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256={digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn a_signature_is_hmac_sha256() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
