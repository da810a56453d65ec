//! Test scripts: commands that load samples and evaluate expressions. What cannot be read is a command of its own, and
//! the rest of the script goes on.

use std::time::Duration;

use pgvigil::sample::{Labels, NAME};

use super::case::{self, Case};
use super::points::{self, Point};
use super::special::{Special, SpecialSeries};

/// A command of a script.
pub enum Command {
    Clear,
    Load(Load),
    Eval(Box<Case>),
    Unreadable {
        line: usize,
        text: String,
        problem: String,
    },
}

/// Samples to load, one each `step` from time 0 on.
pub struct Load {
    pub step: Duration,
    pub series: Vec<(Labels, Vec<Point>)>,
    /// The series that hold what pgvigil's store does not.
    pub special: Vec<SpecialSeries>,
}

/// Reads a script.
pub fn parse(text: &str) -> Vec<Command> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .map(|line| if line.starts_with('#') { "" } else { line })
        .collect();
    let mut commands = Vec::new();
    let mut place = 0;
    while place < lines.len() {
        let first = lines[place];
        let block = lines[place + 1..]
            .iter()
            .take_while(|line| !line.is_empty());
        let block: Vec<&str> = block.copied().collect();
        if let Some((command, taken)) = command(place + 1, first, &block) {
            commands.push(command);
            place += taken;
        }
        place += 1;
    }
    commands
}

/// The command that begins in a line, and how many of the lines after it belong to it.
fn command(line: usize, first: &str, block: &[&str]) -> Option<(Command, usize)> {
    let word = first.split_whitespace().next()?.to_ascii_lowercase();
    let read = if word == "clear" {
        Ok((Command::Clear, 0))
    } else if word.starts_with("load") {
        load(first, block).map(|load| (Command::Load(load), block.len()))
    } else if word.starts_with("eval") {
        case::read(line, first, block).map(|(case, taken)| (Command::Eval(Box::new(case)), taken))
    } else {
        Err(format!("unknown command `{word}`"))
    };
    Some(read.unwrap_or_else(|problem| {
        let text = first.to_owned();
        (
            Command::Unreadable {
                line,
                text,
                problem,
            },
            block.len(),
        )
    }))
}

fn load(first: &str, block: &[&str]) -> Result<Load, String> {
    let (word, step) = first.split_once(char::is_whitespace).ok_or("no step")?;
    let with_native = match word {
        "load" => false,
        "load_with_nhcb" => true,
        other => return Err(format!("unknown command `{other}`")),
    };
    let mut load = Load {
        step: case::duration(step.trim())?,
        series: Vec::new(),
        special: Vec::new(),
    };
    let mut all_started = false;
    for line in block {
        let (labels, rest) = points::series(line)?;
        if rest.starts_with("@st") {
            all_started |= labels.is_empty();
            load.special.push((labels, Special::StartTimestamp));
            continue;
        }
        let points = points::points(rest).map_err(|problem| format!("{problem} in {line}"))?;
        if all_started {
            load.special.push((labels.clone(), Special::StartTimestamp));
        }
        if points.contains(&Point::Native) {
            load.special
                .push((labels.clone(), Special::NativeHistogram));
        }
        if with_native {
            load.special
                .push((native(&labels), Special::NativeHistogram));
        }
        load.series.push((labels, points));
    }
    Ok(load)
}

/// The native histogram that is made of a series of a classic one.
fn native(labels: &Labels) -> Labels {
    let name = labels.metric();
    let parts = ["_bucket", "_sum", "_count"];
    let whole = parts.iter().find_map(|part| name.strip_suffix(part));
    labels.with("le", "").with(NAME, whole.unwrap_or(name))
}
