//! `/cluster`: what a node knows of all members.

use serde::Deserialize;
use serde_json::Value;

use super::metric as m;
use crate::sample::Sample;

/// The answer, as far as it is of use.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Cluster {
    members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Member {
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    state: String,
    timeline: Option<u64>,
    /// A number, or `unknown`.
    lag: Option<Value>,
}

impl Cluster {
    /// What is known of the members of the cluster `scope`.
    pub(super) fn samples(&self, scope: &str) -> Vec<Sample> {
        let of_member = |member: &Member| {
            let name = [("scope", scope), ("member", member.name.as_str())];
            let [scope, member_name] = name;
            let described = [
                scope,
                member_name,
                ("role", member.role.as_str()),
                ("state", member.state.as_str()),
            ];
            let lag = member.lag.as_ref().and_then(Value::as_f64);
            let timeline = member.timeline.map(|timeline| timeline as f64);
            [
                Some(m::MEMBER.sample(&described, 1.0)),
                lag.map(|bytes| m::MEMBER_LAG.sample(&name, bytes)),
                timeline.map(|timeline| m::MEMBER_TIMELINE.sample(&name, timeline)),
            ]
        };
        self.members.iter().flat_map(of_member).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_with_role_state_and_lag() {
        let answer = r#"{"members": [
            {"name": "a", "role": "leader", "state": "running", "timeline": 2},
            {"name": "b", "role": "replica", "state": "streaming", "timeline": 2, "lag": 16},
            {"name": "c", "role": "replica", "state": "start failed", "lag": "unknown"}], "scope": "demo"}"#;
        let cluster: Cluster = serde_json::from_str(answer).unwrap();
        let samples = cluster.samples("demo");
        let told: Vec<String> = samples
            .iter()
            .map(|sample| format!("{}{} {}", sample.family.name, sample.labels, sample.value))
            .collect();
        let expected = [
            r#"patroni_cluster_member_info{member="a", role="leader", scope="demo", state="running"} 1"#,
            r#"patroni_cluster_member_timeline{member="a", scope="demo"} 2"#,
            r#"patroni_cluster_member_info{member="b", role="replica", scope="demo", state="streaming"} 1"#,
            r#"patroni_cluster_member_lag_bytes{member="b", scope="demo"} 16"#,
            r#"patroni_cluster_member_timeline{member="b", scope="demo"} 2"#,
            r#"patroni_cluster_member_info{member="c", role="replica", scope="demo", state="start failed"} 1"#,
        ];
        assert_eq!(told, expected);
    }
}
