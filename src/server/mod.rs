//! One PostgreSQL server or PgBouncer: its connections (at most two), its facts, and reading from it.
//! Takes a server's settings; hands on [`Facts`] for the planner and [`Table`]s for the collectors.

mod attempt;
mod certificate;
mod dsn;
mod endpoint;
mod environment;
mod error;
mod extension;
mod facts;
mod grants;
mod held;
mod identifier;
mod kind;
mod lanes;
mod pulse;
mod session;
mod settings;
mod table;
mod tls;
mod turns;
mod visit;
mod wire;

pub use certificate::Expiry;
pub use dsn::{Dsn, DsnError, SslMode};
pub use environment::from_environment;
pub use error::{ServerError, Trouble};
pub use extension::{Extension, ExtensionVersion};
pub use facts::Facts;
pub use grants::grants;
pub use identifier::{literal, quoted};
pub use kind::Kind;
pub use lanes::{Lane, Server};
pub use pulse::{Lag, Pulse};
pub use settings::{Databases, QueryText, Settings};
pub use table::{ReadError, Row, Table};
pub use visit::Visit;
