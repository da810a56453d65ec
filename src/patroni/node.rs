//! `/patroni`: what a node says of itself.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use super::metric::{self as m, truth};
use crate::sample::{Metric, Sample};

/// The answer, as far as it is of use. What a node does not know it leaves out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Node {
    /// Such as `running` or `start failed`.
    pub state: String,
    /// `primary` (`master` before Patroni 4), `standby_leader`, `replica` or `uninitialized`.
    #[serde(default)]
    pub role: String,
    postmaster_start_time: Option<String>,
    server_version: Option<u32>,
    #[serde(default)]
    xlog: Xlog,
    timeline: Option<u64>,
    replication_state: Option<String>,
    dcs_last_seen: Option<f64>,
    #[serde(default)]
    sync_standby: bool,
    #[serde(default)]
    quorum_standby: bool,
    #[serde(default)]
    cluster_unlocked: bool,
    #[serde(default)]
    failsafe_mode_is_active: bool,
    #[serde(default)]
    pending_restart: bool,
    #[serde(default)]
    pause: bool,
    /// Who it is.
    pub patroni: Identity,
}

/// Which node of which cluster.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Identity {
    /// Such as `4.1.5`.
    pub version: String,
    /// The cluster.
    pub scope: String,
    /// The node; empty before Patroni 3.1.
    #[serde(default)]
    pub name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
struct Xlog {
    location: Option<u64>,
    received_location: Option<u64>,
    replayed_location: Option<u64>,
    replayed_timestamp: Option<String>,
    paused: Option<bool>,
}

/// The states in the order of the numbers that Patroni gives them.
const STATES: [&str; 15] = [
    "initializing new cluster",
    "initdb failed",
    "running custom bootstrap script",
    "custom bootstrap failed",
    "creating replica",
    "running",
    "starting",
    "starting after custom bootstrap",
    "start failed",
    "restarting",
    "restart failed",
    "stopping",
    "stopped",
    "stop failed",
    "crashed",
];

/// The first version that says whether a replica streams.
const TELLS_REPLICATION: u32 = 30_100;

impl Node {
    /// What it says, as samples. A fact that it does not know is absent.
    pub(super) fn samples(&self) -> Vec<Sample> {
        let labels = [
            ("scope", self.patroni.scope.as_str()),
            ("name", self.patroni.name.as_str()),
        ];
        let flags = self.flags().into_iter();
        let flags = flags.map(|(metric, holds)| (metric, Some(truth(holds))));
        let all = flags.chain(self.numbers()).chain(self.replication());
        all.filter_map(|(metric, value)| Some(metric.sample(&labels, value?)))
            .collect()
    }

    fn flags(&self) -> [(Metric, bool); 11] {
        let role = self.role.as_str();
        [
            (m::RUNNING, self.state == "running"),
            (m::PRIMARY, matches!(role, "primary" | "master")),
            (m::STANDBY_LEADER, role == "standby_leader"),
            (m::REPLICA, role == "replica"),
            (m::SYNC_STANDBY, self.sync_standby),
            (m::QUORUM_STANDBY, self.quorum_standby),
            (m::REPLAY_PAUSED, self.xlog.paused == Some(true)),
            (m::UNLOCKED, self.cluster_unlocked),
            (m::FAILSAFE, self.failsafe_mode_is_active),
            (m::PENDING_RESTART, self.pending_restart),
            (m::PAUSED, self.pause),
        ]
    }

    fn numbers(&self) -> [(Metric, Option<f64>); 10] {
        let bytes = |position: Option<u64>| position.map(|bytes| bytes as f64);
        let state = STATES.iter().position(|state| *state == self.state);
        [
            (m::VERSION, self.version().map(f64::from)),
            (m::STATE, state.map(|number| number as f64)),
            (
                m::STARTED,
                self.postmaster_start_time.as_deref().and_then(seconds),
            ),
            (m::SERVER_VERSION, self.server_version.map(f64::from)),
            (m::TIMELINE, bytes(self.timeline)),
            (m::DCS_SEEN, self.dcs_last_seen.filter(|seen| *seen > 0.0)),
            (m::LOCATION, bytes(self.xlog.location)),
            (m::RECEIVED, bytes(self.xlog.received_location)),
            (m::REPLAYED, bytes(self.xlog.replayed_location)),
            (
                m::REPLAYED_TIME,
                self.xlog.replayed_timestamp.as_deref().and_then(seconds),
            ),
        ]
    }

