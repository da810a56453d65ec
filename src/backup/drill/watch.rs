//! Drills on their rhythm, one at a time over all sources, and what the newest of each showed, as samples.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::run::{Plan, run as drill, work_dir};
use super::{Outcome, Phase, Report, Reports, Rows, Settings};
use crate::backup::Settings as Source;
use crate::backup::metric::{self, Page};
use crate::sample::{Sample, Source as Origin, Timestamp};
use crate::scrape::Board;

/// Reports are looked at this often: a drill by hand leaves one too.
const BEAT: Duration = Duration::from_secs(5);
/// Samples are published at least this often.
const PUBLISHED: Duration = Duration::from_secs(60);
/// What could not be tried is tried again after so long at most: a backup may come, or room.
const AGAIN: Duration = Duration::from_secs(3600);
/// Samples outlive their source by so many beats.
const LIFETIME: u32 = 3;

/// Gives the rows that a server's statistics tell of, by server and database.
pub type Live = Arc<dyn Fn(&str, Option<&str>) -> Rows + Send + Sync>;

/// Drills until stopped.
pub async fn run(
    drills: Vec<Settings>,
    sources: Vec<Source>,
    board: Arc<Board>,
    live: Live,
    reports: Reports,
    state_dir: PathBuf,
    stop: CancellationToken,
) {
    let pairs: Vec<(Settings, Source)> = drills
        .into_iter()
        .filter_map(|settings| {
            let source = sources
                .iter()
                .find(|source| source.name == settings.source)?
                .clone();
            Some((settings, source))
        })
        .collect();
    let watch = Watch {
        reports,
        pairs,
        board,
        live,
        state_dir,
    };
    let tidied = watch.work_dirs();
    let _ = tokio::task::spawn_blocking(move || {
        tidied.iter().for_each(|folder| super::folder::tidy(folder))
    })
    .await;
    watch.declare();
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut running = JoinSet::new();
    let mut drilled = String::new();
    let mut shown: Option<(Vec<Option<Report>>, Timestamp)> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = beat.tick() => {}
            Some(ended) = running.join_next() => if let Err(fault) = ended {
                watch.suffer(&drilled, &fault).await;
            },
        }
        watch.look().await;
        let now = Timestamp::now();
        let newest = watch.newest();
        let is_shown = shown
            .as_ref()
            .is_some_and(|(reports, at)| *reports == newest && now.since(*at) < PUBLISHED);
        if !is_shown {
            watch.publish(&newest, now);
            shown = Some((newest.clone(), now));
        }
        if running.is_empty()
            && let Some((settings, source)) = watch.due(&newest, now)
        {
            drilled.clone_from(&source.name);
            let one = One {
                settings,
                source,
                live: watch.live.clone(),
                reports: watch.reports.clone(),
                state_dir: watch.state_dir.clone(),
                stop: stop.clone(),
            };
            running.spawn_blocking(move || one.run());
        }
    }
    // What was started has ended before the process does.
    while running.join_next().await.is_some() {}
}

struct Watch {
    pairs: Vec<(Settings, Source)>,
    reports: Reports,
    board: Arc<Board>,
    live: Live,
    state_dir: PathBuf,
}

impl Watch {
    fn work_dirs(&self) -> Vec<PathBuf> {
        self.pairs
            .iter()
            .map(|(settings, _)| work_dir(settings, &self.state_dir))
            .collect()
    }

    fn origin(source: &Source) -> Origin {
        Origin::new(&source.server, "", &format!("drill:{}", source.name))
    }

    fn declare(&self) {
        for (_, source) in &self.pairs {
            self.board
                .declare(&Watch::origin(source), PUBLISHED, LIFETIME);
        }
    }

    /// Takes in what drills by hand have left.
    async fn look(&self) {
        let reports = self.reports.clone();
        // A fault there is told by the task that has it; what was known is known.
        let _ = tokio::task::spawn_blocking(move || reports.refresh()).await;
    }

    /// A drill that ended by a fault of ours showed nothing, and must not begin again at once.
    async fn suffer(&self, source: &str, fault: &JoinError) {
        error!(backup.name = %source, error = %fault, "a restore drill ended by itself");
        let why = "pgvigil has a fault of its own, and its log has more of it";
        let report = Report::impossible(source, Timestamp::now(), why);
        let reports = self.reports.clone();
        let _ = tokio::task::spawn_blocking(move || keep(&report, &reports)).await;
    }

    /// The newest report of each source that has a drill, in their order.
    fn newest(&self) -> Vec<Option<Report>> {
        let all = self.reports.all();
        let of = |source: &Source| {
            all.iter()
                .find(|report| report.source == source.name)
                .cloned()
        };
        self.pairs.iter().map(|(_, source)| of(source)).collect()
    }

    fn publish(&self, newest: &[Option<Report>], now: Timestamp) {
        let all = self.reports.all();
        for ((settings, source), _) in self.pairs.iter().zip(newest) {
            let own = all.iter().filter(|report| report.source == source.name);
            let samples = samples(settings, Report::standing(own));
            self.board
                .publish(&Watch::origin(source), now, Duration::ZERO, samples, 0);
        }
    }

    fn due(&self, newest: &[Option<Report>], now: Timestamp) -> Option<(Settings, Source)> {
        let waiting = self.pairs.iter().zip(newest);
        let due = waiting.filter_map(|((settings, source), last)| {
            let at = next(settings, last.as_ref())?;
            (at <= now).then_some((at, settings, source))
        });
        let (_, settings, source) = due.min_by_key(|(at, ..)| *at)?;
        Some((settings.clone(), source.clone()))
    }
}

