//! The timers of one server: its sign of life, its facts, the two lanes of its collectors, and the report on them.

mod news;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::admission::Admission;
use super::board::Board;
use super::doubts::Doubts;
use super::job::Job;
use super::liveness::{Health, LIVENESS, Liveness, SESSION};
use super::memory::Memory;
use super::pace::Pace;
use super::reading::{self, Through};
use super::report::{REPORT, Report};
use super::sign::Signs;
use super::timetable::Timetable;
use crate::collectors::{Collector, Sampled, Settings, plan};
use crate::sample::{Source, Timestamp};
use crate::server::{Kind, Lane, ReadError, Server};
use news::News;

/// Facts that may change while a connection lasts (role, extensions, databases) are read this often.
const FACTS: Duration = Duration::from_secs(60);

const RETRY: Duration = Duration::from_secs(1);

/// How often what tells about the reading itself is written down, whatever the interval of the collectors.
const REPORTING: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(15);

/// Sources that are no collectors, of which the report does not tell.
const NO_COLLECTORS: [&str; 3] = [REPORT, LIVENESS, SESSION];

/// Everything that happens around one server.
pub(super) struct Watch {
    server: Arc<Server>,
    collectors: Arc<[Arc<Collector>]>,
    settings: Arc<Settings>,
    board: Arc<Board>,
    signs: Arc<Signs>,
    begun: Instant,
    health: watch::Sender<Health>,
    doubts: Doubts,
    admission: Admission,
    pace: Pace,
    memory: Memory,
    jobs: watch::Sender<Vec<Arc<Job>>>,
}

impl Watch {
    pub(super) fn new(
        server: Arc<Server>,
        collectors: &Arc<[Arc<Collector>]>,
        settings: &Arc<Settings>,
        board: &Arc<Board>,
        signs: &Arc<Signs>,
    ) -> Self {
        Watch {
            server,
            collectors: Arc::clone(collectors),
            settings: Arc::clone(settings),
            board: Arc::clone(board),
            signs: Arc::clone(signs),
            begun: Instant::now(),
            health: watch::Sender::new(Health::Unknown),
            doubts: Doubts::default(),
            admission: Admission::default(),
            pace: Pace::new(settings),
            memory: Memory::new(settings.max_series),
            jobs: watch::Sender::new(Vec::new()),
        }
    }

    /// Runs for ever; dropping it closes the connections.
    pub(super) async fn run(self) {
        tokio::join!(
            self.liveness().watch_over(),
            self.plan(),
            self.read_quick(),
            self.read_slow(),
            self.report(),
        );
    }

