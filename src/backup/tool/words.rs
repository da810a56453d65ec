//! What tools say, fit to be shown: on one line, not too long; and the way out of what they often say.

use crate::backup::settings::ToolKind;
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

impl ToolKind {
    /// What helps against what a tool says that could not look; nothing where that is not known.
    pub(super) fn way_out(self, said: &str) -> String {
        let (user, program) = (self.user(), self.program());
        let is_denied = ["ermission denied", "[041]", "not permitted"];
        // The one file that pgBackRest misses when it is asked for what it has.
        let is_unconfigured = said.contains("[055]");
        if is_denied.iter().any(|words| said.contains(words)) {
            let us = ourselves();
            format!(
                "; it runs as `{us}`: let that user read what it says, or have it run as its own with `command: [sudo, -u, {user}, {program}]`"
            )
        } else if is_unconfigured {
            "; say with `config` where its configuration is".into()
        } else if self == ToolKind::Barman && said.contains("nknown server") {
            "; `barman list-servers` shows the names".into()
        } else {
            String::new()
        }
    }
}

/// Control characters, and those that turn the direction of a text.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
