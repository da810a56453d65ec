//! Backups and their drills. Takes the configuration; says of each source and each drill what stands in its way.

use std::collections::BTreeMap;
use std::io;

use super::{Finding, Report};
use crate::backup::{Trial, try_out};
use crate::config::Config;

/// Whether the place of each source can be looked at, its WAL archive and its log too; what each look brought.
pub(super) fn look(config: &Config, report: &mut Report) -> io::Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for settings in &config.backups {
        let (name, place) = (&settings.name, settings.place.title());
        let trial = try_out(settings);
        for words in &trial.obstacles {
            report.say(Finding::Bad, "backups", &format!("`{name}`: {words}"))?;
        }
        if let (true, Some(seen)) = (trial.obstacles.is_empty(), seen(&trial)) {
            let words = format!("`{name}`: `{place}`: {seen}");
            report.say(Finding::Good, "backups", &words)?;
        }
        for words in &trial.doubts {
            report.say(Finding::Warning, "backups", &format!("`{name}`: {words}"))?;
        }
        trials.push(trial);
    }
    Ok(trials)
}

/// How much there is; `None` where there is nothing.
fn seen(trial: &Trial) -> Option<String> {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    };
    let all = [
        count(trial.backups, "backup", "backups"),
        count(trial.segments, "segment of WAL", "segments of WAL"),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Whether each drill could run; `majors` are those of the servers that answer.
pub(super) fn drills(
    config: &Config,
    trials: &[Trial],
    majors: &BTreeMap<String, u32>,
    report: &mut Report,
) -> io::Result<()> {
    for drill in &config.drills {
        let mut looked = config.backups.iter().zip(trials);
        let Some((source, trial)) = looked.find(|(source, _)| source.name == drill.source) else {
            continue;
        };
        let (name, major) = (&drill.source, majors.get(&source.server).copied());
        match trial.drill(source, drill, &config.state_dir, major) {
            Ok(words) => {
                let words = format!("`{name}`: {words}");
                report.say(Finding::Good, "drills", &words)?;
            }
            Err(obstacles) => {
                for words in obstacles {
                    report.say(Finding::Bad, "drills", &format!("`{name}`: {words}"))?;
                }
            }
        }
    }
    Ok(())
}
