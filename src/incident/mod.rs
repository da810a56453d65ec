//! The append-only log of what happened to incidents, and what is folded from it.
//! Takes transitions from `rules` and results from `notify`; hands on the [`Book`] that both read. Start-up is replay.

mod book;
mod event;
mod ledger;
mod log;
mod summary;

pub use book::{Book, Told};
pub use event::{Delivery, Event};
pub use ledger::Ledger;
pub use log::OpenError;
