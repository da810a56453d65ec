//! When nothing may be announced: windows, silences, what hides another, and what becomes of it.

use super::*;

const ONCALL: &str = "receivers: [{name: oncall, slack: {webhook_url: 'https://x'}}]\n";

/// The first of January 1970 was a Thursday.
const THURSDAY: &str =
    "{to: [oncall], repeat: 5m, when: {days: [thu], from: '00:01', to: '00:10'}}";

#[test]
fn outside_of_its_window_nothing_is_opened_and_what_still_fires_is_told_when_it_opens() {
    // `b` is over before the window opens.
    let script = [
        "0 joins",
        "10 fire a info",
        "20 fire b info",
        "40 end b info",
        "61 fire c info",
    ];
    let expected = [
        "60 opened a",
        "63 opened c",
        "360 repeated a",
        "363 repeated c",
    ];
    check(THURSDAY, &script, 1_000, &expected);
}

#[test]
fn the_end_of_a_window_is_no_longer_in_it() {
    let fire = |second: i64| format!("{second} fire a info");
    check(THURSDAY, &["0 joins", &fire(597)], 1_000, &["599 opened a"]);
    check(THURSDAY, &["0 joins", &fire(598)], 1_000, &[]);
    // Nothing is repeated either, and it is told again in a week, to the second.
    let policy = Policy::of(&settings(&format!("{ONCALL}policy: [{THURSDAY}]")).unwrap());
    let mut world = World::default();
    world.happen(&["joins"], at(0));
    world.happen(&["fire", "a", "info"], at(500));
    let first = world.due(&policy, at(502)).letter.unwrap();
    world.deliver(&first.items, at(502));
    let due = world.due(&policy, at(601));
    assert_eq!((due.letter, due.next), (None, Some(at(7 * 86_400 + 60))));
}

fn at(second: i64) -> Timestamp {
    Timestamp(second * 1000)
}

/// M15, for windows: what was announced is closed at any time, and once.
#[test]
fn what_was_announced_is_closed_outside_of_the_window() {
    let script = ["0 joins", "500 fire a info", "700 end a info"];
    check(
        THURSDAY,
        &script,
        1_000,
        &["502 opened a", "702 resolved a"],
    );
}

#[test]
fn a_receiver_has_a_window_of_its_own() {
    let receiver = "receivers: [{name: oncall, slack: {webhook_url: 'https://x'}, when: {from: '00:01', to: '00:02'}}]\n";
    let script = [
        "0 joins",
        "10 fire a info",
        "130 fire b info",
        "200 end a info",
    ];
    check_under(receiver, &script, 300, &["60 opened a", "202 resolved a"]);
    // Both must be open.
    let policy = "policy: [{to: [oncall], when: {from: '00:01:30', to: '00:05'}}]";
    let both = format!(
        "{receiver}{}",
        policy.replace(":30'", "'").replace("00:01'", "00:00'")
    );
    check_under(&both, &script[..2], 300, &["60 opened a"]);
}

#[test]
fn by_day_and_by_night_on_other_terms() {
    let policy = "{to: [oncall], repeat: 1m, continue: true, when: {from: '00:00', to: '00:03'}}, \
                  {to: [oncall], repeat: 5m, when: {from: '00:03', to: '24:00'}}";
    let expected = [
        "12 opened a",
        "72 repeated a",
        "132 repeated a",
        "432 repeated a",
    ];
    check(policy, &["0 joins", "10 fire a info"], 500, &expected);
    // Without `continue` the first entry decides, as ever.
    let first = policy.replace("continue: true, ", "");
    check(&first, &["0 joins", "10 fire a info"], 500, &expected[..3]);
}

/// What could have been told and was not is owed, whichever window it was in.
#[test]
fn what_ended_before_it_got_through_is_told_when_the_window_opens() {
    let window = "{to: [oncall], when: {from: '00:01', to: '00:02'}}";
    let script = [
        "0 joins",
        "60 deaf",
        "70 fire a info",
        "100 end a info",
        "110 hears",
    ];
    check(window, &script, 300, &["110 resolved a"]);
    // Where it was over before the window opened it is not owed.
    let script = ["0 joins", "10 fire a info", "50 end a info"];
    check(window, &script, 300, &[]);
}

#[test]
fn windows_that_are_never_open_together_are_a_mistake() {
    let yaml = "receivers: [{name: oncall, slack: {webhook_url: 'https://x'}, when: {days: [mon]}}]\n\
                policy:\n  - {to: [oncall], when: {days: tue-wed}}\n  - {to: [oncall], when: {days: [sun], from: '22:00', to: '02:00'}}\n";
    let said = settings(yaml).unwrap_err();
    assert_eq!(said.len(), 1, "{said:?}");
    let expected = "x.yml:3:10: policy[0].to: `oncall` can never be told: its window and this one are never open together";
    assert!(said[0].contains(expected), "{said:?}");
}

