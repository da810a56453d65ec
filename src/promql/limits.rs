//! When an expression is evaluated, and what that may take.

use std::time::Duration;

use super::EvalError;
use super::grid::Grid;
use crate::sample::Timestamp;

/// When an expression is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moments {
    /// Once.
    At(Timestamp),
    /// At `start` and every `step` after it up to `end`.
    Range {
        /// The first moment.
        start: Timestamp,
        /// No moment comes after it.
        end: Timestamp,
        /// The time between two moments; not zero.
        step: Duration,
    },
}

/// What one evaluation may take.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// How far back an instant selector looks for a sample.
    pub look_back: Duration,
    /// The step of a subquery that names none.
    pub subquery_step: Duration,
    /// Samples held at once.
    pub max_samples: usize,
    /// Asked again and again: whether to give up.
    pub stopped: &'a (dyn Fn() -> bool + Sync),
}

impl Default for Limits<'_> {
    /// Those of Prometheus, and as much time as it takes.
    fn default() -> Self {
        Limits {
            look_back: LOOK_BACK,
            subquery_step: SUBQUERY_STEP,
            max_samples: MAX_SAMPLES,
            stopped: &|| false,
        }
    }
}

/// How far back an instant selector looks, unless [`Limits`] say otherwise.
pub const LOOK_BACK: Duration = Duration::from_secs(5 * 60);

/// The step of a subquery that names none, unless [`Limits`] say otherwise: Prometheus' `evaluation_interval`, at its
/// default.
pub const SUBQUERY_STEP: Duration = Duration::from_secs(60);

/// How many samples may be held at once, unless [`Limits`] say otherwise.
pub const MAX_SAMPLES: usize = 50_000_000;

impl Moments {
    pub(super) fn grid(self) -> Result<Grid, EvalError> {
        match self {
            Moments::At(at) => Ok(Grid::once(at.0)),
            Moments::Range { step, .. } if step.as_millis() == 0 => {
                Err(EvalError::Failed("zero query resolution step width".into()))
            }
            Moments::Range { start, end, step } => {
                let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
                Ok(Grid::over(start.0, end.0, step))
            }
        }
    }
}
