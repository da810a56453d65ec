//! `pgvigil import`: postgres_exporter's user queries as collectors.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use crate::collectors::{Import, import};

/// What is read, and where the collectors go.
#[derive(Args)]
pub(super) struct Options {
    /// The file that postgres_exporter is given as --extend.query-path
    #[arg(value_name = "QUERIES.YAML")]
    file: PathBuf,
    /// Write a file for each collector into this folder, instead of all of them to standard output
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Overwrite files that are there
    #[arg(long, requires = "into")]
    force: bool,
}

/// Exit code 1 when something is left out that nothing else publishes.
pub(super) fn run(options: &Options) -> io::Result<ExitCode> {
    let import = match read(&options.file) {
        Ok(import) => import,
        Err(error) => return Ok(super::cannot_run(&error)),
    };
    match &options.into {
        None => print(&import)?,
        Some(folder) => {
            if let Err(error) = write(&import, folder, options.force) {
                return Ok(super::cannot_run(&error));
            }
        }
    }
    for note in &import.notes {
        let mark = if note.grave { "warning" } else { "note" };
        eprintln!("{mark}: {}", note.words);
    }
    Ok(super::verdict(!import.notes.iter().any(|note| note.grave)))
}

fn read(file: &Path) -> anyhow::Result<Import> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read `{name}`"))?;
    import(&name, &text).map_err(|problem| anyhow::anyhow!("{problem}"))
}

/// One document after another, each headed by the name of its file.
fn print(import: &Import) -> io::Result<()> {
    let mut out = io::stdout();
    for (name, text) in &import.files {
        write!(out, "---\n# {name}.yml\n{text}")?;
    }
    Ok(())
}

/// Writes all of them or, where one is there already, none.
fn write(import: &Import, folder: &Path, force: bool) -> anyhow::Result<()> {
    let path = |name: &str| folder.join(format!("{name}.yml"));
    let there = import.files.iter().map(|(name, _)| path(name));
    if let Some(there) = there.filter(|path| path.exists()).find(|_| !force) {
        bail!(
            "`{}` is there already; `--force` overwrites it",
            there.display()
        );
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    for (name, text) in &import.files {
        let path = path(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        eprintln!("wrote `{}`", path.display());
    }
    Ok(())
}
