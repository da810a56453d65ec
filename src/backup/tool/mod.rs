//! Tools that keep backups themselves: pgBackRest, Barman, WAL-G.
//! Takes how a tool is asked; hands on a sighting of what it tells, or why it tells nothing.

mod answer;
mod barman;
mod carry;
mod field;
mod pgbackrest;
mod walg;
mod words;

use tokio::time::Instant;

use super::settings::{Tool, ToolKind, Way};
use super::{Obstacle, Sighting};
use crate::sample::Timestamp;
use answer::Answer;
pub(super) use carry::carry;

/// One look at one tool: what it is called, and until when it may take.
struct Look<'t> {
    tool: &'t Tool,
    title: String,
    until: Instant,
}

impl Tool {
    /// Asks once. When this is given up, the tool is killed.
    ///
    /// # Errors
    /// Why nothing is known.
    pub(super) async fn look(&self, now: Timestamp) -> Result<Sighting, Obstacle> {
        let look = Look {
            tool: self,
            title: self.title(),
            until: Instant::now() + self.timeout,
        };
        match self.kind {
            ToolKind::PgBackRest => pgbackrest::look(&look, now).await,
            ToolKind::Barman => barman::look(&look, now).await,
            ToolKind::WalG => walg::look(&look).await,
        }
    }

    /// What a person calls it, without the words of the command, which may hold secrets.
    pub(super) fn title(&self) -> String {
        let name = self.kind.name();
        match (&self.kind, self.subject.as_str()) {
            (ToolKind::PgBackRest, stanza) => format!("{name} (stanza {stanza})"),
            (ToolKind::Barman, server) => format!("{name} (server {server})"),
            (ToolKind::WalG, _) => name.into(),
        }
    }

    /// Where its answer comes from, as an address.
    pub(super) fn url(&self) -> String {
        match &self.way {
            Way::Command(_) => format!("{}:{}", self.kind.key(), self.subject),
            Way::File(file) => {
                let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
                format!("file://{}", file.display())
            }
            Way::Url(url) => answer::plain_url(url),
        }
    }

    /// What is the matter with an answer that was written elsewhere and could be read.
    pub(super) fn doubt(&self, sighting: &Sighting, now: Timestamp) -> Option<Obstacle> {
        let age = now.since(sighting.told?);
        (age > self.max_age).then(|| Obstacle::AnswerOld(self.title(), age.as_secs()))
    }
}

impl Look<'_> {
    async fn ask(&self, way: &Way, arguments: &[&str]) -> Result<Answer, Obstacle> {
        answer::ask(self, way, arguments).await
    }

    fn silent(&self) -> Obstacle {
        Obstacle::ToolSilent(self.title.clone(), self.tool.timeout.as_secs().max(1))
    }

    fn failed(&self, words: &str) -> Obstacle {
        let (said, way_out) = (words::shown(words), self.tool.way_out(words));
        Obstacle::ToolFailed(self.title.clone(), format!("{said}{way_out}"))
    }

    fn unreadable(&self, cause: &str) -> Obstacle {
        Obstacle::AnswerUnreadable(self.title.clone(), words::shown(cause))
    }
}

#[cfg(test)]
mod tests;
