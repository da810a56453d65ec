//! The sign of life of a PgBouncer: asked for as often as its console is read, for nobody acts on it within a second.

use tokio::time::{Instant, sleep_until};

use super::liveness::{LIVENESS, Liveness, UP, VALID};
use crate::sample::{Metric, Sample, Source, Timestamp};

pub(super) const PGBOUNCER_UP: Metric = Metric::gauge(
    "pgbouncer_up",
    "Whether the console of the PgBouncer answers (1) or not (0).",
);

impl Liveness<'_> {
    /// Asks for ever.
    pub(super) async fn watch_over_console(self) {
        let source = Source::new(&self.server.name, "", LIVENESS);
        self.board.declare(&source, self.interval + VALID, 1);
        loop {
            let begun = Instant::now();
            let answer = self.server.alive().await;
            let (at, took) = (Timestamp::now(), begun.elapsed());
            let mut samples = samples(answer.is_ok());
            samples.push(UP.sample(&[], 1.0));
            self.board.publish(&source, at, took, samples, 0);
            if let Err(error) = &answer {
                self.board.fail(&source, at, took, error.to_string());
            }
            self.tell(begun, &answer);
            sleep_until(begun + self.interval).await;
        }
    }
}

/// The sample of a sign of life or of its absence.
pub(super) fn samples(up: bool) -> Vec<Sample> {
    vec![PGBOUNCER_UP.sample(&[], f64::from(u8::from(up)))]
}
