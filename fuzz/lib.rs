//! What is done with bytes that may be anything: nothing may panic, nor take memory or time without bound. The fuzz
//! targets call these functions, and so do the tests, with the seeds and mutations of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

pub mod expression;
pub mod parameters;
pub mod rules;
pub mod snapshot;
