//! pgvigil keeps watch over PostgreSQL. The rooms, in the order in which data passes through them.

pub mod document;
pub mod incident;
pub mod promql;
pub mod rules;
pub mod sample;
pub mod scrape;
pub mod server;
pub mod store;
