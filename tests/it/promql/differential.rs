//! Random expressions over random series, evaluated by pgvigil and by a real Prometheus 3 on the same samples. Each
//! disagreement is made as small as it gets.
//!
//! `DIFFERENTIAL_EXPRESSIONS` says how many, `DIFFERENTIAL_SEED` which: a run prints its own.

mod fragments;
mod grammar;
mod known;
mod peer;
mod series;
mod term;
mod verdict;

use std::process::Command;
use std::thread;
use std::time::Duration;

use pgvigil::promql::Moments;
use pgvigil::sample::Timestamp;
use pgvigil::store::Store;
use proptest::prelude::RngExt;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::super::harness::{Prometheus, Written, prometheus3};
use super::{empty_store, sources};
use series::{AllSeries, LAST, START};
use term::Term;
use verdict::Difference;

const EXPRESSIONS: u64 = 10_000;
/// One less would leave a processor idle while Prometheus or we evaluate.
const WORKERS: u64 = 3;
/// A worker that has found so many looks for no more.
const ENOUGH: usize = 8;

/// A disagreement is made smaller in so many steps.
const STEPS: usize = 500;

/// What Prometheus 3.5 has to be asked for, and later ones do of themselves.
const FEATURES: &str = "--enable-feature=promql-experimental-functions,promql-delayed-name-removal,promql-duration-expr";

#[test]
fn random_expressions_mean_what_they_mean_to_prometheus() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (count, seed) = (
        setting("DIFFERENTIAL_EXPRESSIONS").unwrap_or(EXPRESSIONS),
        setting("DIFFERENTIAL_SEED").unwrap_or(1),
    );
    println!("{}; DIFFERENTIAL_SEED={seed}", version());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let series = series::all(&mut random(seed, 0));
    let (store, prometheus) = (stored(&series), runtime.block_on(written(&series)));
    let url = prometheus.url();
    let workers = |worker| {
        let peers = Peers::new(&store, &url);
        peers.compare_many(random(seed, worker), count / WORKERS)
    };
    let found: Vec<String> = thread::scope(|scope| {
        let spawned = (1..=WORKERS).map(|worker| scope.spawn(move || workers(worker)));
        let spawned: Vec<_> = spawned.collect();
        spawned
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(
        found.is_empty(),
        "{} disagreements with seed {seed}:\n\n{}",
        found.len(),
        found.join("\n\n")
    );
    println!("{count} expressions, each at a moment and over a range: no disagreement");
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn version() -> String {
    let said = Command::new(prometheus3("prometheus"))
        .arg("--version")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    said.lines().next().unwrap_or("?").to_owned()
}

fn random(seed: u64, worker: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&worker.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

fn stored(series: &AllSeries) -> Store {
    let store = empty_store();
    for (labels, samples) in series {
        for (at, value) in samples {
            store.append(*at, &sources(), [(labels.clone(), *value)]);
        }
    }
    store
}

/// All series hold an hour at most, so their order does not matter to Prometheus.
async fn written(series: &AllSeries) -> Prometheus {
    let written: Vec<Written<'_>> = series
        .iter()
        .map(|(labels, samples)| Written {
            labels: labels.iter().collect(),
            samples: samples.iter().map(|(at, value)| (at.0, *value)).collect(),
        })
        .collect();
    Prometheus::written(&written, &[FEATURES]).await
}

/// Two who should agree.
struct Peers<'a> {
    store: &'a Store,
    url: &'a str,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Peers<'_> {
    fn new<'a>(store: &'a Store, url: &'a str) -> Peers<'a> {
        Peers {
            store,
            url,
            client: reqwest::Client::new(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    fn compare_many(&self, rng: TestRng, count: u64) -> Vec<String> {
        let config = Config {
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, rng);
        let expressions = grammar::expression();
        let mut found = Vec::new();
        for _ in 0..count {
            let mut tree = expressions.new_tree(&mut runner).unwrap();
            let both = [moment(runner.rng()), moments(runner.rng())];
            let differing = both.into_iter().find_map(|moments| {
                let difference = self.difference(&tree.current(), moments)?;
                Some((moments, difference.kind))
            });
            if let Some((moments, kind)) = differing {
                found.push(self.smallest(&mut tree, moments, kind));
            }
            if found.len() == ENOUGH {
                break;
            }
        }
        found
    }

    fn difference(&self, term: &Term, moments: Moments) -> Option<Difference> {
        let text = term.to_string();
        let ours = peer::ours(self.store, &text, moments);
        let theirs = peer::theirs(&self.client, self.url, &text, moments);
        let theirs = self.runtime.block_on(theirs);
        let difference = verdict::difference(&text, &ours, &theirs)?;
        (!known::is_deliberate(&text, &difference, &ours, &theirs)).then_some(difference)
    }

    /// The smallest expression found that differs in the same way, with what it gives: proptest chooses simpler pieces,
    /// then terms take the place of those that hold them.
    fn smallest(
        &self,
        tree: &mut impl ValueTree<Value = Term>,
        moments: Moments,
        kind: &str,
    ) -> String {
        let differs = |term: &Term| {
            let found = self.difference(term, moments);
            found.is_some_and(|found| found.kind == kind)
        };
        let mut term = tree.current();
        for _ in 0..STEPS {
            let moved = match differs(&tree.current()) {
                true => {
                    term = tree.current();
                    tree.simplify()
                }
                false => tree.complicate(),
            };
            if !moved {
                break;
            }
        }
        while let Some(smaller) = term.smaller().into_iter().find(differs) {
            term = smaller;
        }
        let detail = self
            .difference(&term, moments)
            .map_or_else(String::new, |found| found.detail);
        format!("{term}\n  {kind}, {moments:?}\n  {detail}")
    }
}

fn moment(rng: &mut TestRng) -> Moments {
    let from = (START - 60) * 1000;
    let to = (LAST + 330) * 1000;
    Moments::At(Timestamp(rng.random_range(from..to)))
}

fn moments(rng: &mut TestRng) -> Moments {
    let steps = [15_000, 60_000, 7_001, 1, 300_000, 10_000];
    let step = steps[rng.random_range(0..steps.len())];
    let start = rng.random_range((START - 60) * 1000..LAST * 1000);
    Moments::Range {
        start: Timestamp(start),
        end: Timestamp(start + step * rng.random_range(0..20) + rng.random_range(0..step)),
        step: Duration::from_millis(step as u64),
    }
}
