//! What drills start this program as: a guard before each of their programs, and the one that asks for WAL.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::backup::drill;

/// A program, and how it ends.
#[derive(Args)]
pub(super) struct Options {
    /// The process that it must not outlive
    #[arg(long)]
    parent: u32,
    /// How it is told that the drill is over
    #[arg(long)]
    farewell: Farewell,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    words: Vec<OsString>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Farewell {
    Kill,
    Quit,
}

/// What a server asks for.
#[derive(Args)]
pub(super) struct Asked {
    /// Where the drill answers
    socket: PathBuf,
    /// The file
    file: String,
    /// Where it goes
    path: PathBuf,
}

pub(super) fn run(options: &Options) -> io::Result<ExitCode> {
    let error = drill::become_guarded(
        options.parent,
        options.farewell == Farewell::Quit,
        &options.words,
    );
    let program = options
        .words
        .first()
        .map(|word| word.to_string_lossy().into_owned());
    eprintln!(
        "error: `{}` cannot be run: {error}",
        program.unwrap_or_default()
    );
    Ok(ExitCode::from(drill::NOT_RUN))
}

pub(super) fn ask(asked: &Asked) -> io::Result<ExitCode> {
    match drill::fetch_wal(&asked.socket, &asked.file, &asked.path) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Recovery asks for what is not there until it finds the end: no word of it is needed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(ExitCode::from(1)),
        Err(error) => {
            eprintln!("error: cannot bring `{}`: {error}", asked.file);
            Ok(ExitCode::from(1))
        }
    }
}
