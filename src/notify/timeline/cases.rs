//! The cases: policy, script, messages.

use super::*;

#[test]
fn what_fires_is_told_after_the_batch_and_its_end_once() {
    check(
        "",
        &["0 joins", "10 fire a info", "60 end a info"],
        300,
        &["12 opened a", "62 resolved a"],
    );
}

#[test]
fn two_that_fire_at_once_are_one_message() {
    let script = [
        "0 joins",
        "10 fire a info",
        "11 fire b info",
        "40 end a info",
        "40 end b info",
    ];
    check(
        "",
        &script,
        60,
        &["12 opened a, opened b", "42 resolved a, resolved b"],
    );
}

#[test]
fn what_ends_within_the_delay_is_never_told() {
    let policy = "{to: [oncall], delay: 30s}";
    check(
        policy,
        &["0 joins", "10 fire a info", "35 end a info"],
        90,
        &[],
    );
    check(
        policy,
        &["0 joins", "10 fire a info", "45 end a info"],
        90,
        &["42 opened a", "47 resolved a"],
    );
}

/// M9: no multiple of any other interval.
#[test]
fn repeats_are_exact() {
    let policy = "{to: [oncall], repeat: 1m}";
    let expected = ["12 opened a", "72 repeated a", "132 repeated a"];
    check(policy, &["0 joins", "10 fire a info"], 180, &expected);
}

#[test]
fn an_end_is_held_unless_it_fires_again() {
    let policy = "{to: [oncall], hold: 1m}";
    check(
        policy,
        &["0 joins", "10 fire a info", "20 end a info"],
        90,
        &["12 opened a", "82 resolved a"],
    );
    let script = [
        "0 joins",
        "10 fire a info",
        "20 end a info",
        "40 fire a info",
    ];
    check(
        policy,
        &script,
        90,
        &["12 opened a", "40 resolved a, opened a"],
    );
}

#[test]
fn an_announced_incident_is_always_closed() {
    // The policy that announced it is gone after a reload; so here nothing matches any more.
    let script = [
        "0 joins",
        "0 deaf",
        "10 fire a info",
        "60 end a info",
        "100 hears",
    ];
    check("", &script, 200, &["100 resolved a"]);
    let script = [
        "0 joins",
        "10 fire a warning",
        "20 fire a critical",
        "30 end a warning",
    ];
    check(
        "",
        &script,
        60,
        &["12 opened a", "22 opened a", "32 resolved a"],
    );
}

#[test]
fn what_ended_before_anybody_listened_is_not_told() {
    check(
        "",
        &[
            "0 deaf",
            "10 fire a info",
            "20 end a info",
            "30 joins",
            "30 hears",
        ],
        60,
        &[],
    );
}

#[test]
fn critical_hides_the_warning_of_the_same_thing_only() {
    let script = [
        "0 joins",
        "10 fire a critical x",
        "10 fire a warning x",
        "10 fire a warning y",
        "10 fire b warning x",
    ];
    check("", &script, 60, &["12 opened a, opened a, opened b"]);
    let script = [
        "0 joins",
        "10 fire a critical",
        "10 fire a warning",
        "40 end a critical",
    ];
    check("", &script, 60, &["12 opened a", "40 opened a, resolved a"]);
}

#[test]
fn a_server_that_is_down_hides_what_was_read_from_it() {
    let script = [
        "0 joins",
        "10 fire down critical",
        "11 fire a critical",
        "11 fire backup critical",
    ];
    check("", &script, 60, &["12 opened down, opened backup"]);
    let script = [
        "0 joins",
        "10 fire down critical",
        "20 fire a critical",
        "50 end a critical",
        "51 end down critical",
    ];
    check("", &script, 90, &["12 opened down", "53 resolved down"]);
}

#[test]
fn the_first_entry_that_matches_decides() {
    let script = ["0 joins", "10 fire a critical", "10 fire b warning"];
    let to_nobody = "{match: ['severity=\"warning\"'], to: []}, {to: [oncall]}";
    check(to_nobody, &script, 60, &["12 opened a"]);
    let goes_on = "{match: ['severity=\"warning\"'], to: [], continue: true}, {to: [oncall]}";
    check(goes_on, &script, 60, &["12 opened a, opened b"]);
    check(
        "{match: ['alertname=~\"c|b\"'], to: [oncall]}",
        &script,
        60,
        &["12 opened b"],
    );
}

#[test]
fn the_watchdog_is_told_to_people_only_by_name() {
    let script = ["0 joins", "10 fire Watchdog none"];
    check("", &script, 60, &[]);
    check("{to: [oncall]}", &script, 60, &[]);
    check(
        "{match: [alertname=Watchdog], to: [oncall]}",
        &script,
        60,
        &["12 opened watchdog"],
    );
}

