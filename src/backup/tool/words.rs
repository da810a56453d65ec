//! What tools say, fit to be shown: on one line, not too long.

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

/// Control characters, and those that turn the direction of a text.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
