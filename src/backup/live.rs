//! What is known of a watched server that its backups are held against, from what its collectors last read: no
//! connection is opened here.

use std::sync::Arc;

use crate::sample::{Sample, Source};
use crate::scrape::Board;

/// What is known of a server; nothing, by default, of one that is not watched here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Live {
    /// The identifier that a cluster shares with its standbys and its physical backups.
    pub system_identifier: Option<u64>,
    /// The size of a segment of its WAL, in bytes.
    pub segment_bytes: Option<u64>,
    /// The position up to which WAL is archived, by its own account; `None` where it archives none.
    pub archived_end: Option<u64>,
}

impl Live {
    /// From what is on the board.
    pub fn of(board: &Board, server: &str) -> Live {
        let read = |collector: &str| Reading::of(board, server, collector);
        let (control, position, archived) = (
            read("control_data"),
            read("wal_position"),
            read("wal_archived"),
        );
        let identifier = control.find("pg_control_system");
        let identifier = identifier.map(|sample| sample.labels.get("system_identifier"));
        let segment = position.find("pg_wal_segment_size_bytes");
        let archived = archived.find("pg_wal_archived_position_bytes");
        Live {
            system_identifier: identifier.and_then(|text| text.parse().ok()),
            segment_bytes: segment
                .map(|sample| sample.value as u64)
                .filter(|bytes| *bytes > 0),
            archived_end: archived.map(|sample| sample.value as u64),
        }
    }
}

/// The last reading of one collector of a server.
struct Reading(Option<Arc<[Sample]>>);

impl Reading {
    fn of(board: &Board, server: &str, collector: &str) -> Reading {
        let latest = board.latest(&Source::new(server, "", collector));
        Reading(latest.map(|(_, samples)| samples))
    }

    fn find(&self, metric: &str) -> Option<&Sample> {
        let mut samples = self.0.iter().flat_map(|samples| samples.iter());
        samples.find(|sample| *sample.family.name == *metric)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sample::{Metric, Timestamp};
    use crate::store::{Settings, Store};

    /// Database, collector, metric, labels and value.
    type Given<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)], f64);

    fn board(readings: &[Given<'_>]) -> Board {
        let limits = Settings {
            retention: Duration::from_secs(3600),
            max_bytes: 1 << 20,
        };
        let board = Board::new(Arc::new(Store::new(&limits, Timestamp(0))), false);
        for (database, collector, metric, labels, value) in readings {
            let name: &'static str = String::from(*metric).leak();
            let sample = Metric::gauge(name, "").sample(labels, *value);
            let source = Source::new("shop", database, collector);
            board.declare(&source, Duration::from_secs(15), 3);
            board.publish(&source, Timestamp(1), Duration::ZERO, vec![sample], 0);
        }
        board
    }

    #[test]
    fn a_server_is_what_its_collectors_read() {
        let nothing = Live {
            system_identifier: None,
            segment_bytes: None,
            archived_end: None,
        };
        assert_eq!(Live::of(&board(&[]), "shop"), nothing);
        let identifier = [("system_identifier", "7556487932876497111")];
        let board = board(&[
            ("", "control_data", "pg_control_system", &identifier, 1.0),
            (
                "",
                "wal_position",
                "pg_wal_segment_size_bytes",
                &[],
                65536.0,
            ),
            (
                "",
                "wal_archived",
                "pg_wal_archived_position_bytes",
                &[],
                131072.0,
            ),
        ]);
        let live = Live {
            // More digits than a float has.
            system_identifier: Some(7_556_487_932_876_497_111),
            segment_bytes: Some(65536),
            archived_end: Some(131_072),
        };
        assert_eq!(Live::of(&board, "shop"), live);
        assert_eq!(Live::of(&board, "other"), nothing);
    }
}
