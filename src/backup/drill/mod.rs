//! A restore drill: the newest backup of a source into a throw-away cluster, and what that proved.

mod report;
mod reports;

pub use report::{Check, Outcome, Phase, Report};
pub use reports::Reports;
