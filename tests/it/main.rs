//! Integration tests against real components: one binary, a file per room.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod alerts;
mod backup;
mod cli;
mod collectors;
mod config;
mod crash;
mod databases;
mod defects;
mod demo;
mod deploy;
mod docs;
mod evidence;
mod fuzz;
mod grants;
mod guidance;
mod harness;
mod incident;
mod notify;
mod own;
mod patroni;
mod pgbouncer;
mod promql;
mod query;
mod remote_write;
mod replay;
mod rules;
mod scrape;
mod secrets;
mod server;
mod silence;
mod store;
mod watch;
mod web;
