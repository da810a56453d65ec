//! Rule files: read and judged.

use std::time::{Duration, Instant};

use pgvigil::rules;

/// Takes the bytes as the text of a rule file.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let begun = Instant::now();
    let _ = rules::check("rules.yml", text, false);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
}
