//! Where a series was found, so that it need not be looked for again.

use super::index::Id;

/// A series' place as it was at the last append; when it no longer holds, the series is looked for by its labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Place {
    id: Id,
    serial: u64,
}

/// Serials of no series.
const UNKNOWN: u64 = 0;
const REFUSED: u64 = u64::MAX;

impl Place {
    /// There was no room for the series.
    pub(super) const REFUSED: Place = Place {
        id: 0,
        serial: REFUSED,
    };

    /// The place of a series with its serial, which is 1 or more.
    pub(super) fn at(id: Id, serial: u64) -> Self {
        Place { id, serial }
    }

    /// The series' place and serial, where one is known.
    pub(super) fn known(self) -> Option<(Id, u64)> {
        let known = self.serial != UNKNOWN && self.serial != REFUSED;
        known.then_some((self.id, self.serial))
    }
}
