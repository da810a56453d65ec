//! What the fuzz targets do, with their seeds and some thousand mutations of them, always the same ones.

#[path = "../../fuzz/lib.rs"]
mod targets;

use std::path::Path;
use std::time::Duration;

use pgvigil::sample::{Labels, NAME, Timestamp};
use pgvigil::store::{Settings, Store};

/// How many mutations of the seeds of a target.
const MUTATIONS: usize = 3_000;

#[test]
fn no_expression_breaks_anything() {
    check("expression", targets::expression::run);
}

#[test]
fn no_rule_file_breaks_anything() {
    check("rules", targets::rules::run);
}

#[test]
fn no_request_breaks_the_api() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    check("parameters", targets::parameters::run);
}

#[test]
fn no_snapshot_breaks_anything() {
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/snapshot/small");
    if std::env::var_os("UPDATE_SEEDS").is_some() {
        std::fs::write(&seed, snapshot()).unwrap();
    }
    // A seed that is not read in full reaches little.
    let bytes = std::fs::read(&seed).unwrap();
    let settings = Settings {
        retention: Duration::MAX,
        max_bytes: u64::MAX,
    };
    let (start, now) = (Timestamp(0), Timestamp(i64::MAX));
    let read = Store::read_snapshot(&bytes[..], &settings, start, now);
    let (store, _) = read.expect("a current seed: set UPDATE_SEEDS=1");
    assert_eq!(store.size().samples, 300);
    check("snapshot", targets::snapshot::run);
}

/// Two series, closed chunks and open ones.
fn snapshot() -> Vec<u8> {
    let store = super::promql::empty_store();
    for cycle in 0..150 {
        let series = ["a", "b_total"].map(|name| Labels::new([(NAME, name), ("n", "x")]));
        let samples = series.map(|labels| (labels, f64::from(cycle * cycle % 37)));
        let at = Timestamp(i64::from(cycle) * 15_000);
        store.append(at, &super::promql::sources(), samples);
    }
    let mut bytes = Vec::new();
    store
        .write_snapshot(&mut bytes, Timestamp(2_250_000))
        .unwrap();
    bytes
}

fn check(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    seeds.iter().for_each(|seed| run(seed));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..MUTATIONS {
        let mutation = mutated(&seeds, &mut random);
        let outcome = std::panic::catch_unwind(|| run(&mutation));
        assert!(
            outcome.is_ok(),
            "{target}: {:?}",
            String::from_utf8_lossy(&mutation)
        );
    }
}

/// A seed with a few changes: pieces of others put in, pieces of its own left out or doubled, bytes changed.
fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.of(seeds).clone();
    for _ in 0..=random.below(4) {
        let place = random.below(bytes.len() + 1);
        let end = place + random.below((bytes.len() - place).min(20) + 1);
        match random.below(4) {
            0 => drop(bytes.drain(place..end)),
            1 => drop(bytes.splice(place..place, bytes[place..end].to_vec())),
            2 => {
                let other = random.of(seeds);
                let from = random.below(other.len());
                let to = from + random.below((other.len() - from).min(30) + 1);
                bytes.splice(place..end, other[from..to].iter().copied());
            }
            _ if place < bytes.len() => bytes[place] ^= 1 << random.below(7),
            _ => bytes.push(b" ()[]{}\",:0-e"[random.below(13)]),
        }
    }
    bytes
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    fn of<'s>(&mut self, seeds: &'s [Vec<u8>]) -> &'s Vec<u8> {
        &seeds[self.below(seeds.len())]
    }
}
