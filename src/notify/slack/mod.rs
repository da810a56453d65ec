//! Slack, by an incoming webhook or as a bot.

mod answer;
mod blocks;
mod bot;
mod settings;
mod webhook;

use reqwest::Client;

pub use settings::{Bot, Settings};

use super::failure::Failure;
use super::message::Message;

/// One webhook, or one bot in one channel.
#[derive(Debug, Clone)]
pub(super) struct Slack {
    settings: Settings,
    client: Result<Client, String>,
}

impl Slack {
    /// One that has not been tried yet.
    pub(super) fn new(settings: Settings, client: Result<Client, String>) -> Self {
        Slack { settings, client }
    }

    /// Whether it can answer what it posted.
    pub(super) fn has_threads(&self) -> bool {
        matches!(self.settings, Settings::Bot(_))
    }

    /// Where it posts to, as a person calls it.
    pub(super) fn place(&self) -> String {
        match &self.settings {
            Settings::Webhook(_) => "webhook".into(),
            Settings::Bot(bot) => bot.channel.clone(),
        }
    }

    /// What Slack limits: the webhook's URL or the bot's token, both of them secrets.
    pub(super) fn limited(&self) -> Result<String, String> {
        match &self.settings {
            Settings::Webhook(url) => url.reveal(),
            Settings::Bot(bot) => bot.token.reveal(),
        }
    }

    /// Posts a message; the thread that it began or continued, empty for a webhook.
    pub(super) async fn send(
        &self,
        message: &Message,
        dialogue: &mut Vec<String>,
    ) -> Result<String, Failure> {
        let client = self.client.as_ref().map_err(Failure::temporary)?;
        match &self.settings {
            Settings::Webhook(url) => webhook::post(client, url, message, dialogue)
                .await
                .map(|()| String::new()),
            Settings::Bot(bot) => {
                bot::Conversation::new(client, bot, dialogue)?
                    .tell(message)
                    .await
            }
        }
    }
}
