use std::time::Duration;

use super::*;
use crate::rules::file::{Strictness, parse};

fn groups(rules: &str) -> Vec<Group> {
    let text = format!("groups:\n- name: g\n  rules:\n{rules}");
    parse("f.yml", &text, Duration::ZERO, Strictness::default())
        .unwrap()
        .groups
}

fn series(name: &str) -> Labels {
    Labels::new([("__name__", name)])
}

/// S10 and Y2: an edited expression goes on with its series, those of a removed rule are left over.
#[test]
fn series_go_on_with_their_rule_and_are_left_over_without_it() {
    let before = groups(
        "  - {record: a, expr: m}\n  - {record: b, expr: m}\n  - {record: c, expr: m, labels: {x: y}}\n",
    );
    let traces = Traces::default();
    for rule in &before[0].rules {
        let series = vec![series(&rule.name), series("shared")];
        traces.put(
            rule,
            Trace {
                series,
                failed: false,
            },
        );
    }
    let after = groups("  - {record: a, expr: m + 1}\n  - {record: c, expr: m, labels: {x: z}}\n");
    let mut left = traces.abandoned(&after);
    left.sort();
    assert_eq!(left, ["b", "c", "shared", "shared"].map(series));
    assert_eq!(
        traces.unwritten(vec![series("b"), series("shared")]),
        [series("b")]
    );
    assert_eq!(
        traces.take(&after[0].rules[0]).series,
        [series("a"), series("shared")]
    );
    assert_eq!(traces.take(&after[0].rules[1]), Trace::default());
}
