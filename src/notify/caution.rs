//! What a refusal of many incidents together means: that one of them is not to be taken, or that nothing is. Pure.

/// How to go on after refusals. A message about several incidents that was refused is offered again in pieces, so that
/// one that is not to be taken costs no other; two pieces refused in a row say that it is the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Caution {
    /// As usual: what is due goes together.
    #[default]
    None,
    /// One by one; so many were refused since one was taken.
    Alone(u32),
    /// All that is left goes together once more, and a refusal is one of all.
    Last,
}

impl Caution {
    /// Whether the next message is to tell of one incident only.
    pub(super) fn is_alone(self) -> bool {
        matches!(self, Caution::Alone(_))
    }

    /// After a refusal for good of a message about so many incidents; whether it holds for all of them.
    pub(super) fn refused(&mut self, incidents: usize) -> bool {
        let (next, holds) = match self {
            Caution::None if incidents > 1 => (Caution::Alone(0), false),
            Caution::None | Caution::Last => (Caution::None, true),
            Caution::Alone(0) => (Caution::Alone(1), true),
            Caution::Alone(_) => (Caution::Last, true),
        };
        *self = next;
        holds
    }

    /// After a message was taken.
    pub(super) fn taken(&mut self) {
        *self = match self {
            Caution::Alone(_) => Caution::Alone(0),
            Caution::None | Caution::Last => Caution::None,
        };
    }

    /// When nothing is left.
    pub(super) fn forget(&mut self) {
        *self = Caution::None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offers incidents to a place that refuses every message with one of the `bad` in it; what was sent, and which
    /// incidents were given up.
    fn offer(mut left: Vec<u32>, bad: &[u32]) -> (Vec<Vec<u32>>, Vec<u32>) {
        let (mut caution, mut sent, mut given_up) = (Caution::default(), Vec::new(), Vec::new());
        while !left.is_empty() {
            let count = if caution.is_alone() { 1 } else { left.len() };
            let message = left[..count].to_vec();
            sent.push(message.clone());
            let taken = message.iter().all(|incident| !bad.contains(incident));
            if taken {
                caution.taken();
            } else if caution.refused(count) {
                given_up.extend(&message);
            } else {
                continue;
            }
            left.drain(..count);
        }
        (sent, given_up)
    }

    #[test]
    fn one_that_is_not_taken_costs_no_other() {
        let (sent, given_up) = offer(vec![1, 2, 3, 4], &[2]);
        assert_eq!(given_up, [2]);
        assert_eq!(sent, [vec![1, 2, 3, 4], vec![1], vec![2], vec![3], vec![4]]);
        assert_eq!(offer(vec![1, 2, 3], &[]), (vec![vec![1, 2, 3]], vec![]));
        assert_eq!(offer(vec![1], &[1]), (vec![vec![1]], vec![1]));
    }

    #[test]
    fn a_place_that_takes_nothing_is_asked_four_times() {
        let all: Vec<u32> = (0..50).collect();
        let (sent, given_up) = offer(all.clone(), &all);
        assert_eq!(given_up, all);
        assert_eq!(
            sent.iter().map(Vec::len).collect::<Vec<_>>(),
            [50, 1, 1, 48]
        );
    }
}
