//! `slack:` of a receiver: a webhook, or a bot, which can also change and answer what it posted.

use reqwest::Url;

use crate::document::{Secret, Section};
use crate::notify::http::is_web;

/// How Slack is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Settings {
    /// An incoming webhook's URL, which is all it takes to post.
    Webhook(Secret),
    /// A bot.
    Bot(Bot),
}

/// An app that may write.
#[derive(Debug, Clone, PartialEq)]
pub struct Bot {
    /// Its token.
    pub token: Secret,
    /// Where it writes: a channel's id or name.
    pub channel: String,
    /// Where the methods of Slack's Web API are, ended by a slash.
    pub api_url: Url,
}

impl Settings {
    /// Reads the section; `None` when it cannot be used, with the problems noted.
    pub fn read(s: &mut Section) -> Option<Self> {
        let doc = "The incoming webhook's URL. Whoever has it can post: it is kept secret.";
        let webhook_url = s.secret("webhook_url", doc);
        let doc = "Instead of a webhook, the token (`xoxb-…`) of an app with the scope `chat:write`: the first message \
                   about an incident is then kept up to date, and later ones answer in its thread. It is kept secret.";
        let token = s.secret("bot_token", doc);
        let doc = "Where the bot writes: the id of a channel that it was invited to, such as `C0123456789`.";
        let channel = s.optional_text("channel", doc);
        let doc = "Where Slack's Web API is.";
        let api_url = s.parsed("api_url", "URL", "https://slack.com/api/", doc, api_url);
        if let Some(Secret::Value(text)) = &webhook_url
            && !is_web(text)
        {
            let message = "begins with neither `https://` nor `http://`";
            s.problem("webhook_url", message, None);
        }
        match (webhook_url, token, channel) {
            (Some(url), None, None) => Some(Settings::Webhook(url)),
            (Some(_), _, _) => {
                let message = "`webhook_url` goes with neither `bot_token` nor `channel`";
                let hint = "the webhook has a channel of its own; write one of the two";
                s.problem("webhook_url", message, Some(hint));
                None
            }
            (None, Some(token), Some(channel)) => Some(Settings::Bot(Bot {
                token,
                channel,
                api_url: api_url?,
            })),
            (None, Some(_), None) => {
                let hint = "the id of a channel that the bot was invited to, such as `C0123456789`";
                s.problem("channel", "`channel` is missing", Some(hint));
                None
            }
            (None, None, _) => {
                let message = "`webhook_url` is missing";
                let hint = "https://hooks.slack.com/services/…, or write `bot_token` and `channel`";
                s.problem("webhook_url", message, Some(hint));
                None
            }
        }
    }
}

fn api_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(&format!("{}/", text.trim_end_matches('/')));
    let url = url.ok().filter(|_| is_web(text));
    url.ok_or_else(|| "begins with neither `https://` nor `http://`".into())
}
