//! Mail to one mailbox. The first mail about an incident bears its id; later ones answer that, under its subject.

mod conversation;
mod evidence;
mod render;
mod settings;

use lettre::Address;

pub use settings::{Encryption, Server, Settings};

use super::failure::Failure;
use super::message::Message;

/// One mailbox and the server that takes its mail.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    settings: Settings,
    to: Address,
    list: String,
}

impl Mail {
    /// The mailbox `to` of the receiver called `list`.
    pub(super) fn new(settings: Settings, to: Address, list: &str) -> Self {
        let list = list.to_owned();
        Mail { settings, to, list }
    }

    /// The mailbox's address.
    pub(super) fn mailbox(&self) -> String {
        self.to.to_string()
    }

    /// Sends a message, noting the conversation; the Message-ID of the thread's first mail.
    pub(super) async fn send(
        &self,
        message: &Message,
        dialogue: &mut Vec<String>,
    ) -> Result<String, Failure> {
        let thread = match message.thread.as_str() {
            "" => render::message_id(message, "", &self.settings),
            thread => thread.to_owned(),
        };
        let mail = render::mail(message, &thread, &self.settings, &self.list)
            .map_err(|error| Failure::permanent(format!("cannot write the mail: {error}")))?;
        conversation::deliver(&self.settings, &self.to, &mail.formatted(), dialogue).await?;
        Ok(thread)
    }
}
