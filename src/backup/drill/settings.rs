//! `drills:` in the configuration.

use std::path::PathBuf;
use std::time::Duration;

use crate::document::{Node, Place, Reader, Section, Thing, Value, parse_duration};
use crate::sample::Timestamp;

/// How the backups of one source are restored on trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The source whose newest backup is restored.
    pub source: String,
    /// How often; never by itself without.
    pub every: Option<Duration>,
    /// The longest that a recovery may take.
    pub rto: Duration,
    /// Statements that each give one true row when the restored data is as it should be.
    pub assert: Vec<String>,
    /// A statement that gives the time of the newest row.
    pub freshness: Option<String>,
    /// Tables that must be there, as `schema.table` or, in any schema, `table`.
    pub tables: Vec<String>,
    /// How far the rows of a table may be from those of the live server, as a share; not compared without.
    pub tolerance: Option<f64>,
    /// A drill that takes longer has failed.
    pub timeout: Duration,
    /// How many processes restore an archive.
    pub jobs: u64,
    /// Where throw-away clusters live; below the state directory without.
    pub work_dir: Option<PathBuf>,
    /// Folders with the programs of PostgreSQL, beside the usual ones.
    pub binaries: Vec<PathBuf>,
    /// How far WAL is replayed.
    pub target: Target,
    /// Who runs the throw-away cluster when we are root.
    pub user: String,
    /// A superuser of the cluster that physical backups are of.
    pub superuser: String,
    /// The database that is asserted of, where a backup holds several.
    pub database: Option<String>,
    /// The program that restores a backup into a folder, and its arguments.
    pub restore: Vec<String>,
    /// The program that brings a file of WAL, and its arguments.
    pub fetch_wal: Vec<String>,
}

/// How far WAL is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// To its end.
    Latest,
    /// To a moment so long before the drill.
    Ago(Duration),
    /// To a moment.
    At(Timestamp),
}

impl Target {
    /// The moment that is meant at another, where one is.
    pub fn moment(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Target::Latest => None,
            Target::Ago(age) => Some(now.before(age)),
            Target::At(moment) => Some(moment),
        }
    }
}

impl Settings {
    /// Reads the list `drills` of the root section.
    pub fn read_all(root: &mut Section) -> Vec<Settings> {
        let mut sources: Vec<String> = Vec::new();
        let doc = "Restore drills: the newest backup of a source into a throw-away cluster on this machine, to prove that it can be restored. None runs unless it is asked for here.";
        root.list("drills", doc, |s| {
            let settings = Settings::read(s);
            if !s.has("source") && !s.has("source_file") {
                let hint = "the name of one of the `backups`";
                s.problem("source", "`source` is missing", Some(hint));
            }
            if sources.contains(&settings.source) && !settings.source.is_empty() {
                let message = format!("`{}` already has a drill", settings.source);
                s.problem("source", message, Some("write one drill a source"));
            }
            sources.push(settings.source.clone());
            settings.check(s);
            settings
        })
    }

    /// Those of a drill that nobody has configured, for one by hand.
    pub fn usual(source: &str) -> Settings {
        let reader = Reader::new(None);
        let nothing = Node::new(Place::of("drills"), Value::Map(Vec::new()));
        Settings {
            source: source.into(),
            ..reader.read(&nothing, Settings::read)
        }
    }

