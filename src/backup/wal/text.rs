//! The two small texts of a WAL archive: where a timeline began, and what a base backup left behind. `backup_label` in a
//! base backup has the same form as the latter.

use super::History;
use crate::backup::moment::Said;

/// More of such a text is not read.
pub(in crate::backup) const LONGEST_TEXT: u64 = 64 << 10;

/// What a base backup says of itself in `backup_label`, or in the `.backup` file of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// The timeline it was begun on.
    pub timeline: u32,
    /// The position from which WAL is needed.
    pub start: u64,
    /// The position up to which it is needed; only an archive's file says.
    pub stop: Option<u64>,
    /// When it began.
    pub started: Option<Said>,
    /// When it was finished; only an archive's file says.
    pub finished: Option<Said>,
    /// The name somebody gave it.
    pub name: String,
    /// Where the backup began of which this one holds only the changes since.
    pub since: Option<u64>,
}

impl Label {
    /// Reads the text; `None` when it does not say where WAL is needed from.
    pub fn parse(text: &str) -> Option<Label> {
        let field = |key: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
        };
        let start = field("START WAL LOCATION")?;
        let file = start.split_once("(file ").map(|(_, file)| file);
        let of_file = file.and_then(|file| u32::from_str_radix(file.get(..8)?, 16).ok());
        let of_field = field("START TIMELINE").and_then(|text| text.parse().ok());
        let before_space = |text: &str| position(text.split(' ').next()?);
        Some(Label {
            timeline: of_field.or(of_file)?,
            start: before_space(start)?,
            stop: field("STOP WAL LOCATION").and_then(before_space),
            started: field("START TIME").and_then(Said::parse),
            finished: field("STOP TIME").and_then(Said::parse),
            name: field("LABEL")
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect(),
            since: field("INCREMENTAL FROM LSN").and_then(position),
        })
    }
}

/// A position as PostgreSQL writes it, such as `0/4000028`.
pub(in crate::backup) fn position(text: &str) -> Option<u64> {
    let (high, low) = text.trim().split_once('/')?;
    let part = |digits: &str| u32::from_str_radix(digits, 16).ok().map(u64::from);
    Some(part(high)? << 32 | part(low)?)
}

impl History {
    /// Reads `.history`: its last line tells of the switch that began this timeline.
    pub fn parse(timeline: u32, text: &str) -> Option<History> {
        let mut lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default());
        let last = lines.rfind(|line| !line.trim().is_empty())?;
        let mut words = last.split_whitespace();
        let parent = words.next()?.parse().ok()?;
        let switch = position(words.next()?)?;
        (parent < timeline).then_some(History {
            timeline,
            parent,
            switch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_histories_are_read() {
        let text = "START WAL LOCATION: 0/4000028 (file 000000010000000000000004)\nSTOP WAL LOCATION: 1/4000120 (file 000000010000000100000004)\nSTART TIME: 2026-11-23 08:08:15 UTC\nLABEL: nightly\nSTART TIMELINE: 1\nSTOP TIME: 2026-11-23 08:08:16 UTC\nINCREMENTAL FROM LSN: 0/2000028\n";
        let label = Label::parse(text).unwrap();
        assert_eq!((label.timeline, label.start), (1, 0x0400_0028));
        assert_eq!(label.stop, Some((1 << 32) + 0x0400_0120));
        assert_eq!(label.since, Some(0x0200_0028));
        let took = label.finished.unwrap().at();
        let took = took.since(label.started.unwrap().at());
        assert_eq!((took.as_secs(), label.name.as_str()), (1, "nightly"));
        for text in [
            "",
            "START WAL LOCATION: x",
            "LABEL: \u{0}",
            "START WAL LOCATION: 0/1",
        ] {
            assert_eq!(Label::parse(text), None, "{text:?}");
        }
        let cases = [
            (
                "1\t0/87000060\tno recovery target specified\n",
                Some((1, 0x8700_0060)),
            ),
            (
                "1\t0/1000000\tx\n\n2\t1/0\tbefore 2000-01-01\n\n",
                Some((2, 1 << 32)),
            ),
            ("# nothing\n", None),
            ("3\t0/1\tits own child", None),
            ("1 2", None),
        ];
        for (text, expected) in cases {
            let history = History::parse(3, text);
            let seen = history.map(|history| (history.parent, history.switch));
            assert_eq!(seen, expected, "{text:?}");
        }
    }
}
