//! What the REST API of Patroni becomes. Those that Patroni has itself keep its names, types and labels.

use crate::sample::{Metric, Sample};

const UP: Metric = Metric::gauge(
    "patroni_up",
    "Whether the REST API of Patroni answers (1) or not (0).",
);
pub(super) const VERSION: Metric = Metric::gauge(
    "patroni_version",
    "The version of Patroni, two digits for each part: 40105 is 4.1.5.",
);
pub(super) const RUNNING: Metric = Metric::gauge(
    "patroni_postgres_running",
    "Whether PostgreSQL runs on this node.",
);
pub(super) const STATE: Metric = Metric::gauge(
    "patroni_postgres_state",
    "The state of PostgreSQL as a number: 5 is running, 4 creating a replica, 6 starting, 8 start failed, 11 stopping, 12 stopped, 14 crashed.",
);
pub(super) const STARTED: Metric = Metric::gauge(
    "patroni_postmaster_start_time",
    "When PostgreSQL was started.",
);
pub(super) const PRIMARY: Metric =
    Metric::gauge("patroni_primary", "Whether this node is the leader.");
pub(super) const STANDBY_LEADER: Metric = Metric::gauge(
    "patroni_standby_leader",
    "Whether this node leads a standby cluster.",
);
pub(super) const REPLICA: Metric =
    Metric::gauge("patroni_replica", "Whether this node is a replica.");
pub(super) const SYNC_STANDBY: Metric = Metric::gauge(
    "patroni_sync_standby",
    "Whether this node is a synchronous standby.",
);
pub(super) const QUORUM_STANDBY: Metric = Metric::gauge(
    "patroni_quorum_standby",
    "Whether this node is a standby of the quorum.",
);
pub(super) const LOCATION: Metric = Metric::counter(
    "patroni_xlog_location",
    "The position in bytes up to which WAL was written; absent on replicas.",
);
pub(super) const RECEIVED: Metric = Metric::counter(
    "patroni_xlog_received_location",
    "The position in bytes up to which WAL was received; absent on a leader.",
);
pub(super) const REPLAYED: Metric = Metric::counter(
    "patroni_xlog_replayed_location",
    "The position in bytes up to which WAL was replayed; absent on a leader.",
);
pub(super) const REPLAYED_TIME: Metric = Metric::gauge(
    "patroni_xlog_replayed_timestamp",
    "When the last transaction that was replayed was committed; absent on a leader.",
);
pub(super) const REPLAY_PAUSED: Metric = Metric::gauge(
    "patroni_xlog_paused",
    "Whether the replay of WAL is paused.",
);
pub(super) const STREAMING: Metric = Metric::gauge(
    "patroni_postgres_streaming",
    "Whether PostgreSQL streams from another node; absent before Patroni 3.1.",
);
pub(super) const ARCHIVE_RECOVERY: Metric = Metric::gauge(
    "patroni_postgres_in_archive_recovery",
    "Whether PostgreSQL replays from the archive; absent before Patroni 3.1.",
);
pub(super) const SERVER_VERSION: Metric = Metric::gauge(
    "patroni_postgres_server_version",
    "The version of PostgreSQL, such as 150018; absent while it does not run.",
);
pub(super) const UNLOCKED: Metric = Metric::gauge(
    "patroni_cluster_unlocked",
    "Whether nobody holds the leader's lock.",
);
pub(super) const FAILSAFE: Metric = Metric::gauge(
    "patroni_failsafe_mode_is_active",
    "Whether the leader stays without the store of the configuration, for all members agree.",
);
pub(super) const TIMELINE: Metric = Metric::counter(
    "patroni_postgres_timeline",
    "The timeline of PostgreSQL; absent while it does not run.",
);
pub(super) const DCS_SEEN: Metric = Metric::gauge(
    "patroni_dcs_last_seen",
    "When Patroni last reached the store of the configuration.",
);
pub(super) const PENDING_RESTART: Metric = Metric::gauge(
    "patroni_pending_restart",
    "Whether PostgreSQL needs a restart for a setting.",
);
pub(super) const PAUSED: Metric = Metric::gauge(
    "patroni_is_paused",
    "Whether automatic failover is switched off.",
);
pub(super) const MEMBER: Metric = Metric::gauge(
    "patroni_cluster_member_info",
    "A member of the cluster, with its role and state as labels.",
);
pub(super) const MEMBER_LAG: Metric = Metric::gauge(
    "patroni_cluster_member_lag_bytes",
    "How far a member is behind the leader; absent where that is not known.",
);
pub(super) const MEMBER_TIMELINE: Metric = Metric::gauge(
    "patroni_cluster_member_timeline",
    "The timeline of a member.",
);

/// Every one of them.
pub const METRICS: &[Metric] = &[
    UP,
    VERSION,
    RUNNING,
    STATE,
    STARTED,
    PRIMARY,
    STANDBY_LEADER,
    REPLICA,
    SYNC_STANDBY,
    QUORUM_STANDBY,
    LOCATION,
    RECEIVED,
    REPLAYED,
    REPLAYED_TIME,
    REPLAY_PAUSED,
    STREAMING,
    ARCHIVE_RECOVERY,
    SERVER_VERSION,
    UNLOCKED,
    FAILSAFE,
    TIMELINE,
    DCS_SEEN,
    PENDING_RESTART,
    PAUSED,
    MEMBER,
    MEMBER_LAG,
    MEMBER_TIMELINE,
];

/// Whether the API answers.
pub(super) fn up(answers: bool) -> Sample {
    UP.sample(&[], truth(answers))
}

/// 1 for what holds, 0 for what does not.
pub(super) fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
