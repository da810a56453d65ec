//! What the environment says: `PGVIGIL_…` with `__` for nesting, and a few short names declared as aliases.

use crate::document::{Key, Node, Place, Problem, Value};

use super::layers::Layer;

/// A short name for a setting (or, for the mail server, for a whole receiver).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The variable.
    pub variable: &'static str,
    /// What it sets, as the reference says it.
    pub sets: &'static str,
}

/// Every alias, for the reference.
pub const ALIASES: &[Alias] = &[
    Alias {
        variable: "PGVIGIL_CONFIG",
        sets: "the configuration file",
    },
    Alias {
        variable: "PGVIGIL_LOG",
        sets: "the log filter, such as `info` or `pgvigil::notify=debug`",
    },
    Alias {
        variable: "PGVIGIL_LOG_FORMAT",
        sets: "`text` or `json`",
    },
    Alias {
        variable: "DATABASE_URL",
        sets: "`servers: [{url: …}]`; without it `PG*` and postgres_exporter's `DATA_SOURCE_*` are read",
    },
    Alias {
        variable: "PGVIGIL_SMTP_URL",
        sets: "a receiver `email` with this `smtp`",
    },
    Alias {
        variable: "PGVIGIL_SMTP_PASSWORD_FILE",
        sets: "its `password_file`",
    },
    Alias {
        variable: "PGVIGIL_EMAIL_TO",
        sets: "its `to`, several with commas between",
    },
    Alias {
        variable: "PGVIGIL_EMAIL_FROM",
        sets: "its `from`",
    },
    Alias {
        variable: "PGVIGIL_SLACK_WEBHOOK_URL",
        sets: "a receiver `slack` with this `webhook_url`",
    },
    Alias {
        variable: "PGVIGIL_ALERTMANAGER_URL",
        sets: "a receiver `alertmanager` with these `urls`, with commas between",
    },
];

/// The environment as pairs, so that it can be read whole and replaced in tests.
pub type Environment = Vec<(String, String)>;

/// The layers that the environment adds to `below`; receivers by alias only where no receiver is written.
pub(super) fn layers(environment: &Environment, below: &[Layer]) -> Result<Vec<Layer>, Problem> {
    let mut layers = Vec::new();
    for (variable, text) in environment {
        let alias = ALIASES.iter().any(|alias| alias.variable == variable);
        let Some(path) = variable
            .strip_prefix("PGVIGIL_")
            .filter(|_| !alias && !text.is_empty())
        else {
            continue;
        };
        if !is_setting(path) {
            continue;
        }
        let path = path.to_ascii_lowercase();
        let keys: Vec<&str> = path.split("__").collect();
        layers.push(Layer::value(&origin(variable), &keys, text)?);
    }
    let receivers = ["notify", "receivers"];
    if !below
        .iter()
        .chain(&layers)
        .any(|layer| layer.has(&receivers))
    {
        let found = receivers_by_alias(environment);
        if !found.is_empty() {
            let origin = found[0].place.origin.to_string();
            let list = Node::new(Place::of(&origin), Value::List(found));
            layers.push(Layer::tree(&origin, &receivers, list));
        }
    }
    Ok(layers)
}

/// `PGVIGIL_DEMO_…`, `PGVIGIL_LAB`, `PGVIGIL_URL` and `PGVIGIL_TOKEN` belong to the demo, the tests, `query` and `silence`; Kubernetes adds
/// `PGVIGIL_SERVICE_…` and `PGVIGIL_PORT…` for a service that is called pgvigil.
fn is_setting(path: &str) -> bool {
    let others = ["DEMO_", "SERVICE_", "PORT_"];
    !others.iter().any(|prefix| path.starts_with(prefix))
        && !["LAB", "PORT", "TOKEN", "URL"].contains(&path)
}

fn receivers_by_alias(environment: &Environment) -> Vec<Node> {
    let get = |name: &str| {
        let found = environment
            .iter()
            .find(|(variable, text)| variable == name && !text.is_empty());
        found.map(|(variable, text)| (Place::of(&origin(variable)), text.as_str()))
    };
    let text = |name: &str| get(name).map(|(place, text)| scalar(&place, text));
    let list = |name: &str| {
        get(name).map(|(place, text)| {
            let items = text
                .split(',')
                .map(|item| scalar(&place, item.trim()))
                .collect();
            Node::new(place, Value::List(items))
        })
    };
    let email = [
        ("smtp", text("PGVIGIL_SMTP_URL")),
        ("password_file", text("PGVIGIL_SMTP_PASSWORD_FILE")),
        ("to", list("PGVIGIL_EMAIL_TO")),
        ("from", text("PGVIGIL_EMAIL_FROM")),
    ];
    let slack = [("webhook_url", text("PGVIGIL_SLACK_WEBHOOK_URL"))];
    let alertmanager = [("urls", list("PGVIGIL_ALERTMANAGER_URL"))];
    [
        receiver("email", email.to_vec()),
        receiver("slack", slack.to_vec()),
        receiver("alertmanager", alertmanager.to_vec()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `{name: CHANNEL, CHANNEL: {…}}`, when anything of it is written.
fn receiver(channel: &str, settings: Vec<(&str, Option<Node>)>) -> Option<Node> {
    let written: Vec<(&str, Node)> = settings
        .into_iter()
        .filter_map(|(key, node)| Some((key, node?)))
        .collect();
    let place = written.first()?.1.place.clone();
    let settings = mapping(&place, written);
    Some(mapping(
        &place,
        vec![("name", scalar(&place, channel)), (channel, settings)],
    ))
}

fn mapping(place: &Place, entries: Vec<(&str, Node)>) -> Node {
    let keyed = entries.into_iter().map(|(key, node)| {
        (
            Key {
                text: key.into(),
                place: place.clone(),
            },
            node,
        )
    });
    Node::new(place.clone(), Value::Map(keyed.collect()))
}

fn scalar(place: &Place, text: &str) -> Node {
    Node::new(place.clone(), Value::Scalar(text.into()))
}

fn origin(variable: &str) -> String {
    format!("environment variable {variable}")
}
