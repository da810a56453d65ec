//! Prometheus over the samples of a scene.

use pgvigil::sample::Timestamp;

use crate::it::harness::{Prometheus, Written, remote_write};
use crate::scene::Scene;

/// Series in one request.
const AT_ONCE: usize = 5_000;

/// A Prometheus with all cycles of a scene.
pub async fn over(scene: &Scene, flags: &[&str]) -> Prometheus {
    let flags = [flags, &["--web.enable-remote-write-receiver"]].concat();
    let prometheus = Prometheus::over("", &flags);
    let client = reqwest::Client::new();
    // An hour at a time: it takes nothing much older than its newest.
    let cycles: Vec<i64> = (0..scene.cycles).collect();
    for cycles in cycles.chunks(120) {
        for part in 0..scene.series.len().div_ceil(AT_ONCE) {
            let body = body(scene, part, cycles);
            remote_write::send(&client, &prometheus.url(), body).await;
        }
    }
    prometheus
}

/// The requests that carry one cycle.
pub fn cycle(scene: &Scene, cycle: i64) -> Vec<Vec<u8>> {
    let parts = scene.series.len().div_ceil(AT_ONCE);
    (0..parts).map(|part| body(scene, part, &[cycle])).collect()
}

fn body(scene: &Scene, part: usize, cycles: &[i64]) -> Vec<u8> {
    let places = part * AT_ONCE..scene.series.len().min((part + 1) * AT_ONCE);
    let series: Vec<Written<'_>> = places
        .map(|place| Written {
            labels: scene.series[place].iter().collect(),
            samples: cycles
                .iter()
                .map(|cycle| {
                    let Timestamp(at) = scene.at(*cycle);
                    (at, scene.value(place, *cycle))
                })
                .collect(),
        })
        .collect();
    remote_write::body(&series)
}
