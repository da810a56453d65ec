//! The metrics of backups: their names and meanings.

use crate::sample::{Metric, Sample};

pub(super) const PROBE_SUCCESS: Metric = Metric::gauge(
    "pg_backup_probe_success",
    "Whether the last look at the backups succeeded.",
);
pub(super) const PROBE_TIMESTAMP: Metric = Metric::gauge(
    "pg_backup_probe_timestamp_seconds",
    "When the backups were last looked at with success.",
);
pub(super) const PROBE_DURATION: Metric = Metric::gauge(
    "pg_backup_probe_duration_seconds",
    "How long the last look at the backups took.",
);
pub(super) const ANSWER_AGE: Metric = Metric::gauge(
    "pg_backup_answer_age_seconds",
    "How long ago the answer of a backup tool was written, where that is done elsewhere.",
);
pub(super) const COUNT: Metric = Metric::gauge(
    "pg_backup_count",
    "Backups by state: done, running, failed or damaged.",
);
pub(super) const PROBLEM: Metric = Metric::gauge(
    "pg_backup_problem",
    "1 while the newest backup, or the place where it should be, has this problem; absent when it has not.",
);
pub(super) const LAST_SUCCESS: Metric = Metric::gauge(
    "pg_backup_last_success_timestamp_seconds",
    "When the newest usable backup was finished.",
);
pub(super) const AGE: Metric =
    Metric::gauge("pg_backup_age_seconds", "Age of the newest usable backup.");
pub(super) const LAST_ATTEMPT_FAILED: Metric = Metric::gauge(
    "pg_backup_last_attempt_failed",
    "Whether the newest backup that came to an end ended in this state: failed or damaged.",
);
pub(super) const RUNNING_SINCE: Metric = Metric::gauge(
    "pg_backup_running_since_timestamp_seconds",
    "Since when the oldest unfinished backup has been there.",
);
pub(super) const SIZE: Metric = Metric::gauge(
    "pg_backup_size_bytes",
    "Stored size of the newest usable backup.",
);
pub(super) const TYPICAL_SIZE: Metric = Metric::gauge(
    "pg_backup_typical_size_bytes",
    "Median size of up to seven usable backups before the newest, of those that need no other.",
);
pub(super) const SIZE_SPREAD: Metric = Metric::gauge(
    "pg_backup_size_spread_bytes",
    "Median distance of the same backups' sizes from their median.",
);
pub(super) const DURATION: Metric = Metric::gauge(
    "pg_backup_duration_seconds",
    "How long the newest usable backup took to make.",
);
pub(super) const STORED: Metric = Metric::gauge(
    "pg_backup_stored_bytes",
    "Stored size of all backups and all WAL together.",
);
pub(super) const FREE: Metric = Metric::gauge(
    "pg_backup_free_bytes",
    "Room left on the file system of the backups.",
);
pub(super) const PROOF: Metric = Metric::gauge(
    "pg_backup_proof_timestamp_seconds",
    "When the newest backup with at least this proof was finished; 0 when there is none. What a tool keeps is proved by drills alone.",
);
pub(super) const WINDOW_START: Metric = Metric::gauge(
    "pg_backup_recovery_window_start_timestamp_seconds",
    "Oldest moment one can restore to; 0 when there is none.",
);
pub(super) const WINDOW_END: Metric = Metric::gauge(
    "pg_backup_recovery_window_end_timestamp_seconds",
    "Newest moment one can restore to; 0 when there is none.",
);
pub(super) const FOREIGN: Metric = Metric::gauge(
    "pg_backup_foreign",
    "Whether the newest backup is of another database than configured, or of another cluster than the server.",
);
pub(super) const COMPLAINTS: Metric = Metric::gauge(
    "pg_backup_complaints",
    "How many things are said against the place itself, by the backup tool or by its names.",
);
pub(super) const PROBE_INTERVAL: Metric = Metric::gauge(
    "pg_backup_probe_interval_seconds",
    "How often the backups are looked at.",
);
pub(super) const WATCHED_SINCE: Metric = Metric::gauge(
    "pg_backup_watched_since_timestamp_seconds",
    "When a usable backup was seen here for the first time.",
);
pub(super) const RETENTION_SHORT: Metric = Metric::gauge(
    "pg_backup_retention_short",
    "Whether the oldest usable backup is younger than backups are promised to be kept, although they have been watched for that long.",
);
pub(super) const RETENTION_OVERDUE: Metric = Metric::gauge(
    "pg_backup_retention_overdue",
    "Whether the oldest usable backup is much older than backups are promised to be kept.",
);
pub(super) const VANISHED: Metric = Metric::gauge(
    "pg_backup_vanished",
    "Backups that went within the last day although they were promised to be kept.",
);
pub(super) const GROWTH: Metric = Metric::gauge(
    "pg_backup_growth_bytes_per_second",
    "How much more is stored each second, by the middle slope between the days remembered; absent before a week.",
);
pub(super) const FULL_IN: Metric = Metric::gauge(
    "pg_backup_full_in_seconds",
    "When the room is used up if backups go on growing so; absent when they do not.",
);
pub(super) const UNCOPIED: Metric = Metric::gauge(
    "pg_backup_uncopied",
    "Backups of the original source that are not here with the same size and checksum.",
);
pub(super) const WAL_MISSING: Metric = Metric::gauge(
    "pg_backup_wal_missing_segments",
    "Segments missing, in two looks, from the oldest kept backup on.",
);
pub(super) const WAL_SHORT: Metric = Metric::gauge(
    "pg_backup_wal_short_segments",
    "Uncompressed segments that have not the size of a segment.",
);
pub(super) const WAL_LAST_ARRIVAL: Metric = Metric::gauge(
    "pg_backup_wal_last_arrival_timestamp_seconds",
    "When the newest segment of WAL came.",
);
pub(super) const COPIES: Metric = Metric::gauge(
    "pg_backup_copies",
    "Copies of the data: the database itself, and each place whose newest backup is usable and not older than promised.",
);
pub(super) const MEDIA: Metric =
    Metric::gauge("pg_backup_media", "Kinds of storage those copies lie on.");
