#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pgvigil_fuzz::snapshot::run(bytes));
