//! `pgvigil check`: configuration, rules, receivers, folders, connections, privileges, own collectors and endpoints of
//! remote write, each with what is missing.

mod backups;
mod folders;
mod own;
mod refusals;
mod rules;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::backup::drill;
use crate::collectors::evidence::ANNOTATION;
use crate::collectors::{self, Collector, Plan, Reason};
use crate::config::{Config, Flags, load};
use crate::document::{Outside, Problem};
use crate::rules::{lint, load as load_rules};
use crate::sample::Timestamp;
use crate::server::Server;
use crate::{app, notify, patroni, remote_write};

/// What is checked, and how far.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Options {
    #[command(subcommand)]
    alone: Option<Alone>,
    /// Check files only and connect to nothing
    #[arg(long)]
    offline: bool,
}

/// What can be checked without a configuration.
#[derive(Subcommand)]
enum Alone {
    /// Check rule files alone: what Prometheus would refuse, each mistake with line and column
    Rules(rules::Options),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Finding {
    Good,
    Warning,
    Bad,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Finding::Good => "ok",
            Finding::Warning => "warning",
            Finding::Bad => "bad",
        })
    }
}

/// Prints findings as they come and remembers the worst.
struct Report {
    worst: Finding,
}

impl Report {
    fn say(&mut self, finding: Finding, what: &str, words: &str) -> io::Result<()> {
        let mut out = io::stdout();
        self.worst = self.worst.max(finding);
        let mut lines = words.lines();
        writeln!(
            out,
            "{finding:<8} {what:<14} {}",
            lines.next().unwrap_or_default()
        )?;
        for line in lines {
            writeln!(out, "{:<24}{}", "", line.trim_start())?;
        }
        Ok(())
    }

    fn problems(&mut self, finding: Finding, what: &str, problems: &[Problem]) -> io::Result<()> {
        for problem in problems {
            self.say(finding, what, &problem.to_string())?;
        }
        Ok(())
    }

    fn exit(&self) -> ExitCode {
        super::verdict(self.worst < Finding::Bad)
    }
}

pub(super) fn run(flags: &Flags, options: &Options) -> io::Result<ExitCode> {
    if let Some(Alone::Rules(options)) = &options.alone {
        return rules::run(options);
    }
    let mut report = Report {
        worst: Finding::Good,
    };
    let config = match load(flags) {
        Ok(config) => config,
        Err(problems) => {
            report.problems(Finding::Bad, "configuration", &problems)?;
            // Of what cannot be read nothing was checked.
            let named = flags.config.as_ref();
            return Ok(match named.is_none_or(|file| File::open(file).is_ok()) {
                true => report.exit(),
                false => ExitCode::from(2),
            });
        }
    };
    let origin = config.file.as_ref().map_or_else(
        || "from the environment".into(),
        |file| file.display().to_string(),
    );
    report.say(Finding::Good, "configuration", &origin)?;
    let catalogue = check_collectors(&config, &mut report)?;
    check_rules(&config, catalogue.as_deref(), &mut report)?;
    check_receivers(&config, &mut report)?;
    // Files are checked elsewhere than where they are used, too: there nobody has its secrets and programs.
    let finding = match options.offline {
        true => Finding::Warning,
        false => Finding::Bad,
    };
    let outside = config.outside.iter().filter_map(Outside::problem);
    report.problems(finding, "configuration", &outside.collect::<Vec<Problem>>())?;
    if options.offline {
        return Ok(report.exit());
    }
    let (finding, words) = folders::state(&config.state_dir);
    report.say(finding, "state", &words)?;
    let trials = backups::look(&config, &mut report)?;
    for kept in drill::kept(&config.drills, &config.state_dir) {
        report.say(Finding::Warning, "drills", &kept.words(Timestamp::now()))?;
    }
    // Filled on the way: what is asked of a server is told with it, and drills are judged by it.
    let mut majors = BTreeMap::new();
    let asked = super::in_runtime(async {
        for server in app::servers(&config) {
            let major = check_server(
                &server,
                catalogue.as_deref().unwrap_or_default(),
                &config.collect,
                &mut report,
            )
            .await?;
            majors.extend(major.map(|major| (server.name.to_string(), major)));
        }
        for settings in &config.patronis {
            let (finding, words) = match patroni::ask(settings).await {
                Ok(node) => (Finding::Good, node.to_string()),
                Err(error) => (Finding::Bad, error),
            };
            report.say(finding, &settings.name, &words)?;
        }
        for settings in &config.remote_write {
            let (finding, words) = match remote_write::try_out(settings).await {
                Ok(()) => (Finding::Good, "takes samples".to_owned()),
                Err(error) => (Finding::Bad, format!("takes no samples: {error}")),
            };
            report.say(finding, &settings.name, &words)?;
        }
        Ok(report.exit())
    })?;
    if config.drills.is_empty() {
        return Ok(asked);
    }
    backups::drills(&config, &trials, &majors, &mut report)?;
    Ok(report.exit())
}

