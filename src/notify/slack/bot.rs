//! A bot in a channel. The first message about an incident is changed whenever the incident is, so that the channel
//! shows how things stand, and each change is an answer in its thread.

use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::answer::{Posted, Verdict, verdict};
use super::blocks;
use super::settings::Bot;
use crate::notify::failure::{Failure, Kind};
use crate::notify::http;
use crate::notify::message::Message;
use crate::notify::secrets::Secrets;

/// What is said to Slack about one message.
pub(super) struct Conversation<'c> {
    client: &'c Client,
    bot: &'c Bot,
    token: String,
    dialogue: &'c mut Vec<String>,
}

impl<'c> Conversation<'c> {
    /// With the token as it is now.
    pub(super) fn new(
        client: &'c Client,
        bot: &'c Bot,
        dialogue: &'c mut Vec<String>,
    ) -> Result<Self, Failure> {
        let token = bot.token.reveal().map_err(Failure::temporary)?;
        Ok(Conversation {
            client,
            bot,
            token,
            dialogue,
        })
    }

    /// Posts the message; the thread that it began or continued, as `CHANNEL/TS`.
    pub(super) async fn tell(mut self, message: &Message) -> Result<String, Failure> {
        let Some((channel, ts)) = message.thread.split_once('/') else {
            let target = json!({"channel": self.bot.channel});
            return self
                .post(&target, message)
                .await
                .map(|posted| posted.thread());
        };
        self.update(channel, ts, message).await?;
        let mut target = json!({"channel": channel, "thread_ts": ts});
        if message.is_reminder() {
            // In the thread alone nobody would be reminded.
            target["reply_broadcast"] = true.into();
        }
        match self.say("chat.postMessage", &target, message).await? {
            Verdict::Gone(_) => {
                let target = json!({"channel": channel});
                self.post(&target, message).await?;
            }
            other => drop(taken(other)?),
        }
        Ok(message.thread.clone())
    }

    /// Makes the first message of the thread show how all of it stands. When that cannot be done for good, the answer
    /// in the thread still can.
    async fn update(&mut self, channel: &str, ts: &str, message: &Message) -> Result<(), Failure> {
        let target = json!({"channel": channel, "ts": ts});
        let verdict = self
            .say("chat.update", &target, &message.of_thread())
            .await?;
        match taken(verdict) {
            Err(failure) if failure.kind != Kind::Permanent => Err(failure),
            _ => Ok(()),
        }
    }

    async fn post(&mut self, target: &Value, message: &Message) -> Result<Posted, Failure> {
        taken(self.say("chat.postMessage", target, message).await?)
    }

    /// Calls a method; what Slack finds malformed is said once more as short plain text.
    async fn say(
        &mut self,
        method: &str,
        target: &Value,
        message: &Message,
    ) -> Result<Verdict, Failure> {
        match self.call(method, target, blocks::render(message)).await? {
            Verdict::Malformed(_) => {
                // An update without blocks would leave those that are there.
                let text = json!({"text": blocks::plain(message), "blocks": []});
                self.call(method, target, text).await
            }
            verdict => Ok(verdict),
        }
    }

    async fn call(
        &mut self,
        method: &str,
        target: &Value,
        mut body: Value,
    ) -> Result<Verdict, Failure> {
        if let (Some(body), Some(target)) = (body.as_object_mut(), target.as_object()) {
            body.extend(target.clone());
            body.extend([
                ("unfurl_links".into(), false.into()),
                ("unfurl_media".into(), false.into()),
            ]);
        }
        let url = self.bot.api_url.join(method);
        let url = url.map_err(|_| Failure::permanent("`api_url` can have nothing below it"))?;
        self.dialogue.push(method.to_owned());
        let bearer = http::unseen(&format!("Bearer {}", self.token))?;
        let request = self.client.post(url).header(AUTHORIZATION, bearer);
        let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
        let answer = http::ask(request.body(body.to_string())).await?;
        let verdict = verdict(&answer, &Secrets::of(&self.token));
        self.dialogue.push(match &verdict {
            Verdict::Taken(_) => "ok".into(),
            Verdict::Malformed(failure) | Verdict::Gone(failure) | Verdict::Failed(failure) => {
                failure.reason.clone()
            }
        });
        Ok(verdict)
    }
}

fn taken(verdict: Verdict) -> Result<Posted, Failure> {
    match verdict {
        Verdict::Taken(posted) => Ok(posted),
        Verdict::Malformed(failure) | Verdict::Gone(failure) | Verdict::Failed(failure) => {
            Err(failure)
        }
    }
}

impl Posted {
    fn thread(&self) -> String {
        format!("{}/{}", self.channel, self.ts)
    }
}