    /// That nothing is said means that neither holds, from a Patroni that would say it of a server that runs.
    fn replication(&self) -> [(Metric, Option<f64>); 2] {
        let tells = self.version() >= Some(TELLS_REPLICATION) && self.server_version.is_some();
        let is = |wanted: &str| match self.replication_state.as_deref() {
            Some(state) => Some(truth(state == wanted)),
            None => tells.then_some(0.0),
        };
        [
            (m::STREAMING, is("streaming")),
            (m::ARCHIVE_RECOVERY, is("in archive recovery")),
        ]
    }

    /// `4.1.5` as 40105.
    fn version(&self) -> Option<u32> {
        let parts = self.patroni.version.split('.');
        parts
            .map(|part| part.parse::<u32>().ok())
            .try_fold(0, |number, part| Some(number * 100 + part?))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity {
            version,
            scope,
            name,
        } = &self.patroni;
        write!(f, "Patroni {version}, ")?;
        if !name.is_empty() {
            write!(f, "`{name}` of ")?;
        }
        write!(f, "`{scope}`, {}, {}", self.role, self.state)
    }
}

/// Python writes `2026-11-23 16:29:02.894344+00:00`.
fn seconds(text: &str) -> Option<f64> {
    let moment: Timestamp = text.parse().ok()?;
    Some(moment.as_microsecond() as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 4.1.5 answers on a replica.
    const REPLICA: &str = r#"{"state": "running", "postmaster_start_time": "2026-11-23 16:29:02.894344+00:00",
        "role": "replica", "server_version": 150020, "xlog": {"received_location": 50331648, "replayed_location": 50331640,
        "replayed_timestamp": null, "paused": true}, "timeline": 1, "replication_state": "in archive recovery",
        "dcs_last_seen": 1795451348, "database_system_identifier": "7711404742335008498", "pending_restart": true,
        "patroni": {"version": "4.1.5", "scope": "demo", "name": "node1"}}"#;

    /// As 4.1.5 answers where a cluster is being made.
    const STARTING: &str = r#"{"state": "starting", "role": "primary", "cluster_unlocked": true,
        "dcs_last_seen": 0, "patroni": {"version": "4.1.5", "scope": "demo", "name": "node1"}}"#;

    /// As 3.0.2 answers on a leader.
    const OLD_LEADER: &str = r#"{"state": "running", "role": "master", "server_version": 150020,
        "xlog": {"location": 22095352}, "timeline": 1, "dcs_last_seen": 1795451888,
        "patroni": {"version": "3.0.2", "scope": "demo"}}"#;

    #[test]
    fn a_node_says_what_it_knows() {
        let absent = None;
        let cases = [
            (REPLICA, "patroni_version", Some(40_105.0)),
            (
                REPLICA,
                "patroni_postmaster_start_time",
                Some(1_795_451_342.894_344),
            ),
            (REPLICA, "patroni_replica", Some(1.0)),
            (REPLICA, "patroni_primary", Some(0.0)),
            (
                REPLICA,
                "patroni_xlog_received_location",
                Some(50_331_648.0),
            ),
            (REPLICA, "patroni_xlog_location", absent),
            (REPLICA, "patroni_xlog_replayed_timestamp", absent),
            (REPLICA, "patroni_xlog_paused", Some(1.0)),
            (REPLICA, "patroni_postgres_streaming", Some(0.0)),
            (REPLICA, "patroni_postgres_in_archive_recovery", Some(1.0)),
            (REPLICA, "patroni_pending_restart", Some(1.0)),
            (STARTING, "patroni_postgres_running", Some(0.0)),
            (STARTING, "patroni_postgres_state", Some(6.0)),
            (STARTING, "patroni_cluster_unlocked", Some(1.0)),
            (STARTING, "patroni_dcs_last_seen", absent),
            (STARTING, "patroni_postgres_timeline", absent),
            (STARTING, "patroni_postgres_streaming", absent),
            (OLD_LEADER, "patroni_primary", Some(1.0)),
            (OLD_LEADER, "patroni_version", Some(30_002.0)),
            (OLD_LEADER, "patroni_postgres_streaming", absent),
        ];
        for (answer, name, value) in cases {
            let node: Node = serde_json::from_str(answer).unwrap();
            let samples = node.samples();
            let found = samples.iter().find(|sample| *sample.family.name == *name);
            assert_eq!(found.map(|sample| sample.value), value, "{name}: {answer}");
        }
    }
}
