//! What was told, as an endpoint sees it: requests decoded by declarations of the tests' own, and Prometheus' answers.

use std::collections::BTreeMap;
use std::process::Command;

use pgvigil::sample::{Labels, STALE, Timestamp};
use prost::Message;
use serde_json::Value;

use crate::harness::Request;

/// Times and bits of the values of each series, by its labels as text.
pub type Told = BTreeMap<String, Vec<(i64, u64)>>;

#[derive(Clone, PartialEq, Message)]
pub struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub series: Vec<Series>,
    #[prost(message, repeated, tag = "3")]
    pub metadata: Vec<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Series {
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Label {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub struct Sample {
    #[prost(fixed64, tag = "1")]
    pub bits: u64,
    #[prost(int64, tag = "2")]
    pub at: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub help: String,
}

/// Decodes a request, which must be one of remote write 1.0.
pub fn decode(request: &Request) -> WriteRequest {
    for (name, value) in [
        ("content-encoding", "snappy"),
        ("content-type", "application/x-protobuf"),
        ("x-prometheus-remote-write-version", "0.1.0"),
        ("user-agent", concat!("pgvigil/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(request.header(name), Some(value));
    }
    assert_eq!(request.method, "POST");
    let plain = snap::raw::Decoder::new().decompress_vec(&request.bytes);
    WriteRequest::decode(plain.unwrap().as_slice()).unwrap()
}

/// What requests tell together. Fails where samples of a series do not come in order of time.
pub fn told<'r>(requests: impl IntoIterator<Item = &'r Request>) -> Told {
    let mut told = Told::new();
    for series in requests
        .into_iter()
        .flat_map(|request| decode(request).series)
    {
        let pairs = series.labels.into_iter();
        let labels = Labels::new(pairs.map(|label| (label.name, label.value))).to_string();
        let points = told.entry(labels).or_default();
        points.extend(series.samples.iter().map(|sample| (sample.at, sample.bits)));
        assert!(
            points.is_sorted_by(|one, next| one.0 < next.0),
            "{points:?}"
        );
    }
    told
}

/// What a range query can tell of it: no staleness markers, and every other NaN alike.
pub fn without_markers(told: Told) -> Told {
    let plain = |(at, bits): (i64, u64)| {
        let value = f64::from_bits(bits);
        let bits = if value.is_nan() {
            f64::NAN.to_bits()
        } else {
            bits
        };
        (at, bits)
    };
    let each = told.into_iter().map(|(labels, points)| {
        let kept = points
            .into_iter()
            .filter(|(_, bits)| *bits != STALE.to_bits());
        (labels, kept.map(plain).collect::<Vec<_>>())
    });
    each.filter(|(_, points)| !points.is_empty()).collect()
}

/// All that a Prometheus holds of the last hour.
pub fn raw(url: &str, curl: &str) -> Told {
    let result = query(url, curl, r#"{__name__=~".+"}[1h]"#, Timestamp::now());
    let each = result.iter().map(|series| {
        let values = series["values"].as_array().unwrap().iter();
        let point = |point: &Value| {
            let at = (point[0].as_f64().unwrap() * 1000.0).round() as i64;
            let value: f64 = point[1]
                .as_str()
                .unwrap()
                .replace("Inf", "inf")
                .parse()
                .unwrap();
            let value = if value.is_nan() { f64::NAN } else { value };
            (at, value.to_bits())
        };
        (labels(&series["metric"]), values.map(point).collect())
    });
    each.collect()
}

/// The result of an instant query.
pub fn query(url: &str, curl: &str, expression: &str, at: Timestamp) -> Vec<Value> {
    let answer = Command::new("curl")
        .args(["-sS", "-m", "30", "-G"])
        .args(curl.split_whitespace())
        .args(["--data-urlencode", &format!("query={expression}")])
        .args(["--data-urlencode", &format!("time={}", at.seconds())])
        .arg(format!("{url}/api/v1/query"))
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&answer.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer.stderr)));
    answer["data"]["result"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"))
        .clone()
}

fn labels(metric: &Value) -> String {
    let pairs = metric.as_object().unwrap().iter();
    Labels::new(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap()))).to_string()
}
