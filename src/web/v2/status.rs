//! `status` and `receivers`.

use serde_json::{Value, json};

use super::View;
use super::reply::Reply;

/// The version of Alertmanager whose API this is; clients decide by it what they may ask.
const ALERTMANAGER: &str = "0.25.0";

/// `status`: there is no cluster, and the configuration is pgvigil's own, without secrets.
pub(super) fn status(view: &View) -> Reply {
    Reply::Data(json!({
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": view.api.config},
        "uptime": view.started.rfc3339(),
        "versionInfo": {
            "branch": "pgvigil",
            "buildDate": "",
            "buildUser": "pgvigil",
            "goVersion": "",
            "revision": format!("pgvigil-{}", view.version),
            "version": ALERTMANAGER,
        },
    }))
}

/// `receivers`
pub(super) fn receivers(view: &View) -> Reply {
    Reply::Data(named(view.audience.receivers()))
}

/// Receivers as they are listed everywhere.
pub(super) fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Value {
    names
        .into_iter()
        .map(|name| json!({"name": name}))
        .collect()
}
