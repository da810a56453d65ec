//! What is decoded from a request, against what was put into it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::document::{Reader, parse};
use crate::sample::{NAME, STALE, Sources};
use crate::store::{Settings, Store};

/// Times and bits of the values of each series, by its labels as text.
type Told = BTreeMap<String, Vec<(i64, u64)>>;

fn store() -> Arc<Store> {
    let settings = Settings {
        retention: Duration::from_secs(3600),
        max_bytes: 1 << 20,
    };
    Arc::new(Store::new(&settings, Timestamp(0)))
}

/// Fails where labels are not in order, stand there twice or are empty.
fn told(parcel: &Parcel) -> Told {
    let plain = snap::raw::Decoder::new().decompress_vec(&parcel.body);
    let request = WriteRequest::decode(plain.unwrap().as_slice()).unwrap();
    let mut told = Told::new();
    for series in request.timeseries {
        let names: Vec<&str> = series
            .labels
            .iter()
            .map(|label| label.name.as_str())
            .collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        assert!(series.labels.iter().all(|label| !label.value.is_empty()));
        let pairs = series.labels.into_iter();
        let labels = Labels::new(pairs.map(|label| (label.name, label.value)));
        let samples = series.samples.iter();
        let samples = samples.map(|sample| (sample.timestamp, sample.value.to_bits()));
        let before = told.insert(labels.to_string(), samples.collect());
        assert_eq!(before, None, "{labels} stands there twice");
    }
    told
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), Just(STALE), Just(f64::INFINITY), Just(1.0)]
}

fn samples() -> impl Strategy<Value = Vec<(String, String, f64)>> {
    let sample = ("[a-c]", "[xyzü\"\\\\]{0,2}", value());
    proptest::collection::vec(sample, 0..20)
}

proptest! {
    #[test]
    fn a_request_holds_what_the_store_took(cycles in proptest::collection::vec(samples(), 0..6)) {
        let store = store();
        let follower = store.follow(1000);
        let external = Labels::new([("cluster", "west"), ("kind", "external")]);
        for (at, samples) in (1..).zip(&cycles) {
            let labelled = samples.iter().map(|(name, kind, value)| {
                (Labels::new([(NAME, name.as_str()), ("kind", kind.as_str())]), *value)
            });
            store.append(Timestamp(at), &Sources::default(), labelled);
        }
        let mut expected = Told::new();
        for series in store.select(&[], Timestamp(0), Timestamp(i64::MAX)) {
            let points = series.points.iter().map(|(at, value)| {
                // Zero has no sign in the protocol.
                let value = if *value == 0.0 { 0.0 } else { *value };
                (at.0, value.to_bits())
            });
            expected.insert(external.merged(&series.labels).to_string(), points.collect());
        }
        let mut batch = Batch::default();
        for followed in follower.take(1000).samples {
            batch.add(&followed, &external, &[]);
        }
        let count = batch.len() as u64;
        match batch.close() {
            None => prop_assert!(expected.is_empty()),
            Some(parcel) => {
                prop_assert_eq!(parcel.samples, count);
                prop_assert_eq!(told(&parcel), expected);
            }
        }
    }
}

#[test]
fn only_what_is_chosen_is_sent() {
    let yaml = "
write_relabel_configs:
  - {source_labels: [__name__], regex: 'pg_.*|up', action: keep}
  - {source_labels: [cluster, kind], regex: 'west;internal', action: drop}
";
    let none = |_: &str| None;
    let reader = Reader::new(Some(&none));
    let choices = reader.read(&parse("x.yml", yaml).unwrap(), relabel::read_all);
    assert_eq!(reader.problems(), []);
    let store = store();
    let follower = store.follow(100);
    let series = [
        ("pg_up", "", true),
        ("xpg_up", "", false),
        ("up", "x", true),
        ("up", "internal", false),
        ("ups", "", false),
    ];
    let samples = series.map(|(name, kind, _)| (Labels::new([(NAME, name), ("kind", kind)]), 1.0));
    store.append(Timestamp(5), &Sources::default(), samples);
    let mut batch = Batch::default();
    for followed in follower.take(100).samples {
        batch.add(&followed, &Labels::new([("cluster", "west")]), &choices);
    }
    let sent = told(&batch.close().unwrap());
    let sent: Vec<&str> = sent.keys().map(String::as_str).collect();
    assert_eq!(
        sent,
        [
            r#"pg_up{cluster="west"}"#,
            r#"up{cluster="west", kind="x"}"#
        ]
    );
}
