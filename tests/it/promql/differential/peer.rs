//! The same question to Prometheus over HTTP and to pgvigil's evaluator, and both answers in one form.

use std::time::{Duration, Instant};

use pgvigil::promql::{self, EvalError, Limits, Moments, Query, Value};
use pgvigil::sample::{Labels, Timestamp};
use pgvigil::store::Store;
use serde_json::Value as Json;

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Scalar(f64),
    Text(String),
    /// In the order in which it came.
    Vector(Vec<(Labels, f64)>),
    Matrix(Vec<(Labels, Vec<(i64, f64)>)>),
    /// The type of an error and its message.
    Failed(&'static str, String),
}

/// An answer, and the warnings and infos beside it.
#[derive(Debug, Clone)]
pub struct Told {
    pub answer: Answer,
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
}

/// Evaluates by the library.
pub fn ours(store: &Store, text: &str, moments: Moments) -> Told {
    let query = match Query::parse(text) {
        Ok(query) => query,
        Err(error) => return failed("bad_data", error.message),
    };
    let begun = Instant::now();
    let limits = Limits {
        stopped: &|| begun.elapsed() > Duration::from_secs(20),
        ..Limits::default()
    };
    match promql::evaluate(&query, store, moments, &limits) {
        Ok(answer) => Told {
            answer: own(answer.value),
            warnings: answer.warnings,
            infos: answer.infos,
        },
        // Prometheus says this before it evaluates.
        Err(EvalError::Failed(message)) if message.starts_with("invalid expression type") => {
            failed("bad_data", message)
        }
        Err(EvalError::Stopped) => failed("timeout", EvalError::Stopped.to_string()),
        Err(error) => failed("execution", error.to_string()),
    }
}

fn own(value: Value) -> Answer {
    match value {
        Value::Scalar(value) => Answer::Scalar(value),
        Value::Text(text) => Answer::Text(text),
        Value::Vector(elements) => {
            Answer::Vector(elements.into_iter().map(|e| (e.labels, e.value)).collect())
        }
        Value::Matrix(series) => {
            let series = series.into_iter().map(|series| {
                let points = series.points.into_iter().map(|(at, value)| (at.0, value));
                (series.labels, points.collect())
            });
            Answer::Matrix(series.collect())
        }
    }
}

fn failed(kind: &'static str, message: String) -> Told {
    Told {
        answer: Answer::Failed(kind, message),
        warnings: Vec::new(),
        infos: Vec::new(),
    }
}

/// Asks Prometheus.
pub async fn theirs(client: &reqwest::Client, url: &str, text: &str, moments: Moments) -> Told {
    let seconds = |at: Timestamp| format!("{}.{:03}", at.0 / 1000, at.0 % 1000);
    let mut form = vec![("query", text.to_owned())];
    let path = match moments {
        Moments::At(at) => {
            form.push(("time", seconds(at)));
            "query"
        }
        Moments::Range { start, end, step } => {
            form.push(("start", seconds(start)));
            form.push(("end", seconds(end)));
            form.push(("step", step.as_secs_f64().to_string()));
            "query_range"
        }
    };
    let encoded = form.iter().map(|(name, value)| {
        let value =
            percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        format!("{name}={value}")
    });
    let body = encoded.collect::<Vec<_>>().join("&");
    let sent = client
        .post(format!("{url}/api/v1/{path}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap();
    read(&sent.json().await.unwrap())
}

fn read(json: &Json) -> Told {
    if json["status"] != "success" {
        let kind = match json["errorType"].as_str() {
            Some("bad_data") => "bad_data",
            Some("execution") => "execution",
            Some("timeout") => "timeout",
            other => panic!("error type {other:?}: {json}"),
        };
        return failed(kind, json["error"].as_str().unwrap().to_owned());
    }
    let texts = |key: &str| {
        let texts = json[key].as_array().into_iter().flatten();
        texts
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    Told {
        answer: result(&json["data"]),
        warnings: texts("warnings"),
        infos: texts("infos"),
    }
}

fn result(data: &Json) -> Answer {
    let result = &data["result"];
    let of_all = || result.as_array().unwrap().iter();
    match data["resultType"].as_str().unwrap() {
        "scalar" => Answer::Scalar(point(result).1),
        "string" => Answer::Text(result[1].as_str().unwrap().to_owned()),
        "vector" => Answer::Vector(
            of_all()
                .map(|e| (labels(e), point(&e["value"]).1))
                .collect(),
        ),
        "matrix" => Answer::Matrix(
            of_all()
                .map(|series| {
                    let points = series["values"].as_array().unwrap();
                    (labels(series), points.iter().map(point).collect())
                })
                .collect(),
        ),
        other => panic!("result type {other}"),
    }
}

fn labels(of: &Json) -> Labels {
    let pairs = of["metric"].as_object().unwrap();
    Labels::new(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap())),
    )
}

fn point(json: &Json) -> (i64, f64) {
    let at = (json[0].as_f64().unwrap() * 1000.0).round() as i64;
    (at, json[1].as_str().unwrap().parse().unwrap())
}
