//! The sum of all scenes is what is shipped.

use std::collections::BTreeSet;
use std::time::Duration;

use pgvigil::rules::{Settings, load};

use super::{
    advice, backups, drills, nodes, own, promises, recovery, replication, sessions, upkeep, wal,
};

/// What is shipped and not staged, and why.
const NOT_STAGED: &[(&str, &str)] = &[
    (
        "Watchdog/info",
        "always fires; that it does is seen in every scene",
    ),
    (
        "PgvigilStageStandsStill/critical",
        "nothing that can be done to a process from outside stops one of its tasks alone; tests of the heartbeat stop each",
    ),
    (
        "PgvigilEvaluationsMissed/warning",
        "ends after five minutes without a missed slot, and the clock cannot be put forward without missing some",
    ),
];

/// Claim 8.
#[test]
fn every_shipped_rule_is_staged_or_it_is_known_why_not() {
    let settings = Settings {
        interval: Duration::from_secs(15),
        files: ["guide", "advice", "performance"]
            .map(|name| format!("example:{name}"))
            .into(),
        disable: Vec::new(),
        overrides: Vec::new(),
    };
    let set = load(&settings).unwrap();
    let rules = set.groups.iter().flat_map(|group| &group.rules);
    let shipped: BTreeSet<String> = rules
        .map(|rule| format!("{}/{}", rule.name, rule.severity()))
        .collect();
    let scenes = [
        advice::CASES,
        sessions::CASES,
        upkeep::CASES,
        replication::CASES,
        nodes::CASES,
        backups::CASES,
        promises::CASES,
        promises::TOOL_CASES,
        own::CASES,
        recovery::CASES,
        wal::CASES,
        drills::CASES,
    ];
    let staged: BTreeSet<String> = scenes
        .iter()
        .copied()
        .flatten()
        .map(|case| case.rule.to_owned())
        .collect();
    let count: usize = scenes.iter().map(|cases| cases.len()).sum();
    assert_eq!(staged.len(), count, "a rule is staged twice");
    let listed: BTreeSet<String> = NOT_STAGED
        .iter()
        .map(|(rule, _)| (*rule).to_owned())
        .collect();
    let known: BTreeSet<String> = staged.union(&listed).cloned().collect();
    assert_eq!(known, shipped);
    assert!(staged.is_disjoint(&listed));
}
