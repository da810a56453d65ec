//! What a server has told before, and for how long it may stand. Takes answers with their times; reads no clock.

use std::time::Duration;

use tokio::time::Instant;

use super::sign::Role;
use crate::server::{Lag, Pulse, ServerError};

/// What one server told.
#[derive(Debug)]
pub(super) struct Told {
    valid: Duration,
    role: Option<Session>,
    caught_up: Option<Instant>,
}

/// A role, the session it was told in, and when.
#[derive(Debug)]
struct Session {
    role: Role,
    number: u64,
    at: Instant,
}

impl Told {
    /// Nothing yet. A role stands for as long as `valid` when nobody can be asked.
    pub(super) fn nothing(valid: Duration) -> Self {
        Told {
            valid,
            role: None,
            caught_up: None,
        }
    }

    /// The role that follows from an answer. While the session is in use nobody says it: what was last said there
    /// stands. A primary becomes a standby by a restart alone, which ends its sessions.
    pub(super) fn role(
        &mut self,
        answer: &Result<Option<Pulse>, ServerError>,
        number: u64,
        at: Instant,
    ) -> Option<Role> {
        match (answer, Role::of(answer)) {
            (Ok(_), Some(role)) => {
                self.role = Some(Session { role, number, at });
                Some(role)
            }
            (Ok(_), None) => {
                let last = self.role.as_ref();
                let stands = |last: &&Session| last.number == number && at < last.at + self.valid;
                last.filter(stands).map(|last| last.role)
            }
            (Err(_), role) => {
                *self = Told::nothing(self.valid);
                role
            }
        }
    }

    /// The lag as it can be at most: after a quiet hour the first bytes to come make the last commit look an hour late,
    /// though all was replayed a second ago.
    pub(super) fn lag(&mut self, lag: Option<Lag>, now: Instant) -> Option<Lag> {
        let lag = lag?;
        if lag.seconds == 0.0 {
            self.caught_up = Some(now);
        }
        let since = self.caught_up.map(|at| (now - at).as_secs_f64());
        Some(Lag {
            seconds: since.map_or(lag.seconds, |since| lag.seconds.min(since)),
            ..lag
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Trouble;

    const VALID: Duration = Duration::from_secs(5);

    fn pulse(standby: bool) -> Result<Option<Pulse>, ServerError> {
        Ok(Some(Pulse {
            standby,
            clock_skew: 0.0,
            round_trip: Duration::ZERO,
            certificate: None,
        }))
    }

    fn refused(trouble: Trouble) -> Result<Option<Pulse>, ServerError> {
        Err(ServerError {
            trouble,
            what: String::new(),
            cause: String::new(),
            hint: None,
        })
    }

    #[test]
    fn a_role_stands_while_its_session_is_busy_but_not_for_long() {
        let steps = [
            (0, 1, Ok(None), None),
            (1, 1, pulse(true), Some(Role::Standby)),
            (5, 1, Ok(None), Some(Role::Standby)),
            (6, 1, Ok(None), None),
            (7, 1, pulse(false), Some(Role::Primary)),
            (8, 2, Ok(None), None),
            (9, 2, pulse(false), Some(Role::Primary)),
            (10, 2, refused(Trouble::Stopping), Some(Role::Stopping)),
            (11, 2, refused(Trouble::Refused), None),
            (12, 2, refused(Trouble::Starting), Some(Role::Starting)),
            (13, 2, Ok(None), None),
        ];
        let begun = Instant::now();
        let mut told = Told::nothing(VALID);
        for (second, session, answer, expected) in steps {
            let at = begun + Duration::from_secs(second);
            assert_eq!(told.role(&answer, session, at), expected, "at {second} s");
        }
    }

    #[test]
    fn a_quiet_hour_is_no_lag() {
        let steps = [
            (0, Some(7.0), Some(7.0)),
            (1, Some(0.0), Some(0.0)),
            (3600, Some(0.0), Some(0.0)),
            (3601, Some(3600.0), Some(1.0)),
            (3602, None, None),
            (3605, Some(3604.0), Some(5.0)),
            (3606, Some(2.0), Some(2.0)),
        ];
        let begun = Instant::now();
        let mut told = Told::nothing(VALID);
        for (second, seconds, expected) in steps {
            let lag = seconds.map(|seconds| Lag {
                seconds,
                bytes: 1.0,
            });
            let found = told.lag(lag, begun + Duration::from_secs(second));
            assert_eq!(found.map(|lag| lag.seconds), expected, "at {second} s");
        }
    }
}
