//! What a server says when it is asked for a sign of life. Takes an answer with its times; hands on role, clock and lag.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Table;
use super::certificate::Expiry;
use super::held::Answer;

/// Asks for the role and the clock in one row.
pub(super) const SQL: &str = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())";

/// Asks a standby how far it lags behind, by the rules of the collector `replication`; no row while nothing streams.
pub(super) const LAG: &str = "
SELECT CASE WHEN received <= replayed THEN 0
            ELSE GREATEST(0, EXTRACT(EPOCH FROM pg_catalog.clock_timestamp()
                   - COALESCE(pg_catalog.pg_last_xact_replay_timestamp(), pg_catalog.pg_postmaster_start_time()))) END,
       GREATEST(0, pg_catalog.pg_wal_lsn_diff(GREATEST(received, latest), replayed))
FROM (SELECT pg_catalog.pg_last_wal_receive_lsn() AS received, pg_catalog.pg_last_wal_replay_lsn() AS replayed,
             pg_catalog.max(latest_end_lsn) AS latest
      FROM pg_catalog.pg_stat_wal_receiver
      WHERE pid IS NOT NULL AND COALESCE(status, 'streaming') = 'streaming'
      HAVING pg_catalog.count(*) > 0) AS receiver";

/// How far a standby whose receiver streams lags behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// Since the last commit it has replayed; 0 when it has replayed all it received.
    pub seconds: f64,
    /// WAL that it knows of and has not replayed.
    pub bytes: f64,
}

impl Lag {
    /// From the answer to [`LAG`].
    pub(super) fn of(table: &Table) -> Option<Lag> {
        let row = table.rows().next()?;
        Some(Lag {
            seconds: row.cell(0)?.parse().ok()?,
            bytes: row.cell(1)?.parse().ok()?,
        })
    }
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pulse {
    /// Whether the server is in recovery.
    pub standby: bool,
    /// By how many seconds its clock is ahead of ours, right to within half the round trip.
    pub clock_skew: f64,
    /// From the question to the answer, without waiting for a connection.
    pub round_trip: Duration,
    /// When the certificates of the connection expire; `None` without TLS.
    pub certificate: Option<Expiry>,
}

impl Pulse {
    /// From the answer to [`SQL`]; `None` when it is something else.
    pub(super) fn of(answer: &Answer) -> Option<Pulse> {
        let row = answer.outcome.as_ref().ok()?.rows().next()?;
        let (standby, clock) = (row.cell(0)?, row.cell(1)?);
        Some(Pulse {
            standby: standby == "t",
            clock_skew: clock.parse::<f64>().ok()? - middle(answer.sent, answer.took),
            round_trip: answer.took,
            certificate: answer.certificate,
        })
    }
}

/// The server read its clock somewhere between the two ends of the round trip: at the middle the error is smallest.
fn middle(sent: SystemTime, took: Duration) -> f64 {
    let sent = sent.duration_since(UNIX_EPOCH).unwrap_or_default();
    (sent + took / 2).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_are_compared_at_the_middle_of_the_round_trip() {
        let cases = [
            (["t", "1000.25"], Some((true, 0.0))),
            (["f", "1010.25"], Some((false, 10.0))),
            (["f", "995.25"], Some((false, -5.0))),
            (["f", "soon"], None),
        ];
        for (row, expected) in cases {
            let mut table = Table::new(["pg_is_in_recovery", "date_part"]);
            table.push(&row.map(Some));
            let answer = Answer {
                outcome: Ok(table),
                sent: UNIX_EPOCH + Duration::from_secs(1000),
                took: Duration::from_millis(500),
                certificate: None,
            };
            let found = Pulse::of(&answer).map(|pulse| (pulse.standby, pulse.clock_skew));
            assert_eq!(found, expected, "{row:?}");
        }
    }
}
