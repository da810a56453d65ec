//! Claim 15, counted: good backups of every kind, damaged in every way. None that is damaged is called good, none hangs,
//! and none that is good is called damaged. What changed where a format has no checksum is counted apart.

mod answers;
mod base;
mod bucket;
mod dumps;
mod places;
mod series;
mod tally;
pub mod unreadable;
mod wal;
mod watched;

use std::thread::scope;

use tally::{Dice, Tally};

#[test]
fn no_damaged_backup_is_called_good_and_none_hangs() {
    let seed = Dice::seed();
    println!("the damages of this run come again with CLAIM15_SEED={seed}");
    let kinds: [fn(&mut Dice) -> Vec<Tally>; 5] = [
        dumps::tallies,
        base::tallies,
        answers::tallies,
        unreadable::tallies,
        |dice| watched::tallies([places::cases, wal::cases, bucket::cases], dice),
    ];
    let tallies: Vec<Tally> = scope(|scope| {
        let each = kinds.map(|kind| scope.spawn(move || kind(&mut Dice::new(seed))));
        let each = each.into_iter().map(|kind| kind.join().unwrap());
        each.flatten().collect()
    });
    let mut all = Tally::of("all");
    for tally in &tallies {
        println!("{tally}");
        all.add(tally);
    }
    println!("{all}");
    let lists = [
        ("damaged, and called good", &all.misses),
        ("never judged", &all.hangs),
        ("good, and called damaged", &all.false_alarms),
    ];
    for (what, each) in lists {
        each.iter().for_each(|each| println!("{what}: {each}"));
    }
    let counts = lists.map(|(_, each)| each.len());
    assert_eq!(counts, [0, 0, 0], "misses, hangs, false alarms");
    let is_tried = |tally: &Tally| tally.damaged >= 10 && tally.good >= 2;
    assert!(tallies.iter().all(is_tried), "a kind was hardly tried");
    assert!(all.damaged > 5000 && all.bare > 0, "{all}");
}
