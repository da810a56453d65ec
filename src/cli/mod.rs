//! The command line: one file per subcommand. Takes arguments; hands on an exit code.

mod backup;
mod check;
mod client;
mod demo;
mod drill;
mod explain;
mod grants;
mod guard;
mod import;
mod notify;
mod once;
mod query;
mod reference;
mod replay;
mod rules;
mod serve;
mod silence;
mod stdout;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::backup::drill::{FETCH, GUARD};
use crate::config::{Config, Flags, load};
use crate::document::Problem;
use crate::server::{Facts, Kind, Server, ServerError};
use crate::{incident, web};

pub use reference::reference;

/// The stack of each thread. The deepest expression that is taken needs some 3 MB of it in a build without optimisation;
/// what is not used takes no memory.
const STACK: usize = 16 << 20;

/// How long blocking reads may take to end before the process leaves them.
const FAREWELL: Duration = Duration::from_secs(2);

/// Keeps watch over PostgreSQL: metrics, rules, alerts and backups in one binary.
///
/// With nothing but DATABASE_URL it watches that server with every default. Without a subcommand it serves.
#[derive(Parser)]
#[command(name = "pgvigil", version, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every subcommand understands.
#[derive(Args, Clone, Default)]
struct Global {
    /// The configuration file; default `pgvigil.yml` here, then `/etc/pgvigil/pgvigil.yml`
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the page and /metrics answer, such as 127.0.0.1:9187
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The folder for what must outlive a restart
    #[arg(long, global = true, value_name = "FOLDER")]
    state_dir: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Watch the servers: collect, publish, evaluate, tell (the default)
    Serve,
    /// See it all work on a throw-away PostgreSQL, from a database to an alert in an inbox
    Demo(demo::Options),
    /// Collect once, print and exit: for cron and for reading
    Once(once::Options),
    /// Check configuration, rules, connections, privileges and your own collectors, and say what is missing
    Check(check::Options),
    /// Show which collectors run on each server, what each costs, and why the others do not
    Explain(explain::Options),
    /// Print the SQL for a least-privilege role
    Grants(grants::Options),
    /// Turn postgres_exporter's file of user queries into collectors
    Import(import::Options),
    /// Look at backups
    #[command(subcommand)]
    Backup(backup::Action),
    /// Ask for the value of an expression, and see it as a table or a chart
    Query(query::Options),
    /// Say which notifications the stored history would have sent under these rules and this policy
    Replay(replay::Options),
    /// Try rules out
    #[command(subcommand)]
    Rules(rules::Action),
    /// Try the receivers, and see what they refused
    #[command(subcommand)]
    Notify(notify::Action),
    /// Silence alerts and acknowledge incidents, at a running server
    #[command(subcommand)]
    Silence(silence::Action),
    /// Become a program of a drill, which ends with it
    #[command(name = GUARD, hide = true)]
    Guard(guard::Options),
    /// Ask a drill for a file of WAL
    #[command(name = FETCH, hide = true)]
    FetchWal(guard::Asked),
}

/// Parses the arguments of this process and does what they say.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let flags = arguments.global.flags();
    let ended = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => with_config(&flags, async |config| {
            Ok(serve::run(config, flags.clone()).await)
        }),
        Command::Demo(options) => in_runtime(async { Ok(demo::run(options, flags.listen).await) }),
        Command::Once(options) => with_config(&flags, |config| once::run(config, options)),
        Command::Check(options) => check::run(&flags, &options),
        Command::Explain(options) => with_config(&flags, |config| explain::run(config, options)),
        Command::Grants(options) => grants::run(&options),
        Command::Import(options) => import::run(&options),
        Command::Backup(action) => backup::run(&flags, action),
        Command::Query(options) => query::run(&flags, &options),
        Command::Replay(options) => with_config(&flags, |config| replay::run(config, options)),
        Command::Rules(action) => rules::run(action),
        Command::Notify(action) => notify::run(&flags, action),
        Command::Silence(action) => silence::run(&flags, &action),
        Command::Guard(options) => guard::run(&options),
        Command::FetchWal(asked) => guard::ask(&asked),
    };
    stdout::end(ended)
}

impl Global {
    fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            listen: self.listen.clone(),
            state_dir: self.state_dir.clone(),
        }
    }
}

/// Loads the configuration and runs a subcommand with it; exit code 2 when there are mistakes.
fn with_config<F: Future<Output = io::Result<ExitCode>>>(
    flags: &Flags,
    run: impl FnOnce(Config) -> F,
) -> io::Result<ExitCode> {
    loaded(flags, |config| in_runtime(run(config)))
}

fn loaded(flags: &Flags, run: impl FnOnce(Config) -> io::Result<ExitCode>) -> io::Result<ExitCode> {
    match load(flags) {
        Ok(config) => run(config),
        Err(problems) => Ok(refuse(&problems)),
    }
}

fn in_runtime(work: impl Future<Output = io::Result<ExitCode>>) -> io::Result<ExitCode> {
    match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
    {
        Ok(runtime) => {
            let code = runtime.block_on(work);
            // A file read that hangs on a dead disk must not keep the process.
            runtime.shutdown_timeout(FAREWELL);
            code
        }
        Err(error) => Ok(cannot_run(
            &anyhow::Error::new(error).context("cannot start"),
        )),
    }
}

/// 0 when all that was looked at is good.
fn verdict(all_good: bool) -> ExitCode {
    if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

/// Prints every mistake of the configuration.
fn refuse(problems: &[Problem]) -> ExitCode {
    let count = problems.len();
    let mistakes = if count == 1 {
        "1 mistake".into()
    } else {
        format!("{count} mistakes")
    };
    eprintln!("error: the configuration has {mistakes}\n");
    for problem in problems {
        eprintln!("{problem}");
    }
    ExitCode::from(2)
}

/// Prints why pgvigil cannot run, its causes beneath.
fn cannot_run(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut said = String::new();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors end with their cause by themselves.
        if !said.ends_with(&cause) {
            eprintln!("  because {cause}");
        }
        said = cause;
    }
    if let Some(hint) = error.chain().find_map(way_out) {
        eprintln!("  hint: {hint}");
    }
    ExitCode::from(2)
}

/// The way out of what keeps pgvigil from starting, or from what it is asked.
fn way_out(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<incident::OpenError>() {
        return Some(error.hint());
    }
    if let Some(error) = cause.downcast_ref::<replay::NoSnapshot>() {
        return Some(error.hint());
    }
    if cause.is::<query::Unreachable>() {
        return Some("is pgvigil running there? `--url` names another one".into());
    }
    let error = cause.downcast_ref::<web::OpenError>()?;
    error.hint().map(str::to_owned)
}

/// What a server is, or why it cannot be asked, with the way out.
async fn facts(server: &Server) -> Result<Facts, String> {
    server.alive().await.map_err(|error| explained(&error))?;
    server.facts().await.map_err(|error| error.to_string())
}

fn explained(error: &ServerError) -> String {
    match &error.hint {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

fn describe(facts: &Facts) -> String {
    if facts.kind == Kind::PgBouncer {
        return facts.version_text.clone();
    }
    let role = if facts.standby { "standby" } else { "primary" };
    let (major, minor) = (facts.major(), facts.version % 10_000);
    format!("PostgreSQL {major}.{minor}, {role}, as `{}`", facts.user)
}
