//! Who is told of an alert and what keeps it from being told, for those who ask and tell nobody.
//! Takes the settings of `notify` and what messages say; hands on answers about the book.

use std::sync::Arc;

use super::alertmanager;
use super::policy::{self, Shadows};
use super::settings::Settings;
use super::{Channel, Context, Links};
use crate::incident::Book;
use crate::rules::Alert;
use crate::sample::{Labels, Timestamp};

/// The receivers and the policy, to be looked at.
#[derive(Debug, Clone, Default)]
pub struct Audience {
    settings: Settings,
    context: Arc<Context>,
}

/// The alerts that keep others from being announced, as they are in one book.
pub struct Inhibition<'b>(Shadows<'b>);

impl Audience {
    /// Those of some settings.
    pub fn of(settings: Settings, context: Context) -> Audience {
        Audience {
            settings,
            context: Arc::new(context),
        }
    }

    /// The names of all receivers, in the order of the configuration.
    pub fn receivers(&self) -> impl Iterator<Item = &str> {
        let receivers = self.settings.receivers.iter();
        receivers.map(|receiver| receiver.name.as_str())
    }

    /// The receivers that are told of an alert with these labels; an Alertmanager is told of every one.
    pub fn receivers_of(&self, labels: &Labels) -> Vec<&str> {
        let Settings {
            receivers, policy, ..
        } = &self.settings;
        let told = receivers.iter().filter(|receiver| {
            let everything = matches!(receiver.channel, Channel::Alertmanager(_));
            everything || policy::terms(policy, &receiver.name, labels).is_some()
        });
        told.map(|receiver| receiver.name.as_str()).collect()
    }

    /// What keeps alerts of a book from being announced.
    pub fn inhibition<'b>(&'b self, book: &'b Book) -> Inhibition<'b> {
        Inhibition(Shadows::of(book))
    }

    /// The same alert as an Alertmanager would be told of it, for when it ends and where it comes from.
    pub fn pushed(&self, alert: &Alert, now: Timestamp) -> serde_json::Value {
        alertmanager::body(alert, &self.context, now)
    }

    /// Who writes the links in messages, where anybody does.
    pub fn links(&self) -> Option<&Links> {
        self.context.links.as_ref()
    }

    /// Where people reach the status page, without a slash at the end.
    pub fn external_url(&self) -> &str {
        &self.context.external_url
    }
}

impl<'b> Inhibition<'b> {
    /// The alert for whose sake this one is not announced.
    pub fn of_alert(&self, alert: &Alert) -> Option<&'b Alert> {
        self.0.behind(alert)
    }
}
