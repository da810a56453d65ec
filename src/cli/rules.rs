//! `pgvigil rules`: rules held against tests that are written for promtool.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use regex::Regex;

use crate::rules::{self, TestOptions};
use crate::sample::Timestamp;

/// What to do with rules.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Run unit tests in promtool's format, and tell how it came to what was not expected
    Test(Test),
}

/// Which tests are run, and what becomes of their verdicts.
#[derive(Args)]
pub(super) struct Test {
    /// Files of tests
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Run only tests whose name matches; may be given several times
    #[arg(long, value_name = "REGEX")]
    run: Vec<Regex>,
    /// Write the verdicts as JUnit's XML as well
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Pass over keys of rule files that nobody knows
    #[arg(long)]
    ignore_unknown_fields: bool,
}

/// Exit code 1 when a test failed or could not be read, as promtool ends.
pub(super) fn run(action: Action) -> io::Result<ExitCode> {
    let Action::Test(test) = action;
    let options = TestOptions {
        run: test.run,
        pass_over_unknown: test.ignore_unknown_fields,
    };
    let mut all = Vec::new();
    for name in &test.files {
        let tested = rules::test_file(name, &options);
        for warning in &tested.warnings {
            eprintln!("warning: {warning}");
        }
        write!(io::stdout(), "{tested}")?;
        all.push(tested);
    }
    if let Some(path) = &test.junit {
        let written = fs::write(path, rules::junit(&all, Timestamp::now()));
        let written = written.with_context(|| format!("cannot write `{}`", path.display()));
        if let Err(error) = written {
            return Ok(super::cannot_run(&error));
        }
    }
    Ok(super::verdict(all.iter().all(rules::Tested::passed)))
}
