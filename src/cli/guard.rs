//! What drills start this program as: a guard before each of their programs, and the one that asks for WAL.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::backup::drill::{self, Orders};

/// A program, and what is seen to before it runs.
#[derive(Args)]
pub(super) struct Options {
    /// The process that it must not outlive
    #[arg(long)]
    parent: u32,
    /// The user who runs it
    #[arg(long, requires = "group")]
    user: Option<u32>,
    /// The group of that user
    #[arg(long, requires = "user")]
    group: Option<u32>,
    /// It ends its own processes when it is told to
    #[arg(long)]
    server: bool,
    /// It has no network
    #[arg(long)]
    alone: bool,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    words: Vec<OsString>,
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
    let orders = Orders {
        parent: options.parent,
        owner: options.user.zip(options.group),
        is_server: options.server,
        is_alone: options.alone,
    };
    let error = drill::become_guarded(&orders, &options.words);
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
