//! The append-only log of what happened to incidents, and what is folded from it.
//! Takes transitions from `rules` and results from `notify`; hands on the [`Book`] that both read. Start-up is replay.

mod book;
mod event;
mod evidence;
mod figures;
mod ledger;
mod log;
mod matcher;
mod silence;
mod summary;

pub use book::{Book, Told};
pub use event::{Acknowledgement, Delivery, Event};
pub use evidence::Evidence;
pub use figures::Figures;
pub use ledger::Ledger;
pub use log::OpenError;
pub use matcher::{Matcher, Parts};
pub use silence::{Silence, SilenceState};
