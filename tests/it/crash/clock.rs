//! The clock jumps an hour, forward and back.

use super::world::{Tick, World};

/// Hot from the fifth second to the fortieth; the clock is set once.
fn jumped(at: i64, jump: i64) -> World {
    let mut world = World::new();
    for second in 0..60 {
        world.tick(&Tick {
            turn_a: second == 5 || second == 40,
            jump: if second == at { jump } else { 0 },
            ..Tick::QUIET
        });
    }
    world.come_to_rest();
    world
}

#[test]
fn a_clock_that_jumps_an_hour_loses_no_end_and_makes_no_storm() {
    for jump in [3600, -3600] {
        // Before, while it is pending, while it fires, when it has just ended, and long after.
        for at in [2, 6, 20, 41, 55] {
            let world = jumped(at, jump);
            world.judge();
            let (repeated, told): (Vec<_>, Vec<_>) = world
                .told
                .iter()
                .partition(|told| told.reason == "repeated");
            // When somebody was last told is no longer known once that lies ahead.
            assert!(
                repeated.len() <= 2 * usize::from(jump < 0),
                "{:?}",
                world.told
            );
            let told: Vec<(&str, &str)> = told
                .into_iter()
                .map(|told| (told.reason, told.instance.as_str()))
                .collect();
            let expected = [
                ("opened", "a"),
                ("opened", "a"),
                ("resolved", "a"),
                ("resolved", "a"),
            ];
            assert_eq!(told, expected, "{jump} s at {at} s: {:?}", world.told);
        }
    }
}
