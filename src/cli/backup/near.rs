//! Asks the pgvigil that runs with this configuration how its backups stand.

use serde_json::Value;

use crate::cli::client::{Client, Trouble};
use crate::config::Config;

/// What only a watch sees.
pub(super) const UNJUDGED: &str = "swallowed WAL, gaps in an archive that is a source of its own, the recovery objective, another cluster, what vanished and alerts are not judged";

/// What makes an answer one of this configuration: its sources, and what is promised of each.
const IDENTITY: [&str; 4] = ["name", "server", "place", "promises"];

/// Its account, as `/api/backups` has it. `own` is that of the same configuration, looked at by nobody.
///
/// # Errors
/// Why there is none, as the beginning of a sentence.
pub(super) fn ask(config: &Config, own: &Value) -> Result<Value, String> {
    let client = Client::near(config).map_err(|trouble| said(trouble, "the configuration"))?;
    let place = client.place();
    let answer = client.get("api/backups");
    let answer = answer.and_then(|answer| answer.data::<Value>());
    let answer = answer.map_err(|trouble| said(trouble, &place))?;
    // What another one was told to watch, or this one before its configuration was changed, tells nothing.
    if identity(&answer) != identity(own) {
        return Err(format!(
            "the pgvigil at {place} watches other backups than are configured here, or has not read the configuration again"
        ));
    }
    Ok(answer)
}

fn said(trouble: Trouble, place: &str) -> String {
    match trouble {
        Trouble::Denied(_) => format!(
            "the pgvigil at {place} asks for another password than it is given, or for one at all: set `web.token`, or PGVIGIL_URL with name and password"
        ),
        Trouble::Unable(error) => {
            format!("no pgvigil answers at {place} ({})", error.root_cause())
        }
        Trouble::Refused(_) | Trouble::Configuration(_) => {
            format!("what answers at {place} is no pgvigil that watches backups")
        }
    }
}

fn identity(account: &Value) -> Vec<[&Value; 4]> {
    let sources = account["sources"].as_array();
    let each = sources.into_iter().flatten();
    each.map(|source| IDENTITY.map(|member| &source[member]))
        .collect()
}
