//! Rule files → alert states. Evaluation is a pure function of rules, store, state and slot; touches no network and no clock.
//! Takes rule files and the store; hands transitions to the incident log and samples back to the store.

mod alert;
mod settings;

pub use alert::{Alert, AlertState, Change, RuleKey, Transition};
pub use settings::Settings;
