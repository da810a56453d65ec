//! Where each statement about Prometheus' rules that we follow, or deliberately do not, is proved. The table is itself
//! tested: each proof is in the file that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Statement, file, and the name of a test, or of a unit test in promtool's format.
const PROOFS: &[(&str, &str, &str)] = &[
    // Files: what is accepted and refused is compared with promtool, file by file.
    (
        "R1",
        "src/rules/file/tests.rs",
        "files_may_be_empty_and_a_second_document_is_passed_over",
    ),
    (
        "R2",
        "tests/it/rules/unit.rs",
        "unknown_keys_of_rule_files_are_passed_over_where_it_is_asked_for",
    ),
    (
        "R3",
        "src/rules/file/tests.rs",
        "groups_give_their_labels_and_interval_and_rules_of_one_name_are_told_apart",
    ),
    (
        "R4",
        "tests/it/rules/check.rs",
        "files_are_accepted_and_refused_as_by_promtool",
    ),
    (
        "R5",
        "tests/it/rules/check.rs",
        "files_are_accepted_and_refused_as_by_promtool",
    ),
    (
        "R6",
        "src/rules/template/tests.rs",
        "what_go_refuses_to_parse_is_refused",
    ),
    (
        "R7",
        "src/rules/file/tests.rs",
        "mistakes_name_line_group_rule_and_cause",
    ),
    (
        "R8",
        "tests/it/rules/check.rs",
        "lints_and_exit_codes_are_promtools",
    ),
    (
        "R9",
        "tests/it/rules/check.rs",
        "files_are_accepted_and_refused_as_by_promtool",
    ),
    (
        "R10",
        "tests/it/watch.rs",
        "a_reload_changes_everything_or_nothing",
    ),
    // Evaluation.
    (
        "E1",
        "src/rules/schedule.rs",
        "groups_with_equal_intervals_spread_out",
    ),
    (
        "E1",
        "tests/it/rules/timeline.rs",
        "alerts_take_the_course_that_they_take_in_prometheus",
    ),
    (
        "E2",
        "tests/rules/unit/series.yml",
        "query_offset looks back and writes back (E2)",
    ),
    (
        "E2",
        "tests/it/rules/timeline.rs",
        "alerts_take_the_course_that_they_take_in_prometheus",
    ),
    (
        "E3",
        "src/rules/schedule.rs",
        "slots_are_absolute_and_a_full_interval_apart",
    ),
    (
        "E4",
        "src/rules/schedule.rs",
        "an_evaluation_that_runs_long_skips_to_the_newest_slot",
    ),
    (
        "E5",
        "tests/rules/unit/series.yml",
        "later rules see ALERTS of now (E5, Y6)",
    ),
    (
        "E6",
        "tests/rules/unit/states.yml",
        "a number is one alert without labels (E6)",
    ),
    (
        "E7",
        "src/rules/evaluate/tests.rs",
        "an_error_or_too_many_results_leave_the_alerts_alone",
    ),
    (
        "E7",
        "tests/it/rules/timeline.rs",
        "alerts_take_the_course_that_they_take_in_prometheus",
    ),
    (
        "E8",
        "tests/rules/unit/series.yml",
        "recorded series have the labels of the rule over their own (E8)",
    ),
    (
        "E8",
        "tests/rules/unit/limits.yml",
        "fails: more series than the limit (E8)",
    ),
    (
        "E9",
        "tests/it/rules/running.rs",
        "a_reload_keeps_what_it_can_and_ends_what_it_must",
    ),
    // The states of alerts; all of them in the timeline as well.
    (
        "S1",
        "tests/rules/unit/states.yml",
        "empty labels are dropped, and alertname cannot be set (S1)",
    ),
    (
        "S2",
        "tests/rules/unit/limits.yml",
        "fails: alerts that become one (S2)",
    ),
    (
        "S3",
        "tests/rules/unit/states.yml",
        "a for shorter than the interval fires at the second evaluation (S3)",
    ),
    (
        "S4",
        "tests/rules/unit/states.yml",
        "without for it fires at once, with the value of now (S3, S4)",
    ),
    (
        "S5",
        "tests/rules/unit/states.yml",
        "a gap while pending begins again (S5)",
    ),
    (
        "S6",
        "tests/rules/unit/states.yml",
        "firing ends with the condition (S6)",
    ),
    (
        "S7",
        "tests/rules/unit/states.yml",
        "kept firing with the last annotations (S7)",
    ),
    (
        "S7",
        "tests/it/rules/timeline.rs",
        "alerts_take_the_course_that_they_take_in_prometheus",
    ),
    ("S8", "src/rules/step/tests.rs", "an_alert_takes_its_course"),
    (
        "S9",
        "tests/it/rules/running.rs",
        "a_reload_keeps_what_it_can_and_ends_what_it_must",
    ),
    (
        "S10",
        "tests/it/rules/running.rs",
        "a_reload_keeps_what_it_can_and_ends_what_it_must",
    ),
    (
        "S10",
        "src/rules/set/tests.rs",
        "what_was_firing_when_its_rule_was_removed_ends_with_the_reason",
    ),
    (
        "S10",
        "src/rules/trace/tests.rs",
        "series_go_on_with_their_rule_and_are_left_over_without_it",
    ),
    (
        "S11",
        "tests/it/web/api/rules.rs",
        "rules_and_alerts_are_told_as_prometheus_tells_them",
    ),
    // Templates.
    (
        "T1",
        "src/rules/template/tests.rs",
        "templates_print_as_in_prometheus",
    ),
    (
        "T1",
        "tests/it/rules.rs",
        "templates_print_as_prometheus_prints_them",
    ),
    (
        "T2",
        "src/rules/template/tests.rs",
        "numbers_print_as_go_prints_them",
    ),
    (
        "T3",
        "src/rules/template/tests.rs",
        "a_failure_becomes_the_text",
    ),
    (
        "T4",
        "src/rules/template/tests.rs",
        "templates_print_as_in_prometheus",
    ),
    (
        "T5",
        "src/rules/template/tests.rs",
        "a_failure_becomes_the_text",
    ),
    (
        "T6",
        "src/rules/template/tests.rs",
        "templates_print_as_in_prometheus",
    ),
    (
        "T7",
        "tests/rules/unit/states.yml",
        "a label that holds the value never leaves pending (T7)",
    ),
    (
        "T7",
        "tests/it/rules/lint.rs",
        "the_defects_of_public_rules_are_found_with_line_reason_and_way_out",
    ),
    // Series that rules write, and their ends.
    (
        "Y1",
        "tests/rules/unit/series.yml",
        "ALERTS and ALERTS_FOR_STATE (Y1)",
    ),
    (
        "Y2",
        "src/rules/evaluate/tests.rs",
        "an_alert_and_its_series_come_and_go",
    ),
    (
        "Y3",
        "tests/it/rules/running.rs",
        "a_restart_changes_no_alert",
    ),
    (
        "Y4",
        "tests/rules/unit/states.yml",
        "a series that only ends is looked for five minutes, left-open (Y4)",
    ),
    (
        "Y4",
        "src/scrape/board/tests.rs",
        "samples_outlive_failures_by_their_lifetime_and_then_end",
    ),
    (
        "Y5",
        "src/rules/evaluate/tests.rs",
        "an_alert_whose_source_fails_stays_and_another_servers_ends",
    ),
    ("Y5", "tests/it/watch.rs", "no_data_is_not_fine"),
    (
        "Y6",
        "tests/rules/unit/series.yml",
        "later rules see ALERTS of now (E5, Y6)",
    ),
    // Restarts.
    (
        "P1",
        "tests/it/rules/running.rs",
        "a_restart_changes_no_alert",
    ),
    (
        "P2",
        "tests/it/rules/running.rs",
        "a_restart_changes_no_alert",
    ),
    (
        "P3",
        "tests/it/rules/running.rs",
        "a_restart_changes_no_alert",
    ),
    (
        "P4",
        "tests/it/watch.rs",
        "a_killed_watch_tells_nobody_twice_and_loses_no_end",
    ),
    (
        "P5",
        "tests/it/watch.rs",
        "a_killed_watch_tells_nobody_twice_and_loses_no_end",
    ),
    (
        "P6",
        "tests/it/notify/alertmanager.rs",
        "a_real_one_is_told_of_the_alert_and_of_its_end",
    ),
    // The API.
    (
        "Q1",
        "tests/it/web/api/rules.rs",
        "rules_and_alerts_are_told_as_prometheus_tells_them",
    ),
    (
        "Q2",
        "tests/it/web/api/rules.rs",
        "rules_and_alerts_are_told_as_prometheus_tells_them",
    ),
];

/// How many statements there are of each kind.
const STATEMENTS: [(char, usize); 7] = [
    ('R', 10),
    ('E', 9),
    ('S', 11),
    ('T', 7),
    ('Y', 6),
    ('P', 6),
    ('Q', 2),
];

#[test]
fn every_statement_has_a_test() {
    let wanted = STATEMENTS
        .iter()
        .flat_map(|(kind, count)| (1..=*count).map(move |number| format!("{kind}{number}")));
    let proved: BTreeSet<String> = PROOFS
        .iter()
        .map(|(statement, ..)| (*statement).to_owned())
        .collect();
    assert_eq!(proved, wanted.collect());
    for (statement, file, test) in PROOFS {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
            .unwrap_or_default();
        let proof = match file.ends_with(".rs") {
            true => format!("fn {test}()"),
            false => (*test).to_owned(),
        };
        assert!(
            text.contains(&proof),
            "{statement}: `{file}` has no test `{test}`"
        );
    }
}