/// When the next drill is due, by how the last one ended; never without a rhythm.
fn next(settings: &Settings, last: Option<&Report>) -> Option<Timestamp> {
    let every = settings.every?;
    let Some(last) = last else {
        return Some(Timestamp(i64::MIN));
    };
    let wait = match last.outcome {
        Outcome::Impossible(_) => every.min(AGAIN),
        Outcome::Restored | Outcome::Failed(_) => every,
    };
    Some(Timestamp(last.finished.0 + wait.as_millis() as i64))
}

/// What a drill that was tried showed, and what was promised.
fn samples(settings: &Settings, last: Option<&Report>) -> Vec<Sample> {
    let mut page = Page::of(&settings.source);
    page.put(metric::RECOVERY_TIME, &[], settings.rto.as_secs_f64());
    page.put_some(
        metric::DRILL_INTERVAL,
        &[],
        settings.every.map(|every| every.as_secs_f64()),
    );
    if let Some(report) = last {
        page.put(
            metric::DRILL_SUCCESS,
            &[],
            f64::from(u8::from(report.is_good())),
        );
        page.put(
            metric::DRILL_TIMESTAMP,
            &[],
            report.finished.0 as f64 / 1000.0,
        );
        for phase in Phase::ALL {
            let seconds = report.phases.get(&phase).copied().unwrap_or(0.0);
            page.put(metric::DRILL_DURATION, &[("phase", phase.label())], seconds);
        }
        page.put(metric::DRILL_BYTES, &[], report.restored_bytes as f64);
        page.put_some(metric::DRILL_DATA_AGE, &[], report.data_age);
    }
    page.finish()
}

struct One {
    settings: Settings,
    source: Source,
    live: Live,
    reports: Reports,
    state_dir: PathBuf,
    stop: CancellationToken,
}

impl One {
    fn run(self) {
        let live = (self.live)(&self.source.server, self.source.database.as_deref());
        info!(backup.name = %self.source.name, "a restore drill begins");
        let plan = Plan {
            source: &self.source,
            settings: &self.settings,
            backup: None,
            state_dir: &self.state_dir,
            live,
            keeps: false,
            stop: self.stop.clone(),
            tell: &|_| {},
        };
        if let Some(report) = drill(&plan) {
            keep(&report, &self.reports);
        }
    }
}

fn keep(report: &Report, reports: &Reports) {
    let seconds = report.recovery_time().as_secs_f64();
    match &report.outcome {
        Outcome::Restored => {
            info!(backup.name = %report.source, backup.file = %report.backup, duration_s = seconds, "the backup was restored")
        }
        Outcome::Failed(why) => {
            warn!(backup.name = %report.source, backup.file = %report.backup, "the backup could not be restored: {why}")
        }
        Outcome::Impossible(why) => {
            warn!(backup.name = %report.source, "no restore could be tried: {why}")
        }
    }
    if let Err(error) = reports.keep(report) {
        warn!(backup.name = %report.source, "cannot remember the drill, it is repeated after a restart: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Reader, parse};

    fn report(outcome: Outcome) -> Report {
        Report::sample("a", "1", Timestamp(10_000), outcome)
    }

    #[test]
    fn the_next_is_due_by_how_the_last_ended() {
        let week = Settings {
            every: Some(Duration::from_secs(7 * 86_400)),
            ..Settings::usual("a")
        };
        assert_eq!(next(&Settings::usual("a"), None), None);
        assert_eq!(next(&week, None), Some(Timestamp(i64::MIN)));
        let cases = [
            (Outcome::Restored, 7 * 86_400),
            (Outcome::Failed("x".into()), 7 * 86_400),
            (Outcome::Impossible("x".into()), 3600),
        ];
        for (outcome, seconds) in cases {
            let at = next(&week, Some(&report(outcome)));
            assert_eq!(at, Some(Timestamp(10_000 + seconds * 1000)));
        }
    }

    #[tokio::test]
    async fn a_drill_that_ends_by_a_fault_does_not_begin_again_at_once() {
        let state = tempfile::tempdir().unwrap();
        let limits = crate::store::Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 20,
        };
        let store = Arc::new(crate::store::Store::new(&limits, Timestamp(0)));
        let text = parse("test", "backups: [{name: a, files: /b}]").unwrap();
        let source = Reader::new(None).read(&text, Source::read).remove(0);
        let settings = Settings {
            every: Some(Duration::from_secs(86_400)),
            ..Settings::usual("a")
        };
        let watch = Watch {
            pairs: vec![(settings, source)],
            reports: Reports::new(state.path()),
            board: Arc::new(Board::new(store, false)),
            live: Arc::new(|_, _| Rows::new()),
            state_dir: state.path().into(),
        };
        let is_due = || watch.due(&watch.newest(), Timestamp::now()).is_some();
        assert!(is_due());
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        watch.suffer("a", &task.await.unwrap_err()).await;
        assert!(!is_due());
        let newest = watch.newest().remove(0).unwrap();
        assert!(matches!(newest.outcome, Outcome::Impossible(_)));
    }

    #[test]
    fn what_was_not_tried_is_absent() {
        let names = |last: Option<&Report>| -> Vec<String> {
            samples(&Settings::usual("a"), last)
                .iter()
                .map(|sample| sample.family.name.to_string())
                .collect()
        };
        assert_eq!(names(None), ["pg_backup_recovery_time_objective_seconds"]);
        assert_eq!(names(Some(&report(Outcome::Restored))).len(), 9);
    }
}
