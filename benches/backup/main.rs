//! What backups cost: listing very many of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub
)]

mod listing;

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The bench runs itself to measure in a process of its own.
    match std::env::args().skip_while(|word| word != "look").nth(1) {
        Some(source) => listing::look(&source),
        None => listing::run(),
    }
}
