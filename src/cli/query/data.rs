//! The value in Prometheus' JSON, as rows that can be shown.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::Error as _;

/// A moment in seconds, and a value as it was written.
pub(super) type Point = (f64, String);

/// Labels by name.
pub(super) type Labels = BTreeMap<String, String>;

/// The four kinds of value.
pub(super) enum Data {
    Scalar(Point),
    Text(Point),
    Vector(Vec<(Labels, Point)>),
    Matrix(Vec<(Labels, Vec<Point>)>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    result_type: String,
    result: serde_json::Value,
}

#[derive(Deserialize)]
struct Element {
    metric: Labels,
    value: Option<Point>,
    #[serde(default)]
    values: Vec<Point>,
    /// Native histograms, which stand where a value would.
    histogram: Option<serde_json::Value>,
    histograms: Option<serde_json::Value>,
}

impl Data {
    /// Whether it has no series.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Data::Scalar(_) | Data::Text(_) => false,
            Data::Vector(all) => all.is_empty(),
            Data::Matrix(all) => all.is_empty(),
        }
    }

    /// Reads `data` of an answer.
    ///
    /// # Errors
    /// It is none of what Prometheus answers, or holds native histograms.
    pub(super) fn read(data: &serde_json::Value) -> Result<Data, serde_json::Error> {
        let written = Written::deserialize(data)?;
        match written.result_type.as_str() {
            "scalar" => Point::deserialize(&written.result).map(Data::Scalar),
            "string" => Point::deserialize(&written.result).map(Data::Text),
            "vector" => {
                let elements = elements(&written.result)?.into_iter();
                let pairs = elements.map(|element| {
                    let value = element.value.ok_or_else(|| {
                        serde_json::Error::custom("an element of the vector has no value")
                    });
                    Ok((element.metric, value?))
                });
                pairs.collect::<Result<_, _>>().map(Data::Vector)
            }
            "matrix" => {
                let elements = elements(&written.result)?.into_iter();
                let pairs = elements.map(|element| (element.metric, element.values));
                Ok(Data::Matrix(pairs.collect()))
            }
            other => Err(serde_json::Error::custom(format!(
                "the value is of the unknown kind `{other}`"
            ))),
        }
    }
}

fn elements(result: &serde_json::Value) -> Result<Vec<Element>, serde_json::Error> {
    let elements = Vec::<Element>::deserialize(result)?;
    let native = |element: &Element| element.histogram.is_some() || element.histograms.is_some();
    if elements.iter().any(native) {
        return Err(serde_json::Error::custom(
            "native histograms are shown by `--format json` alone",
        ));
    }
    Ok(elements)
}

/// Labels as PromQL writes a series.
pub(super) fn series(labels: &Labels) -> String {
    crate::sample::Labels::new(labels.clone()).to_string()
}
