//! Which server a request means: `?server=`, which may be left out where only one is watched.

use std::sync::Arc;

use axum::http::StatusCode;

/// The watched server of that name; the only one without a name.
///
/// # Errors
/// The answer that says which names there are.
pub(super) fn named<'v>(
    servers: &'v [Arc<str>],
    name: Option<&str>,
) -> Result<&'v Arc<str>, (StatusCode, String)> {
    match (name, servers) {
        (Some(name), _) => {
            let found = servers.iter().find(|known| ***known == *name);
            found.ok_or_else(|| unknown(servers, name))
        }
        (None, [only]) => Ok(only),
        (None, _) => {
            let message = format!("say which one with `?server=`: {}\n", listed(servers));
            Err((StatusCode::BAD_REQUEST, message))
        }
    }
}

fn unknown(servers: &[Arc<str>], name: &str) -> (StatusCode, String) {
    let known = listed(servers);
    let message = format!("no server is named `{name}`; there is {known}\n");
    (StatusCode::NOT_FOUND, message)
}

/// The names as they stand in messages.
pub(super) fn listed<'v>(servers: impl IntoIterator<Item = &'v Arc<str>>) -> String {
    let quoted = servers.into_iter().map(|name| format!("`{name}`"));
    let quoted: Vec<String> = quoted.collect();
    quoted.join(", ")
}