    fn read(s: &mut Section) -> Settings {
        Settings {
            source: s.text("source", "", "The name of the backup source."),
            every: s.optional_duration("every", "How often; without it only by hand, with `pgvigil backup drill`."),
            rto: s.duration("rto", "30m", "The recovery time objective: the longest that a recovery may take."),
            assert: s.texts("assert", "Statements that each give one true row when the restored data is as it should be, such as `SELECT count(*) > 0 FROM users`."),
            freshness: s.optional_text("freshness", "A statement that gives the time of the newest row, such as `SELECT max(created_at) FROM orders`: a backup can be new and its data old."),
            tables: s.texts("tables", "Tables that must be there, as `schema.table` or `table`."),
            tolerance: s.share_or_off("tolerance", "off", "How far the rows of a table may be from the live server's statistics, such as `10%` (and never less than 100 rows). `off` unless it is set: statistics cannot tell rows that were lost from those that are left out on purpose (excluded or unlogged tables) or were written since. What a dump holds is counted again in any case; what must be there is said with `assert` and `tables`."),
            timeout: s.duration("timeout", "6h", "A drill that takes longer is ended and has failed."),
            jobs: s.count("jobs", "2", "How many processes restore an archive."),
            work_dir: s.optional_path("work_dir", "Where throw-away clusters live while a drill runs; `drill` in the state directory unless it is set. It needs room for the whole database, and no other data."),
            binaries: s.texts("binaries", "Folders with `initdb` and `postgres`, beside those on `PATH`, in `/usr/lib/postgresql` and in `/usr/pgsql-*`.").into_iter().map(PathBuf::from).collect(),
            target: s.parsed("target", "`latest` or a duration", "latest", "How far WAL is replayed over a base backup: to its end, or to a moment so long before the drill.", read_target).unwrap_or(Target::Latest),
            user: s.text("user", "nobody", "Who runs the throw-away cluster when pgvigil runs as root. A backup is code: never name a user who owns anything."),
            superuser: s.text("superuser", "postgres", "A superuser of the cluster that a base backup is of."),
            database: s.optional_text("database", "The database that is asserted of, where a backup holds several; that of the source, or the only one, unless it is set."),
            restore: s.texts("restore", "The program that restores a physical backup into a folder, and its arguments, in which `{folder}`, `{backup}` and `{target}` are replaced. Run as the user of pgvigil."),
            fetch_wal: s.texts("fetch_wal", "The program that brings a file of WAL, and its arguments, in which `{file}` and `{path}` are replaced. Run as the user of pgvigil."),
        }
    }

    fn check(&self, s: &Section) {
        let spans = [
            ("every", self.every),
            ("rto", Some(self.rto)),
            ("timeout", Some(self.timeout)),
        ];
        for (key, span) in spans {
            if span.is_some_and(|span| span.is_zero()) {
                s.problem(key, "must be longer than `0`", None);
            }
        }
        if !(1..=64).contains(&self.jobs) {
            s.problem("jobs", "is no number from 1 to 64", None);
        }
        for (key, words, needed) in [
            ("restore", &self.restore, "{folder}"),
            ("fetch_wal", &self.fetch_wal, "{path}"),
        ] {
            if let Some(program) = words.first() {
                s.names(key, Thing::Program(program.clone()));
            }
            if !words.is_empty() && !words.iter().any(|word| word.contains(needed)) {
                s.problem(key, format!("does not say where `{needed}` goes"), None);
            }
        }
    }
}

fn read_target(text: &str) -> Result<Target, String> {
    if text == "latest" {
        return Ok(Target::Latest);
    }
    parse_duration(text).map(Target::Ago)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Problem, parse};

    fn check(text: &str) -> (Vec<Settings>, Vec<String>) {
        let reader = Reader::new(None);
        let settings = reader.read(&parse("x.yml", text).unwrap(), Settings::read_all);
        let problems = reader.problems();
        (settings, problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn a_drill_needs_only_a_source() {
        let (settings, problems) = check("drills: [{source: nightly}]");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(settings, [Settings::usual("nightly")]);
        assert_eq!(settings[0].every, None);
        assert_eq!(settings[0].rto, Duration::from_secs(1800));
        assert_eq!(settings[0].target, Target::Latest);
        assert_eq!(settings[0].tolerance, None);
    }

    #[test]
    fn every_mistake_at_once() {
        let text = "drills:\n  - {every: 0}\n  - {source: a, target: yesterday, jobs: 0}\n  - {source: a, restore: [tar], rto: 0}\n";
        let (_, problems) = check(text);
        let starts = [
            "x.yml:2:5: drills[0].source: `source` is missing",
            "x.yml:2:13: drills[0].every: must be longer than `0`",
            "x.yml:3:25: drills[1].target: ",
            "x.yml:3:42: drills[1].jobs: is no number",
            "x.yml:4:14: drills[2].source: `a` already has a drill",
            "x.yml:4:26: drills[2].restore: does not say where `{folder}` goes",
            "x.yml:4:38: drills[2].rto: must be longer than `0`",
        ];
        assert_eq!(problems.len(), starts.len(), "{problems:#?}");
        for (problem, start) in problems.iter().zip(starts) {
            assert!(
                problem.starts_with(start),
                "{problem} does not start with {start}"
            );
        }
    }
}
