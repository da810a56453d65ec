//! The metrics of what would be lost.

use crate::sample::Metric;

pub(super) const SECONDS: Metric = Metric::gauge(
    "pg_wal_archive_exposure_seconds",
    "How long ago the oldest transaction ended that would be lost with the server, for its WAL is not archived by the server's own account; 0 when none would be. It grows also while the server cannot be read.",
);
pub(super) const LEAST: Metric = Metric::gauge(
    "pg_wal_archive_exposure_least_seconds",
    "The part of pg_wal_archive_exposure_seconds that is certain: a transaction that long ago was seen to end and is not archived.",
);
pub(super) const BYTES: Metric = Metric::gauge(
    "pg_wal_archive_exposure_bytes",
    "WAL that is not archived by the server's own account.",
);
pub(super) const EXACT: Metric = Metric::gauge(
    "pg_wal_archive_exposure_exact",
    "Whether pg_wal_archive_exposure_seconds is exact to one reading; 0 while it is only an upper bound.",
);
pub(super) const AGE: Metric = Metric::gauge(
    "pg_backup_recovery_point_age_seconds",
    "How old the newest moment is that could be restored from this source, at most: where it is not known how far WAL leads (as with a gap in it), as old as its newest backup. Absent when nothing could be restored, or no bound is known.",
);
pub(super) const LEAST_AGE: Metric = Metric::gauge(
    "pg_backup_recovery_point_least_age_seconds",
    "How old the newest moment is that could be restored from this source, at least; 0 when nothing is known to be lost.",
);
pub(super) const OBJECTIVE: Metric = Metric::gauge(
    "pg_backup_recovery_point_objective_seconds",
    "How old the newest moment that could be restored may be; absent for a source without WAL of which nothing was promised.",
);
pub(super) const BEHIND: Metric = Metric::gauge(
    "pg_backup_wal_behind_segments",
    "By how many segments the newest WAL of this source was behind what the server said was archived, at the last look.",
);

/// Every metric about what would be lost.
pub const EXPOSURE_METRICS: &[Metric] = &[
    SECONDS, LEAST, BYTES, EXACT, AGE, LEAST_AGE, OBJECTIVE, BEHIND,
];
