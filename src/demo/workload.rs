//! A small application: players who play, and a crowd that comes and does not go.

use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::cluster::{Cluster, DATABASE, Session};

const SCHEMA: &str = include_str!("schema.sql");

const PLAYERS: i64 = 2000;
const PACE: Duration = Duration::from_millis(20);

/// Makes the application's database and fills it; gives the version of the server.
pub(super) async fn fill(cluster: &Cluster) -> anyhow::Result<String> {
    let admin = cluster.connect("postgres", "postgres").await?;
    admin
        .client
        .batch_execute(&format!("CREATE DATABASE {DATABASE}"))
        .await?;
    let admin = cluster.connect("postgres", DATABASE).await?;
    admin
        .client
        .batch_execute(SCHEMA)
        .await
        .context("cannot fill the demo's database")?;
    let version = admin.client.query_one("SHOW server_version", &[]).await?;
    Ok(version.try_get(0)?)
}

/// Lets some players play until `stop`, each on a connection of his own.
pub(super) async fn play(
    cluster: &Cluster,
    players: usize,
    stop: &CancellationToken,
) -> anyhow::Result<JoinSet<()>> {
    let mut playing = JoinSet::new();
    for number in 0..players {
        let session = cluster.connect("rachel", DATABASE).await?;
        let stop = stop.clone();
        playing.spawn(async move {
            let _ = stop
                .run_until_cancelled(games(&session, number as i64))
                .await;
        });
    }
    Ok(playing)
}

async fn games(session: &Session, number: i64) -> Result<(), tokio_postgres::Error> {
    let client = &session.client;
    let score = client
        .prepare("INSERT INTO games (player, score) VALUES ($1, $2)")
        .await?;
    let best = client
        .prepare("SELECT name, max(score) FROM games JOIN users ON users.id = player WHERE player = $1 GROUP BY name")
        .await?;
    for round in number.. {
        let player = 1 + (round * 7919) % PLAYERS;
        client
            .execute(&score, &[&player, &((round % 97) as i32)])
            .await?;
        client.query(&best, &[&player]).await?;
        tokio::time::sleep(PACE).await;
    }
    Ok(())
}

/// Opens connections and keeps them, as an application without a pool does.
pub(super) async fn crowd(cluster: &Cluster, size: usize) -> anyhow::Result<Vec<Session>> {
    let mut crowd = Vec::with_capacity(size);
    for _ in 0..size {
        crowd.push(
            cluster
                .connect("rachel", DATABASE)
                .await
                .context("the crowd finds no room")?,
        );
    }
    Ok(crowd)
}