pub(super) const OFFSITE_COPIES: Metric = Metric::gauge(
    "pg_backup_offsite_copies",
    "Those of the copies that would survive the loss of the server's site.",
);
pub(super) const OFFSITE_PLACES: Metric = Metric::gauge(
    "pg_backup_offsite_places",
    "Places that are meant to survive the loss of the server's site.",
);
pub(super) const EXPECTED_FULL_INTERVAL: Metric = Metric::gauge(
    "pg_backup_expected_full_interval_seconds",
    "How often a full backup is promised.",
);
pub(super) const EXPECTED_INTERVAL: Metric = Metric::gauge(
    "pg_backup_expected_interval_seconds",
    "How often a backup is promised.",
);
pub(super) const EXPECTED_GRACE: Metric = Metric::gauge(
    "pg_backup_expected_grace_seconds",
    "How much later than promised a backup may come.",
);
pub(super) const EXPECTED_RETENTION: Metric = Metric::gauge(
    "pg_backup_expected_retention_seconds",
    "How long backups are promised to be kept.",
);
pub(super) const RECOVERY_TIME: Metric = Metric::gauge(
    "pg_backup_recovery_time_objective_seconds",
    "The longest that a recovery may take.",
);
pub(super) const DRILL_INTERVAL: Metric = Metric::gauge(
    "pg_restore_drill_expected_interval_seconds",
    "How often a restore drill is promised.",
);
pub(super) const DRILL_SUCCESS: Metric = Metric::gauge(
    "pg_restore_drill_success",
    "Whether the last restore drill restored the backup and all that was asserted holds.",
);
pub(super) const DRILL_TIMESTAMP: Metric = Metric::gauge(
    "pg_restore_drill_timestamp_seconds",
    "When the last restore drill ended.",
);
pub(super) const DRILL_DURATION: Metric = Metric::gauge(
    "pg_restore_drill_duration_seconds",
    "How long each phase of the last restore drill took; together they are the recovery time.",
);
pub(super) const DRILL_BYTES: Metric = Metric::gauge(
    "pg_restore_drill_restored_bytes",
    "Size of the databases that the last restore drill restored.",
);
pub(super) const DRILL_DATA_AGE: Metric = Metric::gauge(
    "pg_restore_drill_data_age_seconds",
    "How much older the newest row was than the recovery point.",
);

pub(super) const LOG_ERRORS: Metric = Metric::gauge(
    "pg_backup_log_errors",
    "Lines that tell of an error in the log of the backup job, since `every` and `grace` ago.",
);
pub(super) const LOG_READABLE: Metric = Metric::gauge(
    "pg_backup_log_readable",
    "Whether the log of the backup job could be read.",
);

/// Every metric about backups.
pub const METRICS: &[Metric] = &[
    PROBE_SUCCESS,
    PROBE_TIMESTAMP,
    PROBE_DURATION,
    ANSWER_AGE,
    COUNT,
    PROBLEM,
    LAST_SUCCESS,
    AGE,
    LAST_ATTEMPT_FAILED,
    RUNNING_SINCE,
    SIZE,
    TYPICAL_SIZE,
    SIZE_SPREAD,
    DURATION,
    STORED,
    FREE,
    PROOF,
    WINDOW_START,
    WINDOW_END,
    FOREIGN,
    COMPLAINTS,
    PROBE_INTERVAL,
    WATCHED_SINCE,
    RETENTION_SHORT,
    RETENTION_OVERDUE,
    VANISHED,
    GROWTH,
    FULL_IN,
    UNCOPIED,
    WAL_MISSING,
    WAL_SHORT,
    WAL_LAST_ARRIVAL,
    COPIES,
    MEDIA,
    OFFSITE_COPIES,
    OFFSITE_PLACES,
    EXPECTED_FULL_INTERVAL,
    EXPECTED_INTERVAL,
    EXPECTED_GRACE,
    EXPECTED_RETENTION,
    LOG_ERRORS,
    LOG_READABLE,
    RECOVERY_TIME,
    DRILL_INTERVAL,
    DRILL_SUCCESS,
    DRILL_TIMESTAMP,
    DRILL_DURATION,
    DRILL_BYTES,
    DRILL_DATA_AGE,
];

/// Samples of one source, as they are put together.
pub(super) struct Page<'s> {
    source: &'s str,
    samples: Vec<Sample>,
}

impl<'s> Page<'s> {
    pub(super) fn of(source: &'s str) -> Self {
        Page {
            source,
            samples: Vec::new(),
        }
    }

    /// Adds a sample with the label `source` and those given.
    pub(super) fn put(&mut self, metric: Metric, labels: &[(&str, &str)], value: f64) {
        let mut sample = metric.sample(labels, value);
        sample.labels = sample.labels.with("source", self.source);
        self.samples.push(sample);
    }

    /// Adds a sample where there is a value.
    pub(super) fn put_some(&mut self, metric: Metric, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.put(metric, labels, value);
        }
    }

    pub(super) fn finish(self) -> Vec<Sample> {
        self.samples
    }
}
