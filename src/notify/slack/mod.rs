//! Slack by an incoming webhook: a message can be posted, never changed or answered.

mod blocks;
mod settings;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

pub use settings::Settings;

use super::failure::Failure;
use super::http::{self, Refusal};
use super::message::Message;

/// One webhook.
#[derive(Debug, Clone)]
pub(super) struct Slack {
    settings: Settings,
    client: Result<Client, String>,
}

impl Slack {
    /// A webhook that has not been tried yet.
    pub(super) fn new(settings: Settings, client: Result<Client, String>) -> Self {
        Slack { settings, client }
    }

    /// Posts a message; what Slack finds malformed is posted once more as short plain text.
    pub(super) async fn send(
        &self,
        message: &Message,
        dialogue: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let first = self.post(&blocks::render(message), dialogue).await?;
        let answer = match first {
            Some(refusal) if refusal.status == StatusCode::BAD_REQUEST => {
                self.post(&json!({"text": blocks::plain(message)}), dialogue)
                    .await?
            }
            answer => answer,
        };
        answer.map_or(Ok(()), |refusal| Err(failure(&refusal)))
    }

    /// Where it posts to, which is a secret.
    pub(super) fn url(&self) -> Result<String, String> {
        self.settings.webhook_url.reveal()
    }

    async fn post(
        &self,
        body: &Value,
        dialogue: &mut Vec<String>,
    ) -> Result<Option<Refusal>, Failure> {
        let client = self.client.as_ref().map_err(Failure::temporary)?;
        let url = self.url().map_err(Failure::temporary)?;
        dialogue.push("POST the webhook".into());
        let mut answer = http::send(client.post(&url).json(body)).await?;
        if let Some(refusal) = &mut answer {
            refusal.said = refusal.said.replace(&url, "<secret>");
        }
        dialogue.push(answer.as_ref().map_or("ok".into(), ToString::to_string));
        Ok(answer)
    }
}

fn failure(refusal: &Refusal) -> Failure {
    let way_out = match refusal.status.as_u16() {
        403 => "; the workspace does not allow it: ask who administers it",
        404 => "; the webhook was removed: make a new one and set `webhook_url`",
        410 => "; the channel is archived: make a webhook for another one",
        _ => "",
    };
    let mut failure = refusal.failure();
    failure.reason = format!("Slack {refusal}{way_out}");
    failure
}
