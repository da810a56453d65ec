//! An incoming webhook: a message can be posted, never changed or answered.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::blocks;
use crate::document::Secret;
use crate::notify::failure::Failure;
use crate::notify::http::{self, Refusal};
use crate::notify::message::Message;
use crate::notify::secrets::Secrets;

/// Posts a message; what Slack finds malformed is posted once more as short plain text.
pub(super) async fn post(
    client: &Client,
    url: &Secret,
    message: &Message,
    dialogue: &mut Vec<String>,
) -> Result<(), Failure> {
    let url = url.reveal().map_err(Failure::temporary)?;
    let first = say(client, &url, &blocks::render(message), dialogue).await?;
    let answer = match first {
        Some(refusal) if refusal.status == StatusCode::BAD_REQUEST => {
            say(
                client,
                &url,
                &json!({"text": blocks::plain(message)}),
                dialogue,
            )
            .await?
        }
        answer => answer,
    };
    answer.map_or(Ok(()), |refusal| Err(failure(&refusal)))
}

async fn say(
    client: &Client,
    url: &str,
    body: &Value,
    dialogue: &mut Vec<String>,
) -> Result<Option<Refusal>, Failure> {
    dialogue.push("POST the webhook".into());
    let answer = http::send(client.post(url).json(body)).await?;
    let answer = answer.map(|refusal| refusal.without(&Secrets::of_url(url)));
    dialogue.push(answer.as_ref().map_or("ok".into(), ToString::to_string));
    Ok(answer)
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