    fn liveness(&self) -> Liveness<'_> {
        Liveness {
            server: &self.server,
            board: &self.board,
            signs: &self.signs,
            health: &self.health,
            doubts: &self.doubts,
            interval: self.reporting(),
        }
    }

    fn reporting(&self) -> Duration {
        let (least, most) = (*REPORTING.start(), *REPORTING.end());
        self.settings.interval.clamp(least, most)
    }

    /// Plans anew on every connection and every minute.
    async fn plan(&self) {
        let mut health = self.health.subscribe();
        loop {
            if health
                .wait_for(|health| *health == Health::Up)
                .await
                .is_err()
            {
                return;
            }
            let session = self.server.sessions_opened();
            match self.server.facts().await {
                Ok(facts) => {
                    self.admission.plan(&facts);
                    let plan = plan(&self.collectors, &facts, &self.settings);
                    self.adopt(Job::all(&self.server.name, &plan));
                    self.until_facts_may_differ(session).await;
                }
                Err(error) => {
                    tracing::debug!(server.name = self.server.name, %error, "facts could not be read");
                    sleep(RETRY).await;
                }
            }
        }
    }

    async fn until_facts_may_differ(&self, session: u64) {
        let end = Instant::now() + FACTS;
        while Instant::now() < end && self.server.sessions_opened() == session {
            sleep(RETRY).await;
        }
    }

    /// Declares what is new, retires what is no longer planned.
    fn adopt(&self, jobs: Vec<Arc<Job>>) {
        let jobs = self.as_known(jobs);
        let planned: HashSet<&Source> = jobs.iter().map(|job| &job.source).collect();
        for job in self.jobs.borrow().iter() {
            if !planned.contains(&job.source) {
                self.board.retire(&job.source, Timestamp::now());
            }
        }
        self.pace.keep(&planned);
        for job in &jobs {
            self.board
                .declare(&job.source, job.interval(), job.run.collector.lifetime);
        }
        self.board.planned(&self.server.name);
        self.memory.plan(&jobs);
        self.jobs.send_replace(jobs);
    }

    /// The jobs of a plan, with those that were there before in their places.
    fn as_known(&self, jobs: Vec<Arc<Job>>) -> Vec<Arc<Job>> {
        let known = self.jobs.borrow();
        let known: HashMap<&Source, &Arc<Job>> =
            known.iter().map(|job| (&job.source, job)).collect();
        let same = |job: Arc<Job>| match known.get(&job.source) {
            Some(known) if known.is_same(&job) => Arc::clone(known),
            _ => job,
        };
        jobs.into_iter().map(same).collect()
    }

    /// Connection A: quick collectors, one after another.
    async fn read_quick(&self) {
        let mut table = Timetable::default();
        let mut news = News::of(self);
        loop {
            news.wait(self, &mut table, Job::is_quick).await;
            if let Some(job) = table.due(self.now()) {
                if !self.fail_if_down(&job) {
                    let mut through = Through::Held(&self.server);
                    let outcome = reading::read(&job, &mut through, &self.memory).await;
                    self.take(&job, outcome);
                }
                table.done(&job, self.now());
            }
        }
    }

    /// Connection B: slow collectors, one database after another.
    async fn read_slow(&self) {
        let mut table = Timetable::default();
        let mut news = News::of(self);
        loop {
            news.wait(self, &mut table, |job| !job.is_quick()).await;
            if let Some(first) = table.due(self.now()) {
                let due = table.due_with(&first, self.now());
                self.visit(&due, first.place()).await;
                for job in due {
                    table.done(&job, self.now());
                }
            }
        }
    }

    /// Reads everything that is due in one place, on a new visit where a statement ended the last.
    async fn visit(&self, due: &[Arc<Job>], (database, lane): (Option<&str>, Lane)) {
        let mut visit = None;
        for (place, job) in due.iter().enumerate() {
            if self.fail_if_down(job) {
                continue;
            }
            // Evidence is waited for: it goes first, and the visit goes on after it.
            if self.server.is_wanted() || visit.as_ref().is_none_or(crate::server::Visit::is_over) {
                drop(visit.take());
                let opened = self.server.visit(lane, database).await;
                if let Some(database) = database {
                    self.admission.visited(database, opened.is_ok());
                }
                match opened {
                    Ok(opened) => visit = Some(opened),
                    // Who is not let in for one job is not let in for the next.
                    Err(error) => {
                        for job in &due[place..] {
                            let failed = (Duration::ZERO, Err(error.clone()));
                            reading::publish(job, &self.board, &self.doubts, failed);
                        }
                        return;
                    }
                }
            }
            if let Some(visit) = &mut visit {
                let mut through = Through::Visit(visit);
                let outcome = reading::read(job, &mut through, &self.memory).await;
                self.take(job, outcome);
            }
        }
    }

    /// Hands a reading on. What it cost may change the interval from here on, and with it how long its samples live.
    fn take(&self, job: &Arc<Job>, outcome: (Duration, Result<Sampled, ReadError>)) {
        if !matches!(outcome.1, Err(ReadError::Connection(_))) {
            self.pace.note(job, outcome.0);
        }
        reading::publish(job, &self.board, &self.doubts, outcome);
        if job.widen(self.pace.factor(job)) {
            self.board.pace(&job.source, job.interval());
        }
    }

    /// A server that is known to be down is not asked by every collector, nor does the log say it for each.
    fn fail_if_down(&self, job: &Job) -> bool {
        let Health::Down(why) = self.health.borrow().clone() else {
            return false;
        };
        self.board
            .fail(&job.source, Timestamp::now(), Duration::ZERO, why);
        true
    }

    /// How the collectors are doing, as samples.
    async fn report(&self) {
        let source = Source::new(&self.server.name, "", REPORT);
        let every = self.reporting();
        self.board.declare(&source, every, 3);
        let mut report = Report::of(self.server.kind());
        loop {
            sleep(every).await;
            let begun = Instant::now();
            let mut statuses = self.board.statuses_of(&self.server.name);
            statuses.retain(|status| !NO_COLLECTORS.contains(&status.source.collector.as_ref()));
            let mut samples = report.samples(&statuses, self.pace.load());
            let down = matches!(*self.health.borrow(), Health::Down(_));
            if self.server.kind() == Kind::PostgreSql && !down {
                samples.extend(self.admission.samples());
            }
            self.board
                .publish(&source, Timestamp::now(), begun.elapsed(), samples, 0);
        }
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}
