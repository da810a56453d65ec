//! Claim 9 on a virtual clock: rules, the incident log on a real disk, the policy and a channel, with a crash at every
//! step between result, log, sending and its note. Measured of others in P5, P6, M7 and M20 of alerting.md.

mod clock;
mod world;

use proptest::prelude::*;

use world::{Step, Tick, World};

/// A step of the script: who turns hot or cold, and where it crashes, if it does.
fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    let tick = (0..7u8, 0..9u8, 0..40usize, 0..8i64, any::<u16>());
    let tick = tick.prop_map(|(a, b, crash, down, torn)| Tick {
        turn_a: a == 0,
        turn_b: b == 0,
        crash: Step::ALL.get(crash).copied(),
        down,
        torn,
        jump: 0,
    });
    prop::collection::vec(tick, 30..110)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// No lost end, no false one, one id and start for one episode, silences kept; only what was in flight comes twice.
    #[test]
    fn a_crash_at_any_step_is_invisible(script in ticks()) {
        let mut world = World::new();
        for tick in &script {
            world.tick(tick);
        }
        world.come_to_rest();
        world.judge();
    }
}

/// Each step once, while an incident opens and while it ends, so that none depends on luck.
#[test]
fn a_crash_at_each_step_is_invisible() {
    for step in Step::ALL {
        for at in [3, 4, 5, 6, 13, 14, 15, 16] {
            for (down, torn) in [(0, 0), (1, 9_999), (4, 40_000)] {
                let mut world = World::new();
                for second in 0..25 {
                    world.tick(&Tick {
                        turn_a: second == 2 || second == 12,
                        turn_b: false,
                        crash: (second == at).then_some(step),
                        down,
                        torn,
                        jump: 0,
                    });
                }
                world.come_to_rest();
                world.judge();
                assert_eq!(world.incidents(), 1, "{step:?} at {at} s, down {down} s");
            }
        }
    }
}
