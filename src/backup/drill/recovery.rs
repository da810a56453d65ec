//! The drill of a physical backup: its cluster replays WAL to its end, or to the moment that is asked for.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::ahead::{self, Journey};
use super::assert::Expected;
use super::binaries::Needed;
use super::choice::{self, Choice};
use super::cluster::{Bench, Cluster};
use super::ending::{Ending, Shown};
use super::failure::{Failure, refused};
use super::folder::{Folder, Owner};
use super::run::Drill;
use super::wal::{self, Archive, Waiter};
use super::{Phase, physical, tool};
use crate::sample::Timestamp;

impl Drill<'_> {
    /// Makes sure, before anything is restored, that WAL leads where it should, as far as its archive shows.
    pub(super) fn look_ahead(&self, choice: &Choice) -> Result<(), Failure> {
        let (plan, target) = (self.plan, self.report.target);
        let words = tool::words(&plan.source.place, plan.settings);
        if target.is_some() && choice.archive.is_none() && words.fetch_wal.is_empty() {
            return Err(Failure::Impossible(
                "a moment is asked for and there is no WAL archive; name it in `wal` of the source"
                    .into(),
            ));
        }
        // What a program of the user's brings may lie anywhere.
        if !plan.settings.fetch_wal.is_empty() {
            return Ok(());
        }
        let Some((archive, need)) = choice.archive.as_ref().zip(choice.need) else {
            return Ok(());
        };
        let ended = choice.ended;
        let journey = Journey {
            need,
            ended,
            target,
        };
        ahead::judge(archive, &journey, Timestamp::now())
    }

    pub(super) fn base(
        &mut self,
        choice: &Choice,
        form: Option<physical::Form>,
        folder: &Folder,
        owner: Owner,
    ) -> Result<(), Failure> {
        let (plan, limits) = (self.plan, self.limits.clone());
        self.enter(Phase::Fetch, &format!("fetching {}", choice.id));
        let chain = match (form, choice::shelf(plan.source)) {
            (Some(form), Some(shelf)) => {
                physical::fetch(shelf.as_ref(), &choice.id, form, folder, &limits)?
            }
            _ => {
                let words = tool::words(&plan.source.place, plan.settings);
                physical::run_tool(&words, &choice.id, folder, &limits)?;
                vec![folder.data()]
            }
        };
        let newest = chain.last().cloned().unwrap_or_else(|| folder.data());
        let installation = self.installation(Needed::Exactly(physical::major(&newest)?))?;
        let bench = Bench::new(&installation, folder, owner, &limits)?;
        self.report.is_alone = Some(bench.is_alone);
        self.enter(Phase::Restore, "preparing the cluster");
        physical::combine(&bench, &chain)?;
        physical::prepare(&bench)?;
        folder
            .hand_over()
            .map_err(refused("cannot hand the cluster over"))?;
        let mut options = physical::options(&bench)?;
        let waiter = self.waiter(choice, folder, owner)?;
        if let Some((command, _)) = &waiter {
            options.push(("restore_command", command.clone()));
            options.push(("recovery_target_action", "promote".into()));
            options.push(("recovery_target_timeline", "latest".into()));
            options.extend(
                self.report
                    .target
                    .map(|target| ("recovery_target_time", physical::time(target))),
            );
            super::fetch::put(&folder.data().join("recovery.signal"), "")?;
            super::folder::give(&folder.data().join("recovery.signal"), owner)
                .map_err(refused("cannot prepare recovery"))?;
        }
        // Who may not connect while it replays asks for no settings as high as where the WAL comes from.
        options.push(("hot_standby", "off".into()));
        self.enter(
            Phase::Replay,
            &format!(
                "starting PostgreSQL {} and replaying WAL",
                installation.major
            ),
        );
        let waiter = waiter.map(|(_, waiter)| waiter);
        let started = bench.start(&plan.settings.superuser, &options);
        let cluster = match &waiter {
            Some(waiter) => self.judge(started, choice, waiter, &said(&bench.log("postgres")))?,
            None => started?,
        };
        let given = waiter.as_ref().map_or(0, |waiter| waiter.asked().given);
        (plan.tell)(&format!("replayed {given} files of WAL"));
        self.report.recovery_point = Some(self.replayed_to(&cluster, choice)?);
        let expected = Expected {
            live: plan.live.clone(),
            ..Expected::default()
        };
        self.assert(&bench, cluster, None, &expected)
    }

    /// Whether replay got as far as it should have.
    fn judge<'b>(
        &self,
        started: Result<Cluster<'b>, Failure>,
        choice: &Choice,
        waiter: &Waiter,
        said: &str,
    ) -> Result<Cluster<'b>, Failure> {
        let listed = choice.archive.as_ref().zip(choice.need);
        // What a program of the user's brings may lie anywhere.
        let listed = listed.filter(|_| self.plan.settings.fetch_wal.is_empty());
        let ending = Ending {
            asked: &waiter.asked(),
            shown: listed.and_then(|(archive, need)| Shown::of(archive, &need)),
            ended: choice.ended,
            target: self.report.target,
            said,
        };
        match started {
            Ok(cluster) => ending.trouble().map_or(Ok(cluster), Err),
            Err(failure) => Err(ending.explain(failure)),
        }
    }

    /// The moment of the last transaction that was replayed, or that which was asked for, or that of the backup.
    fn replayed_to(&self, cluster: &Cluster, choice: &Choice) -> Result<Timestamp, Failure> {
        let last = cluster.ask(
            "template1",
            "SELECT extract(epoch FROM pg_last_xact_replay_timestamp())",
        )?;
        let last = last
            .trim()
            .parse::<f64>()
            .ok()
            .map(|seconds| Timestamp((seconds * 1000.0) as i64));
        let ended = choice.ended.earliest;
        let reached = last.map_or(ended, |last| last.max(ended));
        Ok(self.report.target.unwrap_or(reached))
    }

    /// Whoever answers the server's requests for WAL, and the command by which it asks.
    fn waiter(
        &self,
        choice: &Choice,
        folder: &Folder,
        owner: Owner,
    ) -> Result<Option<(String, Waiter)>, Failure> {
        let (plan, socket) = (self.plan, folder.ours("wal"));
        let words = tool::words(&plan.source.place, plan.settings);
        let archive = if words.fetch_wal.is_empty() {
            if choice.archive.is_none() {
                return Ok(None);
            }
            let own = choice::shelf(plan.source);
            let shelves: Vec<_> = plan
                .source
                .wal
                .iter()
                .map(|files| files.shelf())
                .chain(own)
                .collect();
            Archive::Shelves(shelves)
        } else {
            Archive::Command(words.fetch_wal, folder.data().display().to_string())
        };
        let program = folder.ours("pgvigil");
        let copy = || -> std::io::Result<()> {
            // Its own copy: who runs the cluster may not reach ours, and ours may be replaced meanwhile.
            std::fs::copy("/proc/self/exe", &program)?;
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
            std::os::unix::fs::chown(&program, None, owner.map(|(_, group)| group))
        };
        copy().map_err(refused("cannot prepare the hand-over of WAL"))?;
        let waiter = Waiter::start(&socket, archive, folder.ours("segment"), &self.limits)?;
        Ok(Some((wal::restore_command(&program, &socket), waiter)))
    }
}

fn said(log: &Path) -> String {
    std::fs::read(log).map_or_else(
        |_| String::new(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}
