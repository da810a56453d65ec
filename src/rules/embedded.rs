//! The rule files that are built in: the default set, and examples that a user switches on.

/// Name and text of each file of the default set.
pub(super) const DEFAULT: [(&str, &str); 7] = [
    (
        "default/postgresql.yml",
        include_str!("../../alerts/postgresql.yml"),
    ),
    (
        "default/schema.yml",
        include_str!("../../alerts/schema.yml"),
    ),
    (
        "default/pgbouncer.yml",
        include_str!("../../alerts/pgbouncer.yml"),
    ),
    (
        "default/patroni.yml",
        include_str!("../../alerts/patroni.yml"),
    ),
    (
        "default/backups.yml",
        include_str!("../../alerts/backups.yml"),
    ),
    (
        "default/collecting.yml",
        include_str!("../../alerts/collecting.yml"),
    ),
    (
        "default/pgvigil.yml",
        include_str!("../../alerts/pgvigil.yml"),
    ),
];

/// Name and text of each example; `rules.files` takes them under these names.
pub(super) const EXAMPLES: [(&str, &str); 3] = [
    (
        "example:guide",
        include_str!("../../alerts/examples/guide.yml"),
    ),
    (
        "example:advice",
        include_str!("../../alerts/examples/advice.yml"),
    ),
    (
        "example:performance",
        include_str!("../../alerts/examples/performance.yml"),
    ),
];

/// The names of the examples.
pub(super) fn example_names() -> String {
    EXAMPLES.map(|(name, _)| format!("`{name}`")).join(", ")
}