/// The catalogue, unless its files have mistakes.
fn check_collectors(
    config: &Config,
    report: &mut Report,
) -> io::Result<Option<Vec<Arc<Collector>>>> {
    match app::catalogue(config) {
        Ok(catalogue) => {
            let words = format!("{} in the catalogue", catalogue.len());
            report.say(Finding::Good, "collectors", &words)?;
            Ok(Some(catalogue))
        }
        Err(problems) => {
            report.problems(Finding::Bad, "collectors", &problems)?;
            Ok(None)
        }
    }
}

/// Without a catalogue nothing is known of the metrics that rules may name.
fn check_rules(
    config: &Config,
    catalogue: Option<&[Arc<Collector>]>,
    report: &mut Report,
) -> io::Result<()> {
    let set = match load_rules(&config.rules) {
        Ok(set) => set,
        Err(problems) => return report.problems(Finding::Bad, "rules", &problems),
    };
    let count: usize = set.groups.iter().map(|group| group.rules.len()).sum();
    let words = format!("{count} rules in {} groups", set.groups.len());
    report.say(Finding::Good, "rules", &words)?;
    report.problems(Finding::Warning, "rules", &set.warnings)?;
    let doubts = notify::doubts(&config.notify, &set.groups);
    report.problems(Finding::Warning, "notify", &doubts)?;
    if let Some(catalogue) = catalogue {
        let impossible =
            set.unknown_metrics(&app::selectable_metrics(catalogue, config.collect.aliases));
        report.problems(Finding::Warning, "rules", &impossible)?;
        let schema = app::schema(catalogue, config.collect.aliases, false);
        report.problems(Finding::Warning, "rules", &lint(&set.groups, &schema))?;
    }
    if let Ok(evidence) = app::evidence(config) {
        let names = evidence
            .iter()
            .map(|query| query.name().to_owned())
            .collect();
        let unknown = set.unknown_names(ANNOTATION, &names);
        report.problems(Finding::Warning, "rules", &unknown)?;
    }
    let beyond = set.beyond(config.store.retention);
    report.problems(Finding::Warning, "rules", &beyond)
}

fn check_receivers(config: &Config, report: &mut Report) -> io::Result<()> {
    let receivers = config.notify.receivers.iter();
    let names: Vec<&str> = receivers.map(|receiver| receiver.name.as_str()).collect();
    if names.is_empty() {
        let words = "nobody would be told: there are no receivers\nhint: write `notify.receivers`, or set \
                     PGVIGIL_SMTP_URL and PGVIGIL_EMAIL_TO";
        return report.say(Finding::Warning, "receivers", words);
    }
    let words = format!("{}: {}", names.len(), names.join(", "));
    report.say(Finding::Good, "receivers", &words)
}

async fn check_server(
    server: &Server,
    catalogue: &[Arc<Collector>],
    settings: &collectors::Settings,
    report: &mut Report,
) -> io::Result<Option<u32>> {
    let facts = match super::facts(server).await {
        Ok(facts) => facts,
        Err(error) => {
            report.say(Finding::Bad, &server.name, &error)?;
            return Ok(None);
        }
    };
    report.say(Finding::Good, &server.name, &super::describe(&facts))?;
    let plan = collectors::plan(catalogue, &facts, settings);
    let own = |collector: &Collector| !collectors::is_built_in(&collector.name);
    for run in plan.runs.iter().filter(|run| own(&run.collector)) {
        for (finding, words) in own::check(server, &facts, run, settings).await {
            report.say(finding, &server.name, &words)?;
        }
    }
    for words in refusals::refusals(server, &plan, settings).await {
        report.say(Finding::Warning, &server.name, &words)?;
    }
    for words in wanting(&plan) {
        report.say(Finding::Warning, &server.name, &words)?;
    }
    for omission in &plan.omitted {
        let named = matches!(omission.reason, Reason::Privilege { .. });
        if own(&omission.collector) && !named {
            let (name, reason) = (&omission.collector.name, &omission.reason);
            let words = format!("collector `{name}` does not run: {reason}");
            report.say(Finding::Good, &server.name, &words)?;
        }
    }
    Ok(Some(facts.major()))
}

/// What the role lacks: each grant once, with the collectors that wait for it.
fn wanting(plan: &Plan) -> Vec<String> {
    let mut by_grant = BTreeMap::<String, (Vec<String>, &str)>::new();
    for omission in &plan.omitted {
        if let Reason::Privilege { missing, grant } = &omission.reason {
            let grant = format!("{grant}{}", missing.place());
            let (names, _) = by_grant
                .entry(grant)
                .or_insert((Vec::new(), &missing.reason));
            names.push(format!("`{}`", omission.collector.name));
        }
    }
    let words = by_grant
        .into_iter()
        .map(|(grant, (names, reason))| match names.as_slice() {
            [name] => format!("collector {name}: {reason}\nhint: {grant}"),
            _ => format!(
                "collectors that cannot run: {}\nhint: {grant}",
                names.join(", ")
            ),
        });
    words.collect()
}