#[test]
fn what_was_refused_is_offered_again_after_an_hour() {
    let script = [
        "0 joins",
        "0 refuses",
        "10 fire a info",
        "20 hears",
        "30 end a info",
    ];
    let expected = ["12 refused Opened a", "3614 resolved a"];
    check("", &script, 4_000, &expected);
}

#[test]
fn a_message_stays_in_one_thread() {
    let script = [
        "0 joins",
        "0 threads",
        "10 fire a info",
        "20 fire b info",
        "40 end a info",
        "40 end b info",
    ];
    let expected = [
        "12 opened a",
        "22 opened b",
        "42 resolved a",
        "42 resolved b",
    ];
    check("", &script, 60, &expected);
    let script = [
        "0 joins",
        "0 threads",
        "10 fire a info",
        "10 fire b info",
        "40 end a info",
        "40 end b info",
    ];
    check(
        "",
        &script,
        60,
        &["12 opened a, opened b", "42 resolved a, resolved b"],
    );
}

#[test]
fn a_clock_set_back_holds_nothing_up() {
    let mut world = World::default();
    world.happen(&["joins"], Timestamp(0));
    world.happen(&["fire", "a", "info"], Timestamp(7_200_000));
    let due = world.due(&Policy::default(), Timestamp(3_600_000));
    assert_eq!(due.letter.unwrap().items.len(), 1);
}

#[test]
fn settings_say_what_is_wrong() {
    let complaints = settings(
        "receivers:\n  - {name: a, slack: {webhook_url: hooks}}\n  - {name: a, email: {smtp: 'smtp://u:hunter2@'}}\n  \
         - {name: c}\npolicy:\n  - {match: [severity], to: [d]}\n",
    )
    .unwrap_err()
    .join("\n");
    for expected in [
        "receivers[0].slack.webhook_url: begins with neither",
        "receivers[1].email.to: needs at least one address",
        "receivers[1].email.smtp: ",
        "receivers[2]: needs exactly one of `email`, `slack`, `webhook`, `pagerduty`, `command` and `alertmanager`",
        "policy[0].match: `severity` is no matcher",
        "policy[0].to: there is no receiver `d`",
    ] {
        assert!(
            complaints.contains(expected),
            "{expected} is not in\n{complaints}"
        );
    }
    assert!(!complaints.contains("hunter2"), "{complaints}");
}

#[test]
fn what_is_silenced_is_told_when_the_silence_ends_and_never_left_open() {
    let script = [
        "0 joins",
        "5 silence a 60",
        "10 fire a info",
        "20 fire b info",
        "30 silence b 60",
        "40 end b info",
    ];
    check(
        "",
        &script,
        90,
        &["22 opened b", "42 resolved b", "65 opened a"],
    );
}

#[test]
fn what_is_acknowledged_is_not_repeated_but_closed() {
    let policy = "{to: [oncall], repeat: 1m}";
    let script = [
        "0 joins",
        "10 fire a info",
        "20 acknowledge a",
        "200 end a info",
    ];
    check(policy, &script, 240, &["12 opened a", "202 resolved a"]);
}

#[test]
fn who_takes_one_at_a_time_gets_no_digest() {
    let script = [
        "0 joins",
        "0 alone",
        "10 fire a info",
        "10 fire b info",
        "40 end a info",
        "40 end b info",
    ];
    let told = [
        "12 opened a",
        "12 opened b",
        "42 resolved a",
        "42 resolved b",
    ];
    check("", &script, 60, &told);
}

#[test]
fn evidence_in_time_is_in_the_first_message() {
    let script = [
        "0 joins",
        "10 fire a info",
        "10 asks a",
        "11 finds a",
        "60 end a info",
    ];
    check(
        "",
        &script,
        300,
        &["12 opened a with evidence", "62 resolved a"],
    );
}

#[test]
fn late_evidence_puts_a_message_off_by_two_seconds_and_is_in_the_next() {
    let repeated = "{to: [oncall], repeat: 20s}";
    let script = ["0 joins", "10 fire a info", "12 asks a", "20 finds a"];
    let told = ["14 opened a", "34 repeated a with evidence"];
    check(repeated, &script, 40, &told);
    let script = [
        "0 joins",
        "10 fire a info",
        "12 asks a",
        "20 finds a",
        "60 end a info",
    ];
    check(
        "",
        &script,
        300,
        &["14 opened a", "62 resolved a with evidence"],
    );
}

#[test]
fn incidents_that_keep_opening_hold_up_nothing() {
    let script = [
        "0 joins",
        "10 fire a info",
        "11 fire b info",
        "11 asks b",
        "12 fire c info",
        "12 asks c",
        "13 fire d info",
        "13 asks d",
        "14 fire e info",
        "14 asks e",
    ];
    let told = ["14 opened a, opened b, opened c, opened d, opened e"];
    check("", &script, 60, &told);
}
