//! One drill, from the choice of a backup to the report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::assert::{self, Expected, Rows};
use super::binaries::{self, Installation, Needed};
use super::choice::{self, Choice, Form};
use super::cluster::{Bench, Cluster, SUPERUSER};
use super::failure::{Failure, refused};
use super::folder::{Folder, Owner, Turn};
use super::logical;
use super::program::Limits;
use super::settings::Settings;
use super::{Check, Outcome, Phase, Report};
use crate::backup::Settings as Source;
use crate::sample::Timestamp;

/// What is to be restored, and how.
pub struct Plan<'p> {
    /// The source.
    pub source: &'p Source,
    /// How its backups are restored on trial.
    pub settings: &'p Settings,
    /// A backup by name, instead of the newest that is whole.
    pub backup: Option<String>,
    /// The state directory.
    pub state_dir: &'p Path,
    /// What the live server's statistics tell of its tables.
    pub live: Rows,
    /// Whether the cluster's folder stays.
    pub keeps: bool,
    /// Ends the drill before its time.
    pub stop: CancellationToken,
    /// Told what is being done, for a person who waits.
    pub tell: &'p dyn Fn(&str),
}

/// Where throw-away clusters live.
pub(super) fn work_dir(settings: &Settings, state_dir: &Path) -> PathBuf {
    settings
        .work_dir
        .clone()
        .unwrap_or_else(|| state_dir.join("drill"))
}

/// Runs a drill; this blocks, and everything it starts has ended when it returns. `None` when it was stopped.
pub fn run(plan: &Plan) -> Option<Report> {
    let started = Timestamp::now();
    let mut drill = Drill {
        plan,
        limits: Limits {
            deadline: Instant::now() + plan.settings.timeout,
            timeout: plan.settings.timeout,
            stop: plan.stop.clone(),
        },
        phases: BTreeMap::new(),
        phase: Phase::Fetch,
        since: Instant::now(),
        report: Report {
            source: plan.source.name.clone(),
            backup: plan.backup.clone().unwrap_or_default(),
            kind: None,
            started,
            finished: started,
            recovery_point: None,
            target: plan.settings.target.moment(started),
            phases: BTreeMap::new(),
            outcome: Outcome::Restored,
            restored_bytes: 0,
            data_age: None,
            checks: Vec::new(),
            major: None,
            is_alone: None,
        },
    };
    let ended = drill.whole();
    drill.note();
    let mut report = drill.report;
    report.phases = drill.phases;
    report.finished = Timestamp::now();
    report.outcome = match ended {
        Ok(()) => outcome(&report.checks),
        Err(Failure::Stopped) => return None,
        Err(Failure::Bad(words)) => Outcome::Failed(format!("{}: {words}", drill.phase.label())),
        Err(Failure::Impossible(words)) => Outcome::Impossible(words),
    };
    Some(report)
}

fn outcome(checks: &[Check]) -> Outcome {
    let wrong = checks.iter().find(|check| check.holds == Some(false));
    wrong.map_or(Outcome::Restored, |check| {
        Outcome::Failed(format!(
            "{}: {}: {}",
            Phase::Assert.label(),
            check.name,
            check.found
        ))
    })
}

/// A drill that is under way.
pub(super) struct Drill<'p> {
    pub(super) plan: &'p Plan<'p>,
    pub(super) limits: Limits,
    phases: BTreeMap<Phase, f64>,
    phase: Phase,
    since: Instant,
    pub(super) report: Report,
}

