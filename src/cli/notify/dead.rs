//! `pgvigil notify dead`: what a running pgvigil could not tell, because it was refused for good.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use crate::cli::query::{Unreachable, server_url};
use crate::cli::{cannot_run, refuse, stdout, verdict};
use crate::config::Flags;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Which pgvigil is asked.
#[derive(clap::Args)]
pub(in crate::cli) struct Options {
    /// The pgvigil to ask, with `user:password@` where it wants that; default $PGVIGIL_URL, else the one that the
    /// configuration is for
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

#[derive(Deserialize)]
struct Letter {
    receiver: String,
    at: String,
    error: String,
    incidents: Vec<Incident>,
}

#[derive(Deserialize)]
struct Incident {
    id: String,
    labels: BTreeMap<String, String>,
    state: String,
    told: bool,
}

/// Exit code 1 when something is still untold, 2 when there is nobody to ask.
pub(super) async fn run(flags: &Flags, options: &Options) -> io::Result<ExitCode> {
    let url = match server_url(options.url.as_deref(), flags) {
        Ok(url) => url,
        Err(problems) => return Ok(refuse(&problems)),
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    let letters = fetch(url).await;
    match letters.with_context(|| format!("no answer from `{host}:{port}`")) {
        Ok(letters) => {
            stdout::print(&text(&letters))?;
            let mut incidents = letters.iter().flat_map(|letter| &letter.incidents);
            Ok(verdict(incidents.all(|incident| incident.told)))
        }
        Err(error) => Ok(cannot_run(&error)),
    }
}

async fn fetch(mut url: Url) -> anyhow::Result<Vec<Letter>> {
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/dead-letters"));
    let client = Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("pgvigil/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let response = client.get(url).send().await;
    let response = response.map_err(Unreachable::from)?;
    let status = response.status();
    let body = response.text().await.map_err(reqwest::Error::without_url)?;
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(anyhow!(
            "it refuses with {status}: give name and password in the address, as in \
             `http://name:password@host:9187`; PGVIGIL_URL may hold it"
        )),
        _ => serde_json::from_str(&body)
            .map_err(|_| anyhow!("it answers {status}, and nothing that pgvigil would say")),
    }
}

fn text(letters: &[Letter]) -> String {
    if letters.is_empty() {
        return "nothing was refused for good\n".into();
    }
    let mut text = String::new();
    for letter in letters {
        let Letter {
            at,
            receiver,
            error,
            ..
        } = letter;
        let _ = writeln!(text, "{at} {receiver}: {error}");
        for incident in &letter.incidents {
            let then = if incident.told {
                "told since"
            } else {
                "not told"
            };
            let _ = writeln!(text, "    {} {}: {then}", incident.state, name(incident));
        }
    }
    text
}

fn name(incident: &Incident) -> String {
    let label = |name: &str| incident.labels.get(name).map(String::as_str);
    let places = ["instance", "server", "source"];
    match (label("alertname"), places.into_iter().find_map(label)) {
        (Some(alert), Some(place)) => format!("{alert} on {place}"),
        (Some(alert), None) => alert.to_owned(),
        (None, _) => format!("incident {}, which is forgotten", incident.id),
    }
}
