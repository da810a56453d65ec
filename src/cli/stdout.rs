//! How a subcommand that prints ends: takes what came of printing, hands on an exit code.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

/// A reader that has read enough, such as `head`, is the end and no failure.
pub(super) fn end(printed: io::Result<ExitCode>) -> ExitCode {
    let flushed = printed.and_then(|code| io::stdout().flush().map(|()| code));
    match flushed {
        Ok(code) => code,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => super::cannot_run(&anyhow::Error::new(error).context("cannot print")),
    }
}

/// Prints a text as it is.
pub(super) fn print(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}
