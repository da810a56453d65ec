//! `pgvigil query`: an expression's value in the terminal, from a running server or from a snapshot.

mod ask;
mod chart;
mod csv;
mod data;
mod report;
mod server;
mod snapshot;
mod table;
mod times;
mod width;

pub(super) use server::url as server_url;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::config::Flags;
use crate::sample::Timestamp;
use ask::{Answer, Ask, Moments};
use data::Data;
use report::Mistake;
pub(super) use server::{Unreachable, VARIABLE, place, url};
pub(super) use table::harmless;
pub(super) use times::{moment, written};
pub(super) use width::is_coloured;

/// What is asked, of whom, and how the answer is shown.
#[derive(Args)]
pub(super) struct Options {
    /// The expression
    #[arg(value_name = "EXPR")]
    expression: String,
    /// The server to ask, Prometheus or pgvigil, with `user:password@` where it wants that; default
    /// $PGVIGIL_URL, else the pgvigil that the configuration is for
    #[arg(long, value_name = "URL", conflicts_with = "snapshot")]
    url: Option<String>,
    /// Ask a snapshot of pgvigil's store, and no server
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// When: seconds since 1970, `2026-01-31T12:00:00Z`, a local `2026-01-31 12:00`, or a time ago such as `-1h`; default
    /// now, or when the snapshot was taken
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// Ask for all the time of this length until then, such as `1h`, and draw it
    #[arg(long, value_name = "DURATION")]
    range: Option<String>,
    /// The time between two values of a range; by default as many as there is room for
    #[arg(long, value_name = "DURATION", requires = "range")]
    step: Option<String>,
    /// `table`: for people, and a chart of a range; `json`: as Prometheus answers; `csv`: a line per value
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

/// Why there is no answer.
enum Trouble {
    /// The expression is wrong, or has no value.
    Query(Mistake),
    /// Whoever should answer does not.
    Unreachable(anyhow::Error),
}

/// Exit code 1 when the query is wrong or failed, 2 when there is nobody to ask.
pub(super) fn run(flags: &Flags, options: &Options) -> io::Result<ExitCode> {
    let width = width::of_output();
    let answered = match &options.snapshot {
        Some(path) => snapshot::open(path).and_then(|snapshot| {
            let ask = ask(options, snapshot.taken, width)?;
            snapshot.answer(&ask).map(|answer| (ask, answer))
        }),
        None => {
            let url = match server::url(options.url.as_deref(), flags) {
                Ok(url) => url,
                Err(problems) => return Ok(super::refuse(&problems)),
            };
            ask(options, Timestamp::now(), width)
                .and_then(|ask| server::answer(url, &ask).map(|answer| (ask, answer)))
        }
    };
    match answered {
        Ok((ask, answer)) => print(&answer, &ask, options.format, width),
        Err(Trouble::Query(mistake)) => {
            mistake.print(&options.expression);
            Ok(ExitCode::from(1))
        }
        Err(Trouble::Unreachable(error)) => Ok(super::cannot_run(&error)),
    }
}

fn print(answer: &Answer, ask: &Ask, format: Format, width: usize) -> io::Result<ExitCode> {
    report::notes(answer);
    let data = || Data::read(&answer.data);
    let is_table = format == Format::Table && matches!(ask.moments, Moments::At(_));
    if is_table && data().is_ok_and(|data| data.is_empty()) {
        report::nothing();
    }
    let text = match format {
        Format::Json => serde_json::to_string_pretty(&answer.data).map(|text| text + "\n"),
        Format::Csv => data().map(|data| csv::text(&data)),
        Format::Table => data().map(|data| shown(&data, ask, width)),
    };
    match text {
        Ok(text) => super::stdout::print(&text).map(|()| ExitCode::SUCCESS),
        Err(error) => {
            let error = anyhow::Error::new(error).context("cannot show the answer");
            Ok(super::cannot_run(&error))
        }
    }
}

fn ask(options: &Options, now: Timestamp, width: usize) -> Result<Ask, Trouble> {
    let wrong = |message: String| Trouble::Unreachable(anyhow::anyhow!(message));
    let at = options.at.as_deref();
    let at = at.map_or(Ok(now), |text| times::moment(text, now).map_err(wrong))?;
    let Some(range) = &options.range else {
        return Ok(Ask {
            expression: options.expression.clone(),
            moments: Moments::At(at),
        });
    };
    let range = times::span("--range", range).map_err(wrong)?;
    let step = match &options.step {
        Some(step) => times::span("--step", step).map_err(wrong)?,
        None => times::step(range, width),
    };
    Ok(Ask {
        expression: options.expression.clone(),
        moments: Moments::Range {
            start: at.before(range),
            end: at,
            step,
        },
    })
}

fn shown(data: &Data, ask: &Ask, width: usize) -> String {
    match (data, ask.moments) {
        (Data::Matrix(series), Moments::Range { start, end, step }) => {
            let drawing = chart::Drawing {
                start,
                end,
                step,
                width,
                coloured: width::is_coloured(),
            };
            drawing.text(series)
        }
        _ => table::text(data),
    }
}
