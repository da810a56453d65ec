//! `pgvigil backup drill`: restores a backup on trial by hand.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::query::moment;
use crate::app::live_rows;
use crate::backup::Settings as Source;
use crate::backup::drill::{self, Outcome, Plan, Reports, Settings, Target};
use crate::config::Config;
use crate::sample::Timestamp;
use crate::store::Store;

/// What is restored, and how.
#[derive(Args)]
pub(super) struct Options {
    /// The source, by its name among the `backups`; not needed where there is only one
    source: Option<String>,
    /// The backup, by its name in the source; default the newest that is whole
    #[arg(long, value_name = "NAME")]
    backup: Option<String>,
    /// Replay WAL up to this moment: seconds since 1970, `2026-01-31T12:00:00Z`, a local `2026-01-31 12:00`, or a time ago
    /// such as `-1h`; default what is configured, else all there is
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    target: Option<String>,
    /// Keep the cluster's folder
    #[arg(long)]
    keep: bool,
    /// Where the throw-away cluster lives
    #[arg(long, value_name = "FOLDER")]
    work_dir: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Exit code 0 when the backup was restored, 1 when not, 2 when it could not be tried.
pub(super) async fn run(config: Config, options: Options) -> io::Result<ExitCode> {
    let (source, settings) = match chosen(&config, &options) {
        Ok(chosen) => chosen,
        Err(error) => return Ok(super::cannot_run(&error)),
    };
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let state_dir = config.state_dir.clone();
    let (keeps, backup, stopped) = (options.keep, options.backup.clone(), stop.clone());
    let mut drill = tokio::task::spawn_blocking(move || {
        let began = Instant::now();
        let shows = io::stderr().is_terminal();
        let tell = |words: &str| {
            if shows || keeps && words.starts_with("the cluster is kept") {
                let _ = writeln!(
                    io::stderr(),
                    "{:>7.1} s  {words}",
                    began.elapsed().as_secs_f64()
                );
            }
        };
        let live = Store::open_snapshot(&state_dir.join("snapshot"))
            .map(|(store, taken)| {
                live_rows(&store, taken, &source.server, source.database.as_deref())
            })
            .unwrap_or_default();
        let plan = Plan {
            source: &source,
            settings: &settings,
            backup,
            state_dir: &state_dir,
            live,
            keeps,
            stop: stopped,
            tell: &tell,
        };
        let report = drill::run(&plan);
        // What could not be tried by hand, for a slip or because another drill is running, says nothing of the backups.
        if let Some(report) = &report
            && !matches!(report.outcome, Outcome::Impossible(_))
            && let Err(error) = Reports::new(&state_dir).keep(report)
        {
            eprintln!(
                "warning: cannot keep the report in `{}`: {error}",
                state_dir.display()
            );
        }
        report
    });
    let report = loop {
        tokio::select! {
            report = &mut drill => break report.map_err(io::Error::other)?,
            _ = terminate.recv() => stop.cancel(),
            _ = interrupt.recv() => stop.cancel(),
        }
    };
    let Some(report) = report else {
        eprintln!("error: stopped; nothing of the drill is left");
        return Ok(ExitCode::from(2));
    };
    if options.json {
        writeln!(io::stdout(), "{}", format_args!("{:#}", report.json()))?;
    } else {
        write!(io::stdout(), "{}", drill::words(&report))?;
    }
    Ok(match report.outcome {
        Outcome::Restored => ExitCode::SUCCESS,
        Outcome::Failed(_) => ExitCode::from(1),
        Outcome::Impossible(_) => ExitCode::from(2),
    })
}

fn chosen(config: &Config, options: &Options) -> anyhow::Result<(Source, Settings)> {
    let names: Vec<&str> = config
        .backups
        .iter()
        .map(|backup| backup.name.as_str())
        .collect();
    let name = match (&options.source, config.drills.as_slice(), names.as_slice()) {
        (Some(name), ..) => name.as_str(),
        (None, [only], _) => only.source.as_str(),
        (None, _, [only]) => only,
        (None, _, []) => anyhow::bail!("no `backups` are configured"),
        (None, ..) => anyhow::bail!(
            "there are several sources: name one of {}",
            names.join(", ")
        ),
    };
    let Some(source) = config.backups.iter().find(|backup| backup.name == name) else {
        anyhow::bail!(
            "`{name}` is none of the `backups`, which are {}",
            names.join(", ")
        );
    };
    let configured = config
        .drills
        .iter()
        .find(|drill| drill.source == name)
        .cloned();
    let mut settings = configured.unwrap_or_else(|| Settings::usual(name));
    if let Some(target) = &options.target {
        let target = moment(target, Timestamp::now())
            .map_err(|words| anyhow::anyhow!("`--target`: {words}"))?;
        settings.target = Target::At(target);
    }
    if let Some(work_dir) = &options.work_dir {
        settings.work_dir = Some(work_dir.clone());
    }
    Ok((source.clone(), settings))
}
