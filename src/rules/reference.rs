//! The reference of the embedded rules, written from the rule files.

/// The text of `docs/rules.md`.
pub fn reference() -> String {
    todo!()
}
