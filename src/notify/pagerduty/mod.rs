//! PagerDuty's Events API v2: an event for each incident, which is PagerDuty's incident from its trigger to its
//! resolve. What was over before it could be told wakes nobody.

mod event;
mod settings;

use reqwest::{Client, StatusCode};

pub use settings::Settings;

use super::failure::Failure;
use super::http::{self, Refusal};
use super::message::Message;
use super::secrets::Secrets;

/// One service.
#[derive(Debug, Clone)]
pub(super) struct Pagerduty {
    settings: Settings,
    client: Result<Client, String>,
}

impl Pagerduty {
    /// A service that has not been tried yet.
    pub(super) fn new(settings: Settings, client: Result<Client, String>) -> Self {
        Pagerduty { settings, client }
    }

    /// The integration key, which is a secret.
    pub(super) fn key(&self) -> Result<String, String> {
        self.settings.routing_key.reveal()
    }

    /// Sends the events of a message.
    pub(super) async fn send(
        &self,
        message: &Message,
        dialogue: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let client = self.client.as_ref().map_err(Failure::temporary)?;
        let key = self.key().map_err(Failure::temporary)?;
        let secrets = Secrets::of(&key);
        let url = &self.settings.url;
        for incident in &message.incidents {
            let event = event::event(incident, message, &key);
            let host = url.host_str().unwrap_or_default();
            dialogue.push(format!("POST {} to {host}", event["event_action"]));
            let request = client.post(url.clone()).json(&event);
            let accepted = |status| status == StatusCode::ACCEPTED;
            let Some(refusal) = http::send_for(request, accepted).await? else {
                dialogue.push("accepted".into());
                continue;
            };
            let refusal = refusal.without(&secrets);
            dialogue.push(refusal.to_string());
            return Err(failure(&refusal));
        }
        Ok(())
    }
}

fn failure(refusal: &Refusal) -> Failure {
    let mut failure = refusal.failure();
    let way_out = match refusal.status.as_u16() {
        // Whoever answered that is not PagerDuty, so nobody was told.
        200..=299 => {
            failure = Failure::temporary(refusal.to_string());
            " instead of 202; check `url`"
        }
        400 | 401 | 403 => {
            "; check that `routing_key` is the key of an integration `Events API v2`"
        }
        404 => "; check `url`",
        _ => "",
    };
    failure.reason = format!("PagerDuty {}{way_out}", failure.reason);
    failure
}
