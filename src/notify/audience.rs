//! Who is told of an alert and what keeps it from being told, for those who ask and tell nobody.
//! Takes the settings of `notify` and what messages say; hands on answers about the book.

use std::sync::Arc;

use super::alertmanager;
use super::inhibit::Shadows;
use super::policy::Policy;
use super::settings::Settings;
use super::{Channel, Context, Links};
use crate::incident::Book;
use crate::rules::Alert;
use crate::sample::{Labels, Timestamp};

/// The receivers and the policy, to be looked at.
#[derive(Debug, Clone, Default)]
pub struct Audience {
    settings: Settings,
    policy: Policy,
    context: Arc<Context>,
}

/// The alerts that keep others from being announced, as they are in one book.
pub struct Inhibited<'b>(Shadows<'b>);

impl Audience {
    /// Those of some settings.
    pub fn of(settings: Settings, context: Context) -> Audience {
        Audience {
            policy: Policy::of(&settings),
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
        let told = self.settings.receivers.iter().filter(|receiver| {
            let everything = matches!(receiver.channel, Channel::Alertmanager(_));
            everything || self.policy.names(&receiver.name, labels)
        });
        told.map(|receiver| receiver.name.as_str()).collect()
    }

    /// What is not announced for the sake of something else, as a book has it.
    pub fn inhibited<'b>(&'b self, book: &'b Book) -> Inhibited<'b> {
        Inhibited(Shadows::of(book, &self.policy.inhibitions))
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

impl<'b> Inhibited<'b> {
    /// The alert for whose sake this one is not announced.
    pub fn by(&self, alert: &Alert) -> Option<&'b Alert> {
        self.0.behind(alert)
    }
}
