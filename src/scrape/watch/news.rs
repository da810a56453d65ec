//! What a lane waits for. Takes the plan, the server's health and the timetable; hands on when there is something to do.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Watch;
use crate::scrape::job::Job;
use crate::scrape::liveness::Health;
use crate::scrape::timetable::Timetable;

/// What a lane waits for: a new plan, the server's return, or its next job.
pub(super) struct News {
    jobs: watch::Receiver<Vec<Arc<Job>>>,
    health: watch::Receiver<Health>,
}

impl News {
    pub(super) fn of(watch: &Watch) -> Self {
        News {
            jobs: watch.jobs.subscribe(),
            health: watch.health.subscribe(),
        }
    }

    pub(super) async fn wait(
        &mut self,
        watch: &Watch,
        table: &mut Timetable,
        mine: impl Fn(&Job) -> bool,
    ) {
        let due = table.next().map(|due| watch.begun + due);
        tokio::select! {
            // A lane that is always late must still hear of a new plan.
            biased;
            Ok(()) = self.jobs.changed() => {
                let jobs = self.jobs.borrow_and_update().clone();
                table.replace(jobs.into_iter().filter(|job| mine(job)), watch.now());
            }
            Ok(()) = self.health.changed() => {
                if *self.health.borrow_and_update() == Health::Up {
                    table.hurry(watch.now());
                }
            }
            () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {}
        }
    }
}
