//! The references in `docs/` are written from the declarations in the code, and are fresh.

use std::path::Path;

/// Compares a reference with its file; `UPDATE_DOCS=1` writes the file instead.
fn check(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "`{file}` is stale; run `make docs` and commit it"
    );
}

#[test]
fn configuration() {
    check("docs/configuration.md", &pgvigil::config::reference());
}

#[test]
fn api() {
    check("docs/api.md", &pgvigil::web::api::reference());
}

#[test]
fn command_line() {
    check("docs/command-line.md", &pgvigil::cli::reference());
}

#[test]
fn metrics() {
    check("docs/metrics.md", &pgvigil::collectors::reference());
}

#[test]
fn own_metrics() {
    check("docs/own-metrics.md", &pgvigil::app::reference());
}

#[test]
fn rules() {
    check("docs/rules.md", &pgvigil::rules::reference());
}
