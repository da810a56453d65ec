//! What the API tells, from the configuration and the rooms it is about.

use std::sync::Arc;

use crate::config::Config;
use crate::document::format_duration;
use crate::notify::Channel;
use crate::rules::{Group, Statuses};
use crate::sample::Source;
use crate::scrape::LIVENESS;
use crate::server;
use crate::web::api::{Api, Queries, Watched};

/// Everything but the series.
pub(super) fn api(config: &Config, groups: Vec<Group>, statuses: Arc<Statuses>) -> Api {
    let receivers = config.notify.receivers.iter();
    Api {
        groups,
        statuses,
        watched: watched(config),
        alertmanagers: receivers
            .flat_map(|receiver| places(&receiver.channel))
            .collect(),
        external_labels: config.external_labels.clone(),
        config: config.shown.clone(),
        flags: flags(config),
        retention: format!(
            "{} or {}B",
            format_duration(config.store.retention),
            config.store.max_bytes
        ),
        queries: Arc::new(Queries::new(config.query.clone())),
    }
}

/// Where alerts are pushed, without the password.
fn places(channel: &Channel) -> Vec<String> {
    let Channel::Alertmanager(settings) = channel else {
        return Vec::new();
    };
    let each = settings.urls.iter().map(|base| {
        let mut url = base.join("/api/v2/alerts");
        // Only an address without a host cannot have its user taken away, and has none.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        url.to_string()
    });
    each.collect()
}

fn watched(config: &Config) -> Vec<Watched> {
    let servers = config
        .servers
        .iter()
        .map(|server| of_server("postgresql", server, config));
    let pgbouncers = config.pgbouncers.iter();
    let pgbouncers = pgbouncers.map(|pgbouncer| of_server("pgbouncer", pgbouncer, config));
    let patronis = config.patronis.iter().map(|node| Watched {
        pool: "patroni",
        name: node.name.as_str().into(),
        url: node.url.to_string(),
        source: Source::new(&node.name, "", LIVENESS),
        timeout: Some(node.timeout),
    });
    let backups = config.backups.iter().map(|backup| Watched {
        pool: "backup",
        name: backup.name.as_str().into(),
        url: backup.place.url(),
        source: Source::new(&backup.server, "", &format!("backup:{}", backup.name)),
        timeout: None,
    });
    let own = Watched {
        pool: "pgvigil",
        name: "pgvigil".into(),
        url: format!("{}/metrics", config.external_url),
        source: Source::own(),
        timeout: None,
    };
    let all = servers.chain(pgbouncers).chain(patronis).chain(backups);
    all.chain([own]).collect()
}

fn of_server(pool: &'static str, server: &server::Settings, config: &Config) -> Watched {
    let place = server.places().into_iter().next();
    Watched {
        pool,
        name: server.name.as_str().into(),
        url: place.map_or_else(String::new, |place| format!("postgresql://{place}")),
        source: Source::new(&server.name, "", LIVENESS),
        timeout: Some(config.collect.timeout),
    }
}

/// Those of Prometheus' flags that have a meaning here.
fn flags(config: &Config) -> Vec<(&'static str, String)> {
    let query = &config.query;
    let file = config.file.as_ref().map(|file| file.display().to_string());
    vec![
        ("config.file", file.unwrap_or_default()),
        (
            "query.lookback-delta",
            format_duration(query.lookback_delta),
        ),
        ("query.max-concurrency", query.max_concurrency.to_string()),
        ("query.max-samples", query.max_samples.to_string()),
        ("query.timeout", format_duration(query.timeout)),
        (
            "storage.tsdb.retention.size",
            format!("{}B", config.store.max_bytes),
        ),
        (
            "storage.tsdb.retention.time",
            format_duration(config.store.retention),
        ),
        (
            "web.cors.origin",
            config.web.cors_origin.clone().unwrap_or_default(),
        ),
        ("web.enable-lifecycle", config.web.reload.to_string()),
        ("web.external-url", config.external_url.clone()),
        ("web.listen-address", config.listen.to_string()),
    ]
}
