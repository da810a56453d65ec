//! What the machine knows of one part of a line.

use crate::sample::Timestamp;
use crate::words;

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// It holds.
    Held {
        /// It was read or tried, and not only seen.
        proved: bool,
        /// When what it rests on happened.
        at: Timestamp,
        /// What that is.
        words: String,
    },
    /// It cannot be seen from here.
    Unknown {
        /// What is missing.
        words: String,
    },
    /// It was seen to be otherwise.
    Refuted {
        /// When: what is attested later outweighs it. Now, for what still is so.
        since: Timestamp,
        /// What was seen.
        words: String,
    },
}

impl Finding {
    pub(super) fn unknown(words: impl Into<String>) -> Finding {
        Finding::Unknown {
            words: words.into(),
        }
    }

    pub(super) fn refuted(since: Timestamp, words: impl Into<String>) -> Finding {
        Finding::Refuted {
            since,
            words: words.into(),
        }
    }

    /// The same, said of a source.
    pub(super) fn of(self, source: &str) -> Finding {
        let say = |words: String| format!("{source}: {words}");
        match self {
            Finding::Held { proved, at, words } => Finding::Held {
                proved,
                at,
                words: say(words),
            },
            Finding::Unknown { words } => Finding::Unknown { words: say(words) },
            Finding::Refuted { since, words } => Finding::Refuted {
                since,
                words: say(words),
            },
        }
    }
}

/// A name that others have given, so that it can stand in a sentence.
pub(super) fn named(name: &str) -> String {
    quoted(name, 80)
}

/// The same of what others have written, with no more than so many characters of it.
pub(super) fn quoted(name: &str, longest: usize) -> String {
    let plain = name.chars().map(|c| match c {
        '`' => '\'',
        c if c.is_control() => '\u{fffd}',
        c => c,
    });
    let mut text: String = plain.take(longest).collect();
    if name.chars().count() > longest {
        text.push('…');
    }
    format!("`{text}`")
}

/// A moment in UTC as it stands in a sentence: `at 08:00`, `on 22 Nov 08:00`.
pub(super) fn when(at: Timestamp, now: Timestamp) -> String {
    let moment = words::moment(at, now);
    let before = if moment.contains(' ') { "on" } else { "at" };
    format!("{before} {moment}")
}
