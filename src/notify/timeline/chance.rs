//! What holds whatever happens: random alerts, silences, windows, refusals and times at which nobody hears.

use proptest::prelude::*;

use super::*;

const SETTINGS: &str = "receivers: [{name: oncall, slack: {webhook_url: 'https://x'}}]\n\
    policy: [{match: ['severity=info'], to: [oncall], delay: 5s, hold: 7s, repeat: 90s}, \
             {to: [oncall], repeat: 4m, when: {from: '00:00', to: '00:03'}, continue: true}, \
             {to: [oncall], when: {from: '00:05', to: '00:08'}}]\n\
    inhibit: [{source: [alertname=a], target: [alertname=b], equal: [datname]}]";

/// Nobody is woken more often.
const MOMENT: Duration = Duration::from_millis(1);

/// One thing that happens, so many seconds after the last.
fn happening() -> impl Strategy<Value = (i64, String)> {
    let alert = (
        "[abcd]",
        prop_oneof!["info", "warning", "critical"],
        "[xy]?",
    );
    let alert =
        alert.prop_map(|(name, severity, database)| format!("{name} {severity} {database}"));
    let what = prop_oneof![
        6 => alert.prop_map(|alert| format!("turn {alert}")),
        1 => ("[abcd]", 1..120).prop_map(|(name, seconds)| format!("silence {name} {seconds}")),
        1 => Just("deaf".to_owned()),
        1 => Just("refuses".to_owned()),
        2 => Just("hears".to_owned()),
        1 => Just("alone".to_owned()),
    ];
    (0_i64..40, what)
}

/// Every letter that is due now is delivered or refused.
fn tell(world: &mut World, policy: &Policy, now: Timestamp, told: &mut Vec<(String, Reason)>) {
    while !world.deaf
        && let Some(letter) = world.due(policy, now).letter
    {
        assert!(!world.alone || letter.items.len() == 1);
        if !world.refuses {
            let items = letter.items.iter();
            told.extend(items.map(|item| (item.incident.clone(), item.reason)));
        }
        world.deliver(&letter.items, now);
    }
}

/// Fires what does not, ends what does.
fn turn(world: &mut World, line: &str, now: Timestamp) {
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let ["turn", alert @ ..] = &words[..] else {
        return world.happen(&words, now);
    };
    let example = super::alert(alert[0], alert[1], alert.get(2).unwrap_or(&""), now);
    let fires = world
        .book
        .firing()
        .any(|alert| alert.labels == example.labels);
    let words = [&[if fires { "end" } else { "fire" }], alert].concat();
    world.happen(&words, now);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// M15, S5, S6 and claim 9 as one: of each incident a beginning is told at most once, an end exactly once where a
    /// beginning was told, nothing after it, and in the end nothing is left open or owed.
    #[test]
    fn what_is_announced_is_closed(script in proptest::collection::vec(happening(), 1..60)) {
        let policy = Policy::of(&settings(SETTINGS).unwrap());
        let (mut world, mut told) = (World::default(), Vec::new());
        let mut now = Timestamp(0);
        world.happen(&["joins"], now);
        for (pause, line) in &script {
            let until = now + Duration::from_secs(*pause as u64);
            while now < until {
                tell(&mut world, &policy, now, &mut told);
                let next = world.due(&policy, now).next.filter(|_| !world.deaf);
                now = next.unwrap_or(until).clamp(now + MOMENT, until);
            }
            turn(&mut world, line, now);
        }
        let open: Vec<Alert> = world.book.firing().cloned().collect();
        for alert in open {
            let labels = ["alertname", "severity", "datname"].map(|name| alert.labels.get(name));
            world.happen(&[&["end"], &labels[..]].concat(), now);
        }
        world.happen(&["hears"], now);
        // Longer than any hold, and than what was refused waits.
        for step in [10, 3_610, 86_400] {
            now = now + Duration::from_secs(step);
            tell(&mut world, &policy, now, &mut told);
        }
        for (incident, _) in &told {
            let reasons = told.iter().filter(|(known, _)| known == incident);
            let reasons: Vec<Reason> = reasons.map(|(_, reason)| *reason).collect();
            let count = |reason| reasons.iter().filter(|known| **known == reason).count();
            prop_assert_eq!(reasons.last(), Some(&Reason::Resolved), "{:?}", reasons);
            prop_assert_eq!(count(Reason::Resolved), 1, "{:?}", reasons);
            let refused = script.iter().any(|(_, line)| line == "refuses");
            prop_assert!(count(Reason::Opened) <= 1 || refused, "{:?}", reasons);
            prop_assert!(count(Reason::Repeated) == 0 || reasons[0] == Reason::Opened, "{:?}", reasons);
        }
        prop_assert_eq!(world.due(&policy, now).waiting, 0);
        prop_assert!(world.book.told.values().all(|told| told.resolved && told.error.is_empty()));
    }
}
