//! Asks a running server over Prometheus' HTTP API. Takes its address and what is asked; hands on the answer.

use std::time::Duration;

use anyhow::{Context, anyhow};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use super::Trouble;
use super::ask::{Answer, Ask, Moments};
use super::report::Mistake;
use crate::config::{Flags, load};
use crate::document::{Place, Problem};
use crate::sample::Timestamp;

/// Prometheus itself gives up an evaluation after two minutes.
const TIMEOUT: Duration = Duration::from_secs(130);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The variable that names the server; it may hold a password, which a command line should not.
pub(in crate::cli) const VARIABLE: &str = "PGVIGIL_URL";

/// Where pgvigil answers unless it is told otherwise.
const USUAL: &str = "http://127.0.0.1:9187";

/// The server's address: what is given, or the variable's, or that of the configuration.
///
/// # Errors
/// The address is none, or the configuration, which is looked at last, has mistakes.
pub(in crate::cli) fn url(given: Option<&str>, flags: &Flags) -> Result<Url, Vec<Problem>> {
    let variable = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
    let (origin, text) = match (given, variable) {
        (Some(given), _) => ("flag --url".to_owned(), given.to_owned()),
        (None, Some(url)) => (format!("environment variable {VARIABLE}"), url),
        (None, None) => ("configuration".to_owned(), configured(flags)?),
    };
    let read = Url::parse(&text).ok();
    read.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| {
            vec![Problem {
                hint: Some("write `http://127.0.0.1:9187`".into()),
                ..Problem::at(&Place::of(&origin), "is no address of a server")
            }]
        })
}

fn configured(flags: &Flags) -> Result<String, Vec<Problem>> {
    if let (Some(listen), None) = (&flags.listen, &flags.config) {
        return Ok(format!("http://{listen}"));
    }
    let config = match load(flags) {
        Ok(config) => config,
        // Nobody has said where, and nothing but a server to watch is missing.
        Err(problems) if flags.config.is_none() && problems.iter().all(is_no_server) => {
            return Ok(USUAL.into());
        }
        Err(problems) => return Err(problems),
    };
    // An address that stands for every one of this host is none that can be asked.
    Ok(config
        .external_url
        .replace("//0.0.0.0:", "//127.0.0.1:")
        .replace("//[::]:", "//[::1]:"))
}

fn is_no_server(problem: &Problem) -> bool {
    problem.path == "servers" && problem.place == Place::of("configuration")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    status: String,
    #[serde(default)]
    data: serde_json::Value,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    infos: Vec<String>,
}

/// Nobody answers.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::cli) struct Unreachable(String);

impl From<reqwest::Error> for Unreachable {
    /// Of all its causes only the first one tells a person something. The address may hold a password.
    fn from(error: reqwest::Error) -> Self {
        let error = anyhow::Error::from(error.without_url());
        Unreachable(error.root_cause().to_string())
    }
}

/// Asks, and waits for the answer.
pub(super) fn answer(url: Url, ask: &Ask) -> Result<Answer, Trouble> {
    let place = place(&url);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let body = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(fetch(url, ask)));
    let body = body.with_context(|| format!("no answer from {place}"));
    let body = body.map_err(Trouble::Unreachable)?;
    if body.status == "success" {
        Ok(Answer {
            data: body.data,
            warnings: body.warnings,
            infos: body.infos,
        })
    } else {
        let mistake = Mistake::read(&ask.expression, &body.error);
        Err(Trouble::Query(mistake))
    }
}

async fn fetch(mut url: Url, ask: &Ask) -> anyhow::Result<Body> {
    let (path, form) = request(ask);
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/api/v1/{path}"));
    let client = Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("pgvigil/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let request = client
        .post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form);
    let response = request.send().await.map_err(Unreachable::from)?;
    let status = response.status();
    let text = response.text().await.map_err(reqwest::Error::without_url)?;
    serde_json::from_str(&text).map_err(|_| match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => anyhow!(
            "it refuses with {status}: give name and password in the address, as in `http://name:password@host:9187`; \
             {VARIABLE} may hold it"
        ),
        status => anyhow!("it answers {status}, and nothing that Prometheus' API would say"),
    })
}

/// The endpoint, and the form that is sent to it.
fn request(ask: &Ask) -> (&'static str, String) {
    let seconds = |at: Timestamp| at.seconds().to_string();
    let (path, times) = match ask.moments {
        Moments::At(at) => ("query", vec![("time", seconds(at))]),
        Moments::Range { start, end, step } => (
            "query_range",
            vec![
                ("start", seconds(start)),
                ("end", seconds(end)),
                ("step", step.as_secs_f64().to_string()),
            ],
        ),
    };
    let mut form = format!("query={}", encoded(&ask.expression));
    for (name, value) in times {
        form.push_str(&format!("&{name}={}", encoded(&value)));
    }
    (path, form)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Host and port alone, for the rest may be a secret.
pub(in crate::cli) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("`{host}:{port}`"),
        None => format!("`{host}`"),
    }
}
