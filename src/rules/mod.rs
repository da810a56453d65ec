//! Rule files → alert states. Evaluation is a pure function of rules, store, state and slot; touches no network and no clock.
//! Takes rule files and the store; hands transitions to the incident log and samples back to the store.

mod alert;
mod blind;
mod check;
mod embedded;
mod error;
mod evaluate;
mod file;
mod lint;
mod metric;
mod reference;
mod rule;
mod schedule;
mod set;
mod settings;
mod status;
mod step;
mod template;
mod testing;
mod trace;

pub use alert::{Alert, AlertState, Change, ENDED_BECAUSE, RuleKey, Transition};
pub use blind::{Blind, Inputs};
pub use check::{Checked, check};
pub use error::RuleError;
pub use evaluate::{Before, Context, Evaluation, evaluate};
pub use lint::{Schema, lint};
pub use metric::{METRICS, samples};
pub use reference::reference;
pub use rule::{Action, Alerting, Group, Rule};
pub use schedule::{Due, due, next_slot};
pub use set::{RuleSet, load};
pub use settings::{Override, Settings};
pub use status::{GroupStatus, RuleStatus, Statuses};
pub use template::Template;
pub use testing::{Failure, TestOptions, TestResult, Tested, junit, test_file};
pub use trace::{Trace, Traces};
