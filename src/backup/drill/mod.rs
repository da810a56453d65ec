//! Restore drills: the newest backup of a source into a throw-away cluster, and what that proved.
//! Takes a source and what is asserted of its data; hands on reports. The server that a backup is of is never spoken to.

mod ahead;
mod assert;
mod binaries;
mod choice;
mod cluster;
mod ending;
mod failure;
mod fetch;
mod folder;
mod guard;
mod kept;
mod logical;
mod physical;
mod program;
mod ready;
mod recovery;
mod report;
mod reports;
mod roles;
mod room;
mod run;
mod settings;
mod tool;
mod wal;
mod watch;
mod way_out;
mod words;

pub use assert::Rows;
pub(crate) use guard::{GUARD, NOT_RUN, Orders, become_guarded};
pub use kept::{Kept, kept};
pub use ready::Ready;
pub(super) use ready::ready;
pub use report::{Check, Outcome, Phase, Report};
pub use reports::Reports;
pub use run::{Plan, run};
pub use settings::{Settings, Target};
pub(crate) use wal::{FETCH, fetch as fetch_wal};
pub use watch::{Live, run as watch};
pub use words::words;
