//! What is to be told of rules in the form of samples.

use crate::sample::{Metric, Sample, Timestamp};

use super::{Blind, Statuses};

const OVER_LIMIT: Metric = Metric::gauge(
    "pgvigil_rule_over_limit",
    "How many alerts or series more the rule gives than its group allows: it changes nothing meanwhile. Absent while it is within.",
);
const INPUT_MISSING: Metric = Metric::gauge(
    "pgvigil_rule_input_missing_seconds",
    "How long the source that the alerting rule has missed longest has given nothing, though it should. Absent while none is missing; a server that is down is said by its own metric.",
);

/// Every metric declared here, for the reference and for checking rules.
pub const METRICS: &[Metric] = &[OVER_LIMIT, INPUT_MISSING];

/// What there is to tell now. There is a series only for what is wrong.
pub fn samples(statuses: &Statuses, blind: &[Blind<'_>], now: Timestamp) -> Vec<Sample> {
    let mut samples = Vec::new();
    for group in statuses.all() {
        for (rule, name) in group.rules.iter().zip(&group.names) {
            let error = rule.error.as_ref();
            let labels = [
                ("file", group.file.as_str()),
                ("rule_group", group.group.as_str()),
                ("rule", &**name),
            ];
            let excess = error.and_then(|error| error.over_limit());
            samples.extend(excess.map(|count| OVER_LIMIT.sample(&labels, count as f64)));
        }
    }
    samples.extend(blind.iter().map(
        |Blind {
             rule,
             since,
             source,
         }| {
            let source = source.to_string();
            let labels = [
                ("file", &*rule.file),
                ("rule_group", &*rule.group),
                ("rule", &*rule.rule),
                ("source", &source),
            ];
            INPUT_MISSING.sample(&labels, now.since(*since).as_secs_f64())
        },
    ));
    samples
}
