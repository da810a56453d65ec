//! What a server says when it is asked for a sign of life. Takes an answer with its times; hands on role and clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::certificate::Expiry;
use super::held::Answer;

/// Asks for the role and the clock in one row.
pub(super) const SQL: &str = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())";

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
    use crate::server::Table;

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
