//! Requests as data: a line each, asked of pgvigil and of a real Prometheus.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt;

/// One request.
pub(super) struct Line<'c> {
    /// As it is written.
    pub(super) text: &'c str,
    /// Whether errors must have the same words.
    worded: bool,
    /// Whether elements may come in another order.
    unordered: bool,
    pub(super) method: &'c str,
    pub(super) path: &'c str,
    parameters: String,
}

/// What two answers have in common.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    status: u16,
    /// Those that say what the text is, who may read it, and how to ask.
    headers: Vec<String>,
    pub(super) body: String,
}

/// The lines of a corpus that are requests.
pub(super) fn lines(corpus: &str) -> impl Iterator<Item = Line<'_>> {
    let lines = corpus.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|text| {
        let rest = text.trim_start_matches(['=', '<', ' ']);
        let (method, rest) = rest.split_once(' ').unwrap();
        let (path, parameters) = rest.split_once(' ').unwrap_or((rest, ""));
        Line {
            text,
            worded: !text.starts_with('='),
            unordered: text.starts_with('<'),
            method,
            path,
            parameters: encoded(parameters),
        }
    })
}

/// `name=value&…` with everything encoded but `%XX`, which are already.
pub(super) fn encoded(parameters: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'%');
    let pairs = parameters.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        let [name, value] = [name, value].map(|text| utf8_percent_encode(text, KEPT).to_string());
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The answer of a router, without a socket.
pub(super) async fn of_router(router: &Router, line: &Line<'_>) -> Answer {
    let response = router.clone().oneshot(line.request("").map(Body::from));
    let (parts, body) = response.await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    // A server leaves out what was not asked for.
    let body = if line.method == "HEAD" {
        "".into()
    } else {
        body
    };
    Answer::of(parts.status.as_u16(), &parts.headers, &body)
}

/// The answer at an address.
pub(super) async fn at(client: &reqwest::Client, base: &str, line: &Line<'_>) -> Answer {
    let request = reqwest::Request::try_from(line.request(base)).unwrap();
    let response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer::of(status, &headers, &response.bytes().await.unwrap())
}

impl Line<'_> {
    fn request(&self, base: &str) -> Request<String> {
        let (query, form) = match self.method {
            "POST" => ("", self.parameters.as_str()),
            _ => (self.parameters.as_str(), ""),
        };
        let request = Request::builder()
            .method(self.method)
            .uri(format!("{base}/api/v1/{}?{query}", self.path))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", "https://grafana.example");
        request.body(form.to_owned()).unwrap()
    }

    /// What of an answer counts.
    pub(super) fn counts(&self, answer: &Answer) -> Answer {
        let mut counts = answer.clone();
        let Ok(mut json) = serde_json::from_str::<Value>(&answer.body) else {
            return counts;
        };
        let rewordable = !self.worded && json["status"] == "error";
        if let Some(members) = json.as_object_mut().filter(|_| rewordable) {
            members.remove("error");
        }
        if let Some(Value::Array(elements)) =
            json.pointer_mut("/data/result").filter(|_| self.unordered)
        {
            elements.sort_by_key(|element| element["metric"].to_string());
        }
        if rewordable || self.unordered {
            counts.body = json.to_string();
        }
        counts
    }
}

impl Answer {
    fn of(status: u16, headers: &HeaderMap, body: &[u8]) -> Answer {
        let counts = |name: &str| {
            name.starts_with("access-control-") || ["content-type", "allow", "vary"].contains(&name)
        };
        let headers = headers.iter().filter(|(name, _)| counts(name.as_str()));
        let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let mut headers: Vec<String> = headers.collect();
        headers.sort();
        Answer {
            status,
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}
