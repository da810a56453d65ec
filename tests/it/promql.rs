//! PromQL: what test scripts say, and what Prometheus itself answers.

mod compare;
mod differential;
mod promqltest;
mod speed;

use std::time::Duration;

use pgvigil::sample::{Source, Sources, Timestamp};
use pgvigil::store::{Settings, Store};

/// A store without samples that keeps whatever it is given.
pub(crate) fn empty_store() -> Store {
    let settings = Settings {
        retention: Duration::from_secs(1 << 32),
        max_bytes: 1 << 40,
    };
    Store::new(&settings, Timestamp(0))
}

/// What the samples of a test rest on.
pub(crate) fn sources() -> Sources {
    Sources::one(Source::new("test", "", "script"))
}
