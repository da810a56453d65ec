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
        None => waiting(overview),
    };
    headline.more = more(overview);
    headline
}

/// What else there is, and what of the first somebody sees to already.
fn more(overview: &Overview) -> String {
    let taken = overview.firing.iter();
    let taken = taken.filter(|notice| notice.acknowledged.is_some()).count();
    let parts = [
        match taken {
            0 => String::new(),
            all if all == overview.firing.len() => "acknowledged".into(),
            some => format!("{some} acknowledged"),
        },
        some(overview.pending.len(), "pending"),
        some(overview.silenced.len(), "silenced"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

fn some(number: usize, how: &str) -> String {
    match number {
        0 => String::new(),
        number => format!("{} {how}", count(number, "alert")),
    }
}

/// What is pending is no calm, although nobody is told of it yet.
fn waiting(overview: &Overview) -> Headline {
    let mut headline = calm(overview);
    if let Some(tone) = worst(&overview.pending) {
        if headline.tone == Tone::Good {
            headline.text = "Nothing fires yet".into();
        }
        headline.tone = headline.tone.max(tone);
    } else if headline.tone == Tone::Good && !overview.silenced.is_empty() {
        headline = say(Tone::Info, "Nothing fires but what is silenced");
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
    let unwatched = overview.pgbouncers.iter().chain(&overview.patronis);
    let unwatched: Vec<&str> = unwatched
        .filter(|server| server.standing == Standing::Down)
        .map(|server| &*server.name)
        .collect();
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
    } else if !unwatched.is_empty() {
        say(
            Tone::Critical,
            format!("No answer from {}", unwatched.join(", ")),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(tone: Tone) -> Notice {
        Notice {
            name: "A".into(),
            tone,
            ..Notice::default()
        }
    }

    #[test]
    fn what_somebody_sees_to_is_said_beside_the_count() {
        let word = crate::incident::Acknowledgement {
            incident: "1".into(),
            at: crate::sample::Timestamp(0),
            by: "monica".into(),
            comment: String::new(),
        };
        let taken = Notice {
            acknowledged: Some(word),
            ..notice(Tone::Critical)
        };
        let cases = [
            (vec![taken.clone()], 0, "1 alert firing", "acknowledged"),
            (
                vec![taken, notice(Tone::Info)],
                2,
                "2 alerts firing",
                "1 acknowledged, 2 alerts silenced",
            ),
            (
                Vec::new(),
                1,
                "Nothing fires but what is silenced",
                "1 alert silenced",
            ),
        ];
        for (firing, silenced, text, more) in cases {
            let overview = Overview {
                firing,
                silenced: vec![notice(Tone::Critical); silenced],
                log_written: true,
                ..Overview::default()
            };
            let said = headline(&overview);
            assert_eq!((&*said.text, &*said.more), (text, more));
        }
    }

    #[test]
    fn nothing_is_well_above_a_pending_alert() {
        use Tone::{Critical, Good, Info, Warning};
        let cases = [
            (&[][..], &[][..], "All is well", "", Good),
            (&[], &[Info], "Nothing fires yet", "1 alert pending", Info),
            (
                &[],
                &[Warning, Critical],
                "Nothing fires yet",
                "2 alerts pending",
                Critical,
            ),
            (
                &[Warning],
                &[Critical],
                "1 alert firing",
                "1 alert pending",
                Warning,
            ),
        ];
        for (firing, pending, text, more, tone) in cases {
            let notices = |tones: &[Tone]| tones.iter().map(|tone| notice(*tone)).collect();
            let overview = Overview {
                firing: notices(firing),
                pending: notices(pending),
                log_written: true,
                ..Overview::default()
            };
            let said = headline(&overview);
            assert_eq!((&*said.text, &*said.more, said.tone), (text, more, tone));
        }
    }
}
