//! Series as Prometheus' remote write sends them: protobuf in snappy, version 1, by hand, so that what is tested is not
//! tested with itself.

/// Labels in the order of their names, and samples in the order of their times in milliseconds.
pub struct Written<'a> {
    pub labels: Vec<(&'a str, &'a str)>,
    pub samples: Vec<(i64, f64)>,
}

/// The body of a request.
pub fn body(series: &[Written<'_>]) -> Vec<u8> {
    let mut request = Vec::new();
    for Written { labels, samples } in series {
        let mut message = Vec::new();
        for (name, value) in labels {
            let mut label = Vec::new();
            bytes(1, name.as_bytes(), &mut label);
            bytes(2, value.as_bytes(), &mut label);
            bytes(1, &label, &mut message);
        }
        for (at, value) in samples {
            let mut sample = vec![1 << 3 | 1];
            sample.extend(value.to_le_bytes());
            sample.push(2 << 3);
            varint(*at as u64, &mut sample);
            bytes(2, &sample, &mut message);
        }
        bytes(1, &message, &mut request);
    }
    uncompressed(&request)
}

/// Sends a body to a receiver, which must take it.
pub async fn send(client: &reqwest::Client, url: &str, body: Vec<u8>) {
    let sent = client
        .post(format!("{url}/api/v1/write"))
        .header("Content-Type", "application/x-protobuf")
        .header("Content-Encoding", "snappy")
        .header("X-Prometheus-Remote-Write-Version", "0.1.0")
        .body(body)
        .send();
    let sent = sent.await.unwrap();
    let status = sent.status();
    assert!(status.is_success(), "{status}: {:?}", sent.text().await);
}

/// A field whose value has a length.
fn bytes(field: u8, value: &[u8], into: &mut Vec<u8>) {
    into.push(field << 3 | 2);
    varint(value.len() as u64, into);
    into.extend(value);
}

fn varint(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Snappy that compresses nothing: its length, and literals.
fn uncompressed(text: &[u8]) -> Vec<u8> {
    let mut snappy = Vec::new();
    varint(text.len() as u64, &mut snappy);
    for chunk in text.chunks(1 << 16) {
        // A literal whose length less one follows in two bytes.
        snappy.push(61 << 2);
        snappy.extend(((chunk.len() - 1) as u16).to_le_bytes());
        snappy.extend(chunk);
    }
    snappy
}
