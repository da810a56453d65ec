//! One look: at the place, at the WAL archive that lies apart, and at the log of the job.

use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinSet};
use tracing::{error, info, warn};

use super::Watch;
use crate::backup::archive::{Shown, Texts};
use crate::backup::log::{Followed, Log};
use crate::backup::settings::Place;
use crate::backup::source::Look;
use crate::backup::{Obstacle, Reports, Settings};
use crate::sample::Timestamp;

pub(super) type Looks = JoinSet<Looked>;

/// What one look brought.
pub(super) struct Looked {
    pub(super) look: Result<(Look, Option<Shown>), Obstacle>,
    pub(super) took: Duration,
    pub(super) log: Option<(Followed, Log)>,
}

impl Watch {
    pub(super) fn begin_look(&mut self, looks: &mut Looks) -> bool {
        // A file server that is gone can hold a look for ever; another would only be held too.
        if looks.is_empty() {
            let (settings, texts) = (self.settings.clone(), self.texts.clone());
            let (followed, reports) = (self.followed.clone(), self.reports.clone());
            self.look_began = Some(Instant::now());
            match settings.place.clone() {
                // Such a look ends with the watch, and with it the tool that it runs.
                Place::Tool(tool) => looks.spawn(async move {
                    let began = Instant::now();
                    let told = tool.look(Timestamp::now()).await.map(Look::Sighting);
                    let rest = move || {
                        let look = told.and_then(|look| settings.look_apart(look, &texts[1]));
                        let took = began.elapsed();
                        let log = follow(&settings, followed);
                        reports.refresh();
                        Looked { look, took, log }
                    };
                    tokio::task::block_in_place(rest)
                }),
                Place::Files(_) => {
                    looks.spawn_blocking(move || look(&settings, &texts, followed, &reports))
                }
            };
        }
        false
    }

    /// A look that ended by a fault of ours has shown nothing.
    pub(super) fn suffer(&mut self, fault: &JoinError) -> bool {
        let name = &self.settings.name;
        error!(backup.name = %name, error = %fault, "a look at the backups ended by itself");
        let waited = self.look_began.take();
        let waited = waited.map(|began| began.elapsed()).unwrap_or_default();
        self.fail(self.settings.place.fault(), waited);
        true
    }

    pub(super) fn take_log(&mut self, read: Option<(Followed, Log)>) {
        let Some((followed, log)) = read else {
            return;
        };
        let name = &self.settings.name;
        let was_unreadable = self
            .facts
            .log
            .as_ref()
            .is_some_and(|log| log.obstacle.is_some());
        if let (Some(obstacle), false) = (&log.obstacle, was_unreadable) {
            warn!(backup.name = %name, "{obstacle}");
        }
        if log.is_torn {
            info!(backup.name = %name, "the log was rotated or cut: what was last written before that is not beside it as `.1`, and may be unread");
        }
        let is_news = followed != self.followed;
        (self.followed, self.facts.log) = (followed, Some(log));
        if let (true, Err(error)) = (is_news, self.followed.save(&self.state_dir, name)) {
            warn!(backup.name = %name, "cannot remember how far the log was read: {error}");
        }
    }
}

/// Looks once, as the watch does, and for drills that have ended since. This blocks.
pub(super) fn look(
    settings: &Settings,
    texts: &[Texts; 2],
    followed: Followed,
    reports: &Reports,
) -> Looked {
    reports.refresh();
    let log = follow(settings, followed);
    let began = Instant::now();
    let look = settings.look_at(texts);
    Looked {
        look,
        took: began.elapsed(),
        log,
    }
}

fn follow(settings: &Settings, mut followed: Followed) -> Option<(Followed, Log)> {
    let path = settings.log.as_deref()?;
    // An error is told until the next run should have come to its end, and not twice for a daily failure.
    let log = followed.read(path, settings.due(), Timestamp::now());
    Some((followed, log))
}

#[cfg(test)]
mod tests {
    use super::super::Part;
    use super::*;
    use crate::document::{Reader, parse};

    #[tokio::test]
    async fn a_look_that_ends_by_a_fault_is_an_obstacle() {
        let text = parse("test", "backups: [{name: n, files: /b}]").unwrap();
        let settings = Reader::new(None).read(&text, Settings::read).remove(0);
        let state = tempfile::tempdir().unwrap();
        let part = Part {
            is_first: false,
            is_compared: false,
        };
        let reports = Reports::new(state.path());
        let mut watch = Watch::new(settings, part, reports, state.path());
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        let fault = task.await.unwrap_err();
        watch.look_began = Some(Instant::now());
        assert!(watch.suffer(&fault), "it is news");
        let obstacle = watch.facts.obstacle.unwrap();
        assert_eq!(obstacle, Obstacle::Fault("/b".into()));
        assert!(Obstacle::PROBLEMS.contains(&obstacle.problem()));
    }
}
