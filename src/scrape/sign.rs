//! The last sign of life of each server, for those who act on it within seconds.
//! Takes what liveness finds; hands it to whoever asks, with its age.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::server::{Lag, Pulse, ServerError, Trouble};

/// What a server does, or is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It is in recovery and answers.
    Standby,
    /// It is starting up and takes nobody yet.
    Starting,
    /// It is shutting down.
    Stopping,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Primary, Role::Standby, Role::Starting, Role::Stopping];

    /// Its name in labels and answers.
    pub fn name(self) -> &'static str {
        match self {
            Role::Primary => "primary",
            Role::Standby => "standby",
            Role::Starting => "starting",
            Role::Stopping => "stopping",
        }
    }

    /// The role that an answer shows; `None` where it shows none.
    pub(super) fn of(answer: &Result<Option<Pulse>, ServerError>) -> Option<Role> {
        match answer {
            Ok(Some(pulse)) if pulse.standby => Some(Role::Standby),
            Ok(Some(_)) => Some(Role::Primary),
            Ok(None) => None,
            Err(error) => match error.trouble {
                Trouble::Starting => Some(Role::Starting),
                Trouble::Stopping => Some(Role::Stopping),
                _ => None,
            },
        }
    }
}

/// What was last found out about a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sign {
    /// When it was found out.
    pub at: Instant,
    /// Whether the server answered.
    pub up: bool,
    /// What it does; `None` where it did not say.
    pub role: Option<Role>,
    /// How far it lags behind as a standby; `None` where that is not known.
    pub lag: Option<Lag>,
}

impl Sign {
    /// How long ago it was found out.
    pub fn age(&self) -> Duration {
        self.at.elapsed()
    }
}

/// The last sign of every server. Shared by reference; every call locks for itself.
#[derive(Debug, Default)]
pub struct Signs(Mutex<HashMap<Arc<str>, Sign>>);

impl Signs {
    /// Takes the newest of a server.
    pub fn note(&self, server: &str, sign: Sign) {
        let mut signs = self.locked();
        match signs.get_mut(server) {
            Some(last) => *last = sign,
            None => drop(signs.insert(server.into(), sign)),
        }
    }

    /// The last of a server; `None` before the first.
    pub fn last(&self, server: &str) -> Option<Sign> {
        self.locked().get(server).copied()
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Arc<str>, Sign>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
