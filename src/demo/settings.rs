//! The demo's configuration: a real file, shown and then read as `serve` reads it.

use std::net::SocketAddr;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;

use super::cluster::Cluster;
use super::folder::Folder;
use super::story::quote;
use crate::config::{self, Config, Environment, Flags};
use crate::document::Problem;

const TEMPLATE: &str = include_str!("pgvigil.yml");
const USUAL_ADDRESS: &str = "127.0.0.1:9187";

/// Writes the file, shows it and reads it; address and state directory come as flags.
pub(super) async fn configure(
    folder: &Folder,
    cluster: &Cluster,
    (mail, hook): (SocketAddr, SocketAddr),
    listen: Option<String>,
) -> anyhow::Result<Config> {
    let dumps = cluster.backups().join("rachel_*.sql.gz");
    let text = TEMPLATE
        .replace("${URL}", &cluster.url("pgvigil"))
        .replace("${DUMPS}", &dumps.display().to_string())
        .replace("${MAIL}", &mail.to_string())
        .replace("${HOOK}", &hook.to_string());
    println!("The whole configuration:");
    quote(&text);
    let listen = match listen {
        Some(given) => given,
        None => free_address().await?,
    };
    let file = folder.path().join("pgvigil.yml");
    std::fs::write(&file, text)?;
    let flags = Flags {
        config: Some(file),
        listen: Some(listen),
        state_dir: Some(folder.path().join("state").display().to_string()),
    };
    // Nothing of this process' environment: a real pager must not hear of the demo.
    config::load_from(&flags, &Environment::new()).map_err(|problems| refused(&problems))
}

/// What is wrong with it.
pub(super) fn refused(problems: &[Problem]) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    anyhow!("the demo's configuration is refused:\n{}", lines.join("\n"))
}

/// The usual one, or where that is taken any other.
async fn free_address() -> anyhow::Result<String> {
    let listener = match TcpListener::bind(USUAL_ADDRESS).await {
        Ok(usual) => usual,
        Err(_) => TcpListener::bind("127.0.0.1:0")
            .await
            .context("cannot listen on 127.0.0.1")?,
    };
    Ok(listener.local_addr()?.to_string())
}
