//! One PostgreSQL server: its connections (at most two), its facts, and reading from it.
//! Takes a server's settings; hands on [`Facts`] for the planner and [`Table`]s for the collectors.

mod facts;
mod table;

pub use facts::Facts;
pub use table::{ReadError, Table};