impl Drill<'_> {
    /// A new phase begins.
    pub(super) fn enter(&mut self, phase: Phase, words: &str) {
        self.note();
        (self.phase, self.since) = (phase, Instant::now());
        (self.plan.tell)(words);
    }

    fn note(&mut self) {
        *self.phases.entry(self.phase).or_default() += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
    }

    fn whole(&mut self) -> Result<(), Failure> {
        let plan = self.plan;
        if self
            .report
            .target
            .is_some_and(|target| target > Timestamp::now())
        {
            return Err(Failure::Impossible(
                "the moment that is asked for lies ahead".into(),
            ));
        }
        let owner = owner(&plan.settings.user)?;
        if plan.settings.work_dir.is_none() {
            // It may be the first of all that is kept there.
            std::fs::create_dir_all(plan.state_dir)
                .map_err(refused("cannot make the state directory"))?;
        }
        let turn = Turn::take(&work_dir(plan.settings, plan.state_dir), owner)?;
        (plan.tell)("looking for the backup");
        let choice = choice::choose(plan, self.report.target, &self.limits)?;
        self.report.backup.clone_from(&choice.id);
        self.report.kind = Some(choice.kind);
        self.report.recovery_point = Some(choice.recovery_point());
        if choice.kind.is_physical() {
            (self.phase, self.since) = (Phase::Replay, Instant::now());
            self.look_ahead(&choice)?;
            self.phase = Phase::Fetch;
        }
        turn.make_sure_of_room(choice.room)?;
        let folder = turn.folder(owner)?;
        self.since = Instant::now();
        let restored = match &choice.form {
            Form::Dump(form, _) => self.dump(&choice, *form, &folder, owner),
            Form::Base(form) => self.base(&choice, Some(*form), &folder, owner),
            Form::Tool => self.base(&choice, None, &folder, owner),
        };
        self.note();
        if plan.keeps {
            let kept = folder
                .keep()
                .map_err(refused("cannot keep the folder of the drill"))?;
            (plan.tell)(&format!(
                "the cluster is kept in {}; remove it when it is of no more use",
                kept.display()
            ));
        }
        restored
    }

    fn dump(
        &mut self,
        choice: &Choice,
        form: logical::Form,
        folder: &Folder,
        owner: Owner,
    ) -> Result<(), Failure> {
        let Form::Dump(_, verdict) = &choice.form else {
            return Ok(());
        };
        let Some(shelf) = choice::shelf(self.plan.source) else {
            return Ok(());
        };
        let needed = form.needed(shelf.as_ref(), &choice.id, verdict);
        let installation = self.installation(needed)?;
        let limits = self.limits.clone();
        let bench = Bench::new(&installation, folder, owner, &limits)?;
        self.report.is_alone = Some(bench.is_alone);
        self.enter(Phase::Fetch, &format!("fetching {}", choice.id));
        let dump = logical::fetch(&bench, shelf.as_ref(), &choice.id, form)?;
        bench.initdb()?;
        self.enter(
            Phase::Start,
            &format!("starting PostgreSQL {}", installation.major),
        );
        let options = [
            ("wal_level", "minimal".to_owned()),
            ("max_wal_senders", "0".to_owned()),
        ];
        let cluster = bench.start(SUPERUSER, &options).map_err(ours)?;
        self.enter(Phase::Restore, "restoring");
        let restored = logical::restore(&bench, &cluster, &dump, self.plan.settings)?;
        // A whole cluster's databases may have tables of one name.
        let rows = if restored.database.is_some() {
            verdict.tables.clone()
        } else {
            Vec::new()
        };
        let expected = Expected {
            rows,
            listed: restored.listed,
            live: self.plan.live.clone(),
        };
        self.assert(&bench, cluster, restored.database, &expected)
    }

    pub(super) fn installation(&mut self, needed: Needed) -> Result<Installation, Failure> {
        let installation = binaries::find(&self.plan.settings.binaries, needed)?;
        self.report.major = Some(installation.major);
        Ok(installation)
    }

    pub(super) fn assert(
        &mut self,
        bench: &Bench,
        cluster: Cluster,
        database: Option<String>,
        expected: &Expected,
    ) -> Result<(), Failure> {
        self.enter(Phase::Assert, "asking whether all is there");
        let settings = self.plan.settings;
        let database = match database {
            Some(database) => database,
            None => self.database(&cluster)?,
        };
        self.report.restored_bytes = cluster.bytes()?;
        self.report.checks = assert::checks(bench, &cluster, &database, expected, settings)?;
        if let Some(sql) = &settings.freshness {
            let (age, check) = assert::age(&cluster, &database, sql, self.report.recovery_point);
            self.report.data_age = age;
            self.report.checks.push(check);
        }
        self.note();
        cluster.quit();
        self.limits.check()
    }

    /// The database that is asserted of, where there are several.
    fn database(&self, cluster: &Cluster) -> Result<String, Failure> {
        let named = self
            .plan
            .settings
            .database
            .as_ref()
            .or(self.plan.source.database.as_ref());
        let all = cluster.databases()?;
        if let Some(named) = named {
            return if all.contains(named) {
                Ok(named.clone())
            } else {
                Err(Failure::Bad(format!(
                    "there is no database `{named}` in it"
                )))
            };
        }
        let mut others = all.into_iter().filter(|name| name != "postgres");
        match (others.next(), others.next()) {
            (Some(only), None) => Ok(only),
            _ => Ok("postgres".into()),
        }
    }
}

/// A server over an empty cluster that does not start says nothing about the backup.
fn ours(failure: Failure) -> Failure {
    match failure {
        Failure::Bad(words) if words.starts_with("the server ended") => Failure::Impossible(words),
        other => other,
    }
}

/// Who runs the cluster when we are root, whom PostgreSQL refuses.
pub(super) fn owner(name: &str) -> Result<Owner, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name))
            .then(|| Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?)))?
    });
    match found {
        Some((0, _)) | None => Err(Failure::Impossible(format!(
            "there is no user `{name}` other than root to run the cluster as; name one who owns nothing in `user`"
        ))),
        some => Ok(some),
    }
}
