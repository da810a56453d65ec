//! Arguments and exit codes: 0 good, 1 the thing checked is bad, 2 used wrongly or cannot run.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Every TLS client and server of the process takes its cryptography from here.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("error: a TLS provider was installed before main");
        return ExitCode::from(2);
    }
    pgvigil::cli::run()
}
