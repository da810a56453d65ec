//! What tools say, fit to be shown: on one line, not too long; and the way out of what they often say.

use std::path::Path;

use crate::backup::settings::{Tool, ToolKind, Way};
use crate::backup::user::ourselves;

/// So many characters are shown.
const SHOWN: usize = 400;
/// So many lines are.
const LINES: usize = 4;

/// The first lines that say something, on one line and without control characters.
pub(super) fn shown(said: &str) -> String {
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.take(LINES).collect::<Vec<_>>().join("; ");
    let plain = line.chars().filter(|c| !is_hidden(*c));
    let mut shown: String = plain.clone().take(SHOWN).collect();
    if plain.count() > SHOWN {
        shown.push('…');
    }
    shown
}

impl Tool {
    /// What helps against what a tool says that could not look; nothing where that is not known.
    pub(super) fn way_out(&self, said: &str) -> String {
        let (user, program) = (self.kind.user(), self.kind.program());
        let is_denied = ["ermission denied", "[041]", "not permitted"];
        // The one file that pgBackRest misses when it is asked for what it has.
        let is_unconfigured = said.contains("[055]");
        if is_denied.iter().any(|words| said.contains(words)) {
            match self.starter() {
                Some(starter) => format!(
                    "; let whoever runs `{program}`, which `{starter}` starts, read what it says"
                ),
                None => format!(
                    "; it runs as `{}`: let that user read what it says, or have it run as its own with `command: [sudo, -u, {user}, {program}]`",
                    ourselves()
                ),
            }
        } else if is_unconfigured {
            "; say with `config` where its configuration is".into()
        } else if self.kind == ToolKind::Barman && said.contains("nknown server") {
            "; `barman list-servers` shows the names".into()
        } else {
            String::new()
        }
    }

    /// The program that starts the tool, maybe as another user; nothing where we do so ourselves.
    fn starter(&self) -> Option<&str> {
        let Way::Command(words) = &self.way else {
            return None;
        };
        let first = words.first()?;
        let is_itself = Path::new(first).file_name()? == self.kind.program();
        (!is_itself).then_some(first)
    }
}

/// Control characters, and those that turn the direction of a text.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::Settings;
    use crate::backup::settings::Place;
    use crate::document::{Reader, parse};

    #[test]
    fn who_may_not_read_is_whoever_runs_it() {
        let us = ourselves();
        let ours = format!("; it runs as `{us}`: let that user read");
        let cases = [
            ("", &*ours),
            (", command: [/usr/bin/pgbackrest]", &*ours),
            (
                ", command: [runuser, -u, nobody, --, pgbackrest]",
                "; let whoever runs `pgbackrest`, which `runuser` starts, read what it says",
            ),
        ];
        for (more, expected) in cases {
            let text = format!("backups: [{{name: n, pgbackrest: {{stanza: main{more}}}}}]");
            let read = Reader::new(None).read(&parse("x.yml", &text).unwrap(), Settings::read);
            let Place::Tool(tool) = &read[0].place else {
                panic!("{text}")
            };
            let said = tool.way_out("ERROR: [041]: unable to open");
            assert!(said.starts_with(expected), "{more}: {said}");
        }
    }
}
