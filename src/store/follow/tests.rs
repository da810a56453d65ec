//! What followers hear, against what the store took.

use std::sync::Arc;
use std::time::Duration;

use super::super::{Place, Settings, Store};
use super::{Followed, Follower};
use crate::sample::{Labels, NAME, STALE, Source, Sources, Timestamp};

fn store() -> Arc<Store> {
    let settings = Settings {
        retention: Duration::from_secs(60),
        max_bytes: 1 << 20,
    };
    Arc::new(Store::new(&settings, Timestamp(0)))
}

fn labels(name: &str) -> Labels {
    Labels::new([(NAME, name), ("instance", "a"), ("job", "pgvigil")])
}

fn append(store: &Store, at: i64, samples: &[(&str, f64)]) {
    let sources = Sources::one(Source::new("rachel", "", "x"));
    let samples = samples.iter().map(|(name, value)| (labels(name), *value));
    store.append(Timestamp(at), &sources, samples);
}

/// What is taken at once, as text, and how much was missed.
fn heard(follower: &Follower, most: usize) -> (Vec<String>, u64) {
    let taken = follower.take(most);
    let text = |followed: Followed| {
        let Followed {
            labels, at, value, ..
        } = followed;
        format!("{} {} {:x}", labels.metric(), at.0, value.to_bits() >> 48)
    };
    (taken.samples.into_iter().map(text).collect(), taken.missed)
}

#[test]
fn followers_hear_what_was_taken_and_nothing_else() {
    let store = store();
    append(&store, 1, &[("before", 1.0)]);
    let (all, some) = (store.follow(100), store.follow(3));
    append(&store, 2, &[("a", 1.0), ("b", 2.0)]);
    append(&store, 2, &[("a", 9.0)]);
    append(&store, 1, &[("b", 9.0)]);
    append(&store, 3, &[("a", STALE), ("b", f64::NAN)]);
    let told = ["a 2 3ff0", "b 2 4000", "a 3 7ff0", "b 3 7ff8"].map(str::to_owned);
    assert_eq!(heard(&all, 3), (told[..3].to_vec(), 0));
    assert_eq!(heard(&all, 9), (told[3..].to_vec(), 0));
    assert_eq!(heard(&some, 9), (told[..2].to_vec(), 2), "it had no room");
    append(&store, 4, &[("a", 1.0)]);
    assert_eq!(heard(&some, 9), (vec!["a 4 3ff0".to_owned()], 0));
    let [one, same] = [all.clone(), all];
    assert_eq!(heard(&one, 9).0.len(), 1);
    assert_eq!(heard(&same, 9), (Vec::new(), 0));
    assert!(same.is_of(&store) && !same.is_of(&self::store()));
}

#[test]
fn who_has_gone_costs_nothing_and_series_that_have_gone_are_missed() {
    let store = store();
    drop(store.follow(100));
    append(&store, 1, &[("a", 1.0)]);
    assert!(store.read().shelf.tap.pipes.is_empty());
    let follower = store.follow(100);
    append(&store, 2, &[("a", 1.0)]);
    append(&store, 1_000_000, &[("b", 1.0)]);
    assert_eq!(heard(&follower, 9), (vec!["b 1000000 3ff0".to_owned()], 1));
}

#[test]
fn places_tell_series_apart() {
    let store = store();
    let follower = store.follow(100);
    let sources = Sources::default();
    let mut places = [Place::default(); 2];
    for at in 1..=2 {
        let samples = places.iter_mut().zip(["a", "b"]);
        let samples = samples.map(|(place, name)| (place, move || labels(name), 1.0));
        store.append_at(Timestamp(at), &sources, samples);
    }
    let taken = follower.take(9).samples;
    let of_each: Vec<Place> = taken.iter().map(|followed| followed.place).collect();
    assert_eq!(of_each, [places, places].concat());
}

#[tokio::test(start_paused = true)]
async fn a_follower_waits_until_there_is_something() {
    let store = store();
    let follower = store.follow(100);
    let patience = Duration::from_secs(1);
    let waited = tokio::time::timeout(patience, follower.ready()).await;
    assert!(waited.is_err());
    let (waited, ()) = tokio::join!(tokio::time::timeout(patience, follower.ready()), async {
        append(&store, 1, &[("a", 1.0)]);
    });
    waited.unwrap();
    follower.ready().await;
}
