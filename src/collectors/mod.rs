//! Collectors are data: YAML declarations of SQL and the metrics its columns are. Does no I/O.
//! Takes declarations, facts and answered tables; hands on plans and samples.

mod budget;
mod catalog;
mod declaration;
mod estimate;
pub mod evidence;
mod examine;
mod explain;
mod grants;
mod import;
mod metric;
mod pivot;
mod plan;
mod read;
mod reason;
mod reference;
mod sampling;
mod settings;
mod top;

pub use budget::{Cost, total, widen};
pub use catalog::{is_built_in, load};
pub use declaration::{Cadence, Collector, Lookup, Needs, Privilege, Query, Role, Scope, Top};
pub use estimate::Estimate;
pub use evidence::{EvidenceQuery, load_evidence};
pub use examine::{Flaw, examine};
pub use explain::{Measured, explain, explain_costs};
pub use grants::further_grants;
pub use import::{Import, import};
pub use metric::{Metric, Origin, Remainder};
pub use pivot::Pivot;
pub use plan::{Omission, Plan, Run, plan};
pub use reason::Reason;
pub use reference::reference;
pub use sampling::{Rest, Room, Sampled, Shown, samples};
pub use settings::{Override, Settings};
