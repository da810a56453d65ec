//! pgvigil over the samples of a scene, asked over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pgvigil::backup::{Archive, Reports};
use pgvigil::incident::Ledger;
use pgvigil::notify::{Audience, Tally};
use pgvigil::sample::Labels;
use pgvigil::scrape::Board;
use pgvigil::store::{self, Place, Store};
use pgvigil::web::api::{self, Api, Queries};
use pgvigil::web::{Door, Settings, View};
use tokio_util::sync::CancellationToken;

use crate::scene::{START, Scene, sources};

/// A store that holds whatever it is given.
pub fn empty() -> Store {
    let settings = store::Settings {
        retention: Duration::from_secs(100 * 86_400),
        max_bytes: 4 << 30,
    };
    Store::new(&settings, START)
}

/// Appends the cycles of a scene, as a collector does that knows its series.
pub fn fill(store: &Store, scene: &Scene, cycles: std::ops::Range<i64>) {
    let mut places = vec![Place::default(); scene.series.len()];
    for cycle in cycles {
        append(store, scene, cycle, &mut places);
    }
}

pub fn append(store: &Store, scene: &Scene, cycle: i64, places: &mut [Place]) {
    let samples = places.iter_mut().zip(&scene.series).enumerate();
    let samples =
        samples.map(|(place, (at, labels))| (at, || labels.clone(), scene.value(place, cycle)));
    store.append_at(scene.at(cycle), &sources(), samples);
}

/// Serves a store until the token is cancelled; gives the address.
pub fn serve(runtime: &tokio::runtime::Runtime, store: Store, stop: CancellationToken) -> String {
    let store = Arc::new(store);
    let view = View {
        board: Arc::new(Board::new(store.clone(), false)),
        store,
        ledger: Arc::new(Ledger::memory()),
        tally: Arc::new(Tally::default()),
        audience: Audience::default(),
        signs: Arc::default(),
        servers: Vec::new(),
        targets: Vec::new(),
        aliases: false,
        started: START,
        backups: Archive::new(
            Arc::default(),
            Reports::new(std::path::Path::new("/nonexistent")),
            std::path::Path::new("/nonexistent"),
        ),
        reloads: None,
        api: Api {
            groups: Vec::new(),
            statuses: Arc::default(),
            watched: Vec::new(),
            alertmanagers: Vec::new(),
            external_labels: Labels::default(),
            config: String::new(),
            flags: Vec::new(),
            retention: String::new(),
            queries: Arc::new(Queries::new(api::Settings::default())),
        },
        version: "0.0.0",
    };
    let nowhere: SocketAddr = ([127, 0, 0, 1], 0).into();
    let door = Door::open(nowhere, Settings::default()).unwrap();
    let url = door.url();
    runtime.spawn(door.serve(Arc::new(view), stop));
    url
}
