//! A value as comma-separated text (RFC 4180): a column per label, the time in seconds, the value.

use std::collections::BTreeSet;

use super::data::{Data, Labels, Point};

/// A head, then a line per value.
pub(super) fn text(data: &Data) -> String {
    let nothing = Labels::new();
    let rows: Vec<(&Labels, &Point)> = match data {
        Data::Scalar(point) | Data::Text(point) => vec![(&nothing, point)],
        Data::Vector(elements) => {
            let each = elements.iter();
            each.map(|(labels, point)| (labels, point)).collect()
        }
        Data::Matrix(all) => {
            let each = all.iter();
            each.flat_map(|(labels, points)| points.iter().map(move |point| (labels, point)))
                .collect()
        }
    };
    let names: BTreeSet<&str> = rows
        .iter()
        .flat_map(|(labels, _)| labels.keys().map(String::as_str))
        .collect();
    let mut text = line(names.iter().copied().chain(["timestamp", "value"]));
    for (labels, (at, value)) in rows {
        let cells = names
            .iter()
            .map(|name| labels.get(*name).map_or("", String::as_str));
        text.push_str(&line(cells.chain([at.to_string().as_str(), value])));
    }
    text
}

fn line<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let cells: Vec<String> = cells.map(cell).collect();
    cells.join(",") + "\r\n"
}

fn cell(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_on_lines() {
        let data = serde_json::json!({"resultType": "matrix", "result": [
            {"metric": {"a": "x,\"y\""}, "values": [[1.5, "1"], [2, "+Inf"]]},
            {"metric": {"b": "z"}, "values": [[1.5, "3"]]},
        ]});
        let expected = "a,b,timestamp,value\r\n\"x,\"\"y\"\"\",,1.5,1\r\n\"x,\"\"y\"\"\",,2,+Inf\r\n,z,1.5,3\r\n";
        assert_eq!(text(&Data::read(&data).unwrap()), expected);
    }
}
