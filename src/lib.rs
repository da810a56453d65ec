//! pgvigil keeps watch over PostgreSQL. The rooms, in the order in which data passes through them.

pub mod document;
pub mod program;
pub mod sample;
mod words;

pub mod config;
pub mod server;

pub mod backup;
pub mod collectors;
pub mod patroni;
pub mod scrape;

pub mod promql;
pub mod rules;
pub mod store;

pub mod incident;
pub mod notify;
pub mod remote_write;

pub mod demo;
pub mod telemetry;
pub mod web;

pub mod app;
pub mod cli;
