//! What a source of backups holds of a server's WAL, and how that stands to what the server says.

use crate::backup::Chain;
use crate::sample::Timestamp;

/// The WAL that a source shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// The position up to which nothing is missing from the newest base backup on; `None` when not even the segment is
    /// there in which it began.
    pub(super) unbroken_end: Option<u64>,
    /// When the last segment before that came, where that is known.
    pub(super) arrived: Option<Timestamp>,
    /// The end of the newest segment.
    pub(super) newest_end: u64,
}

impl Held {
    /// What an archive adds up to. One that is still empty should hold what was archived since `begun`; nothing is known
    /// of it before the server was read.
    pub(super) fn of(chain: &Chain, begun: Option<u64>) -> Option<Held> {
        let newest_end = chain
            .newest
            .map(|newest| newest.end(chain.segment_bytes))
            .or(begun.max(chain.unbroken_end))?;
        let is_to_the_end = chain.unbroken_end == Some(newest_end);
        Some(Held {
            unbroken_end: chain.unbroken_end,
            arrived: chain.last_arrival.filter(|_| is_to_the_end),
            newest_end,
        })
    }
}

/// How a repository stands to what the server says is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// The position up to which it can be restored, where WAL leads on from a base backup.
    pub(super) end: Option<u64>,
    /// Whether it had all that the server said, which then reaches further.
    pub(super) is_in_step: bool,
    /// By how many segments it is behind what the server said had been archived when it was looked at.
    pub(super) behind: Option<u64>,
}

impl Standing {
    /// Of what is held, with what the server said was archived when the look began and says now. A repository that has
    /// all that was said is trusted to get what follows; one that lacks any of it is known to have no more than it
    /// showed.
    pub(super) fn of(
        held: Held,
        then: Option<u64>,
        now: Option<u64>,
        segment_bytes: u64,
    ) -> Standing {
        let alone = Standing {
            end: held.unbroken_end,
            is_in_step: false,
            behind: then.map(|then| then.saturating_sub(held.newest_end).div_ceil(segment_bytes)),
        };
        match (held.unbroken_end, now) {
            (Some(end), Some(now)) if now > end && then.is_none_or(|then| end >= then) => {
                Standing {
                    end: Some(now),
                    is_in_step: true,
                    ..alone
                }
            }
            _ => alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: u64 = 16 << 20;

    #[test]
    fn a_repository_is_held_against_what_was_said_when_it_was_looked_at() {
        let held = Held {
            unbroken_end: Some(10 * W),
            arrived: Some(Timestamp(1)),
            newest_end: 12 * W,
        };
        let cases = [
            // In step: the server has gone on since.
            (Some(10), Some(13), (13, Some(0))),
            // Nothing to compare with yet.
            (None, Some(13), (13, None)),
            // A gap.
            (Some(12), Some(13), (10, Some(0))),
            // Swallowed.
            (Some(15), Some(15), (10, Some(3))),
            // WAL is received some other way, and further.
            (Some(9), Some(9), (10, Some(0))),
            (None, None, (10, None)),
        ];
        for (then, now, expected) in cases {
            let bytes = |number: Option<u64>| number.map(|number| number * W);
            let standing = Standing::of(held, bytes(then), bytes(now), W);
            assert_eq!(
                (standing.end, standing.behind),
                (Some(expected.0 * W), expected.1),
                "{then:?} {now:?}"
            );
        }
    }
}
