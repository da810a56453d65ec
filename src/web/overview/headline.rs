//! The one sentence above everything.

use super::{Notice, Overview, Standing, Tone};

/// What a tired person reads first.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    /// One short sentence without a full stop.
    pub text: String,
    /// A second one where there is more to say; may be empty.
    pub more: String,
    /// The colour of both.
    pub tone: Tone,
}

impl Default for Headline {
    fn default() -> Self {
        say(Tone::Unknown, "Nothing is known yet")
    }
}

/// Firing alerts come first, then what would hide one: a server that does not answer, sources and people out of reach.
pub(super) fn headline(overview: &Overview) -> Headline {
    let mut headline = match worst(&overview.firing) {
        Some(tone) => say(
            tone,
            format!("{} firing", count(overview.firing.len(), "alert")),
        ),
        None => calm(overview),
    };
    if !overview.pending.is_empty() {
        headline.more = format!("{} pending", count(overview.pending.len(), "alert"));
    }
    headline
}

fn calm(overview: &Overview) -> Headline {
    let down = servers(overview, Standing::Down);
    let silent = servers(overview, Standing::Unknown);
    let failing = overview
        .troubles
        .iter()
        .filter(|trouble| !trouble.reason.is_empty())
        .count();
    let unreachable = overview
        .addresses
        .iter()
        .filter(|address| !address.reason.is_empty())
        .count();
    if !down.is_empty() {
        say(
            Tone::Critical,
            format!("No answer from {}", down.join(", ")),
        )
    } else if !silent.is_empty() && silent.len() == overview.servers.len() {
        say(Tone::Unknown, "Nothing is known yet")
    } else if !silent.is_empty() {
        say(
            Tone::Unknown,
            format!("Nothing is known of {}", silent.join(", ")),
        )
    } else if unreachable > 0 {
        let who = count(unreachable, "receiver");
        say(
            Tone::Warning,
            format!("No alert, but {who} cannot be told of one"),
        )
    } else if !overview.log_written {
        say(
            Tone::Warning,
            "No alert, but incidents cannot be written to the disk",
        )
    } else if failing > 0 {
        let what = count(failing, "source");
        say(
            Tone::Warning,
            format!("No alert, but {what} cannot be read"),
        )
    } else {
        say(Tone::Good, "All is well")
    }
}

fn worst(notices: &[Notice]) -> Option<Tone> {
    notices.iter().map(|notice| notice.tone).max()
}

fn servers(overview: &Overview, standing: Standing) -> Vec<&str> {
    let alike = overview
        .servers
        .iter()
        .filter(|server| server.standing == standing);
    alike.map(|server| &*server.name).collect()
}

fn say(tone: Tone, text: impl Into<String>) -> Headline {
    Headline {
        text: text.into(),
        more: String::new(),
        tone,
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