/// M13: a silenced alert goes on, and is told when the silence ends while it still fires; to the second.
#[test]
fn what_fired_and_ended_in_silence_is_never_told() {
    let script = [
        "0 joins",
        "5 silence a 60",
        "10 fire a info",
        "40 end a info",
        "5 silence b 60",
        "20 fire b info",
        "80 end b info",
    ];
    check("", &script, 300, &["65 opened b", "82 resolved b"]);
}

#[test]
fn one_silence_after_another() {
    let script = [
        "0 joins",
        "5 silence a 60",
        "10 fire a info",
        "50 silence a 100",
    ];
    check("", &script, 300, &["150 opened a"]);
}

/// M15: announced, silenced, ended meanwhile: closed; and when it fires again it is announced again.
#[test]
fn a_silence_leaves_nothing_open_and_swallows_nothing_new() {
    let script = [
        "0 joins",
        "10 fire a info",
        "20 silence a 30",
        "40 end a info",
        "60 fire a info",
    ];
    let expected = ["12 opened a", "42 resolved a", "62 opened a"];
    check("", &script, 300, &expected);
}

const INHIBIT: &str = "receivers: [{name: oncall, slack: {webhook_url: 'https://x'}}]\n\
                       inhibit: [{source: [alertname=maintenance], target: ['severity=~\"info|warning\"'], equal: [datname]}]";

/// M12: the target is hidden while the source fires; what is missing is empty, so that two that miss it are alike.
#[test]
fn a_rule_of_ones_own_hides_alerts() {
    let script = [
        "0 joins",
        "10 fire maintenance none x",
        "11 fire a warning x",
        "11 fire a warning y",
        "11 fire b critical x",
        "11 fire c info",
        "50 end maintenance none x",
    ];
    let expected = [
        "12 opened maintenance, opened a, opened b, opened c",
        "50 opened a, resolved maintenance",
    ];
    check_under(INHIBIT, &script, 300, &expected);
    let without_database = ["0 joins", "10 fire maintenance none", "11 fire c info"];
    check_under(INHIBIT, &without_database, 300, &["12 opened maintenance"]);
}

/// M12: what is like both is not hidden by another that is like both, nor by itself.
#[test]
fn what_is_like_both_hides_only_what_is_not() {
    let settings = "receivers: [{name: oncall, slack: {webhook_url: 'https://x'}}]\n\
                    inhibit: [{source: ['alertname=~\"a|b\"'], target: ['alertname=~\"b|c|d\"']}]";
    let script = ["0 joins", "10 fire b info", "10 fire c info"];
    check_under(settings, &script, 60, &["12 opened b"]);
    // `a` is like the source only, so it hides `b` as well.
    let script = [
        "0 joins",
        "10 fire a info",
        "10 fire b info",
        "10 fire c info",
    ];
    check_under(settings, &script, 60, &["12 opened a"]);
    let both = settings.replace("a|b", "c|d");
    let script = [
        "0 joins",
        "10 fire c info",
        "10 fire d info",
        "10 fire b info",
    ];
    check_under(&both, &script, 60, &["12 opened c, opened d"]);
}

/// M15: announced, hidden, ended meanwhile: closed. What only ever lived in the shadow is not told; a new one is.
#[test]
fn what_was_hidden_is_closed_and_a_new_incident_is_announced() {
    let script = [
        "0 joins",
        "10 fire a warning x",
        "20 fire maintenance none x",
        "25 fire c info x",
        "30 end a warning x",
        "35 end c info x",
        "60 end maintenance none x",
        "90 fire a warning x",
    ];
    let expected = [
        "12 opened a",
        "22 opened maintenance",
        "32 resolved a",
        "62 resolved maintenance",
        "92 opened a",
    ];
    check_under(INHIBIT, &script, 300, &expected);
}

#[test]
fn a_rule_without_matchers_is_a_mistake() {
    let said = settings("inhibit: [{source: [a=b]}, {source: [], target: ['x']}]").unwrap_err();
    let said = said.join("\n");
    for expected in [
        "inhibit[0].target: needs at least one matcher",
        "inhibit[1].target: `x` is no matcher",
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

/// An alert of pgvigil's own is not told through the receiver that it says is broken.
#[test]
fn a_broken_receiver_is_not_told_of_itself() {
    let script = [
        "0 joins",
        "10 fire own warning receiver:oncall",
        "10 fire own warning receiver:team",
        "10 fire a warning receiver:oncall",
        "60 end own warning receiver:oncall",
        "60 end own warning receiver:team",
    ];
    // A label of that name on anything else, which many route by, means nothing.
    check(
        "",
        &script,
        300,
        &["12 opened a, opened own", "62 resolved own"],
    );
}

#[test]
fn where_messages_go_alone_there_is_no_digest() {
    let script = [
        "0 joins",
        "0 alone",
        "10 fire a info",
        "10 fire b info",
        "40 end a info",
    ];
    check(
        "",
        &script,
        60,
        &["12 opened a", "12 opened b", "42 resolved a"],
    );
}
