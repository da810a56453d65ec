//! `pgvigil check rules`: rule files alone, accepted and refused as `promtool check rules` does.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::rules::{Checked, Schema, check, lint};
use crate::{app, collectors};

/// Exit code of what could be used but for a lint that is fatal.
const LINTED: u8 = 3;

/// Which files, and how strictly.
#[derive(Args)]
pub(in crate::cli) struct Options {
    /// Rule files; `-` or none is standard input
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// What is looked for beside mistakes
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "LINT",
        default_value = "duplicate-rules"
    )]
    lint: Vec<Lint>,
    /// End with 3 where a lint finds something
    #[arg(long)]
    lint_fatal: bool,
    /// Pass over keys that nobody knows
    #[arg(long)]
    ignore_unknown_fields: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Lint {
    All,
    DuplicateRules,
    None,
}

/// Exit codes are promtool's: 1 for a mistake, 3 for a lint that is fatal.
pub(super) fn run(options: &Options) -> io::Result<ExitCode> {
    let standard_input = ["-".to_owned()];
    let names = match options.files.as_slice() {
        [] => &standard_input,
        names => names,
    };
    let linting = options.lint.iter().any(|lint| *lint != Lint::None);
    let schema = schema();
    let (mut mistaken, mut linted) = (false, false);
    for name in names {
        let shown = if name == "-" { "standard input" } else { name };
        let mut checked = match read(name) {
            Ok(text) => check(shown, &text, options.ignore_unknown_fields),
            Err(error) => {
                writeln!(io::stdout(), "{shown}: cannot be read: {error}")?;
                mistaken = true;
                continue;
            }
        };
        if linting {
            checked.doubts.extend(lint(&checked.groups, &schema));
        } else {
            checked.duplicates.clear();
        }
        print(shown, &checked)?;
        mistaken |= !checked.mistakes.is_empty();
        linted |= !checked.duplicates.is_empty();
    }
    Ok(match (mistaken, linted && options.lint_fatal) {
        (true, _) => ExitCode::from(1),
        (false, true) => ExitCode::from(LINTED),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// What the collectors that are built in give. A file that is checked alone may be a Prometheus', which has other metrics
/// as well: of those nothing is said.
fn schema() -> Schema {
    let catalogue = collectors::load(&[]).unwrap_or_default();
    app::schema(&catalogue, true, true)
}

fn read(name: &str) -> io::Result<String> {
    if name != "-" {
        return fs::read_to_string(name);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn print(name: &str, checked: &Checked) -> io::Result<()> {
    let mut out = io::stdout();
    match (checked.mistakes.len(), checked.rules()) {
        (0, 1) => writeln!(out, "{name}: good, 1 rule")?,
        (0, rules) => writeln!(out, "{name}: good, {rules} rules")?,
        (1, _) => writeln!(out, "{name}: 1 mistake")?,
        (mistakes, _) => writeln!(out, "{name}: {mistakes} mistakes")?,
    }
    for mistake in &checked.mistakes {
        writeln!(out, "{mistake}")?;
    }
    for doubt in checked.duplicates.iter().chain(&checked.doubts) {
        writeln!(out, "warning: {doubt}")?;
    }
    Ok(())
}
