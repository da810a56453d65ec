//! Which endpoints there are, and what answers at each.

use axum::http::Method;
use percent_encoding::percent_decode_str;

use super::answer::Answer;
use super::failure::Failure;
use super::query::Job;
use super::{Asked, metadata, query, rules, series, status, targets, tsdb};

/// What answers at one path.
pub(super) struct Endpoint {
    /// Below `/api/v1/`; `NAME` stands for one part of any kind.
    path: &'static str,
    /// Whether its parameters may be sent as a form.
    form: bool,
    pub(super) work: Work,
    doc: &'static str,
}

/// How an answer comes about.
pub(super) enum Work {
    /// It is looked up at once.
    Look(fn(&Asked) -> Result<Answer, Failure>),
    /// An expression is evaluated, in its turn.
    Evaluate(fn(&Asked) -> Result<Job, Failure>),
}

use Work::{Evaluate, Look};

static ENDPOINTS: [Endpoint; 21] = [
    form(
        "query",
        Evaluate(query::instant),
        "The value of an expression at one moment.",
    ),
    form(
        "query_range",
        Evaluate(query::range),
        "Its values from one moment to another.",
    ),
    form("query_exemplars", Look(query::exemplars), "Always none."),
    form(
        "format_query",
        Look(query::format),
        "An expression, laid out.",
    ),
    form(
        "series",
        Look(series::series),
        "The label sets that selectors find.",
    ),
    form("labels", Look(series::names), "The names of labels."),
    get(
        "label/NAME/values",
        Look(series::values),
        "The values of a label.",
    ),
    get(
        "metadata",
        Look(metadata::metadata),
        "Type and HELP of the metrics that are read now.",
    ),
    get(
        "rules",
        Look(rules::rules),
        "The rules in force, as overrides have left them, with their alerts.",
    ),
    get(
        "alerts",
        Look(rules::alerts),
        "The alerts that are pending or firing.",
    ),
    get(
        "targets",
        Look(targets::targets),
        "Servers, poolers, nodes of Patroni, backups and pgvigil itself, as targets.",
    ),
    get(
        "targets/metadata",
        Look(metadata::of_targets),
        "Type and HELP by target.",
    ),
    get(
        "scrape_pools",
        Look(targets::pools),
        "The kinds of targets.",
    ),
    get(
        "alertmanagers",
        Look(status::alertmanagers),
        "The Alertmanagers that are told, without their passwords.",
    ),
    get("notifications", Look(status::notifications), "Always none."),
    get(
        "status/buildinfo",
        Look(status::build),
        "The version of Prometheus whose semantics these are, by which Grafana decides what it may ask; `revision` has pgvigil's own.",
    ),
    get(
        "status/config",
        Look(status::config),
        "All that is configured, without secrets.",
    ),
    get(
        "status/flags",
        Look(status::flags),
        "Those of Prometheus' flags that have a meaning here.",
    ),
    get("status/runtimeinfo", Look(status::runtime), "The process."),
    get(
        "status/tsdb",
        Look(tsdb::statistics),
        "Where the series are.",
    ),
    get("status/walreplay", Look(status::replay), "Always done."),
];

const fn get(path: &'static str, work: Work, doc: &'static str) -> Endpoint {
    Endpoint {
        path,
        form: false,
        work,
        doc,
    }
}

const fn form(path: &'static str, work: Work, doc: &'static str) -> Endpoint {
    Endpoint {
        path,
        form: true,
        work,
        doc,
    }
}

impl Endpoint {
    pub(super) fn takes(&self, method: &Method) -> bool {
        *method == Method::GET || self.form && *method == Method::POST
    }

    /// The methods it takes, for who used another.
    pub(super) fn methods(&self) -> &'static str {
        if self.form {
            "GET, OPTIONS, POST"
        } else {
            "GET, OPTIONS"
        }
    }
}

/// The endpoint at a path, and what stands there for `NAME`, decoded.
pub(super) fn find(path: &str) -> Option<(&'static Endpoint, Vec<u8>)> {
    ENDPOINTS.iter().find_map(|endpoint| {
        let Some((before, after)) = endpoint.path.split_once("NAME") else {
            return (endpoint.path == path).then(|| (endpoint, Vec::new()));
        };
        let name = path.strip_prefix(before)?.strip_suffix(after)?;
        let one_part = !name.is_empty() && !name.contains('/');
        one_part.then(|| (endpoint, percent_decode_str(name).collect()))
    })
}

/// Markdown: every endpoint, and what differs from Prometheus and Alertmanager.
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    for endpoint in &ENDPOINTS {
        let methods = if endpoint.form { "GET, POST" } else { "GET" };
        text.push_str(&format!(
            "| `/api/v1/{}` | {methods} | {} |\n",
            endpoint.path, endpoint.doc
        ));
    }
    text.push_str(TAIL);
    text.push_str(crate::web::v2::REFERENCE);
    text.push_str(crate::web::backups::REFERENCE);
    text
}

const HEAD: &str = "\
# API

That of Prometheus, so that its clients read pgvigil directly: point Grafana's Prometheus data source at pgvigil's address.
Parameters, answers, errors and their codes are those of Prometheus 3.5, to the character; a test holds hundreds of
requests against one. `web.auth` and `web.tls` hold here as everywhere, and `query` says what a query may take. Pages of
other sites may read what needs no password, as with Prometheus, unless `web.cors_origin` names those that may.

| path | methods | what it gives |
| --- | --- | --- |
";

const TAIL: &str = "| `/federate` | GET | The newest samples of what `match[]` selects, in the text format, for a Prometheus above. |

What differs:

- Mistakes in expressions are worded by another parser. An expression may have no more than 500 operators and brackets.
- What is experimental in Prometheus is refused by its name, but for `double_exponential_smoothing`; so is what works on
  native histograms alone.
- `stats` has only what pgvigil measures: the times to wait, to evaluate, and both.
- Moments that cannot be counted in milliseconds (`NaN`, `1e30`) are refused.
- Nothing can be written, deleted or administered: there is no `write`, `read`, `admin` or `DELETE`. There is no
  `parse_query` either.
- `metadata` has names of metrics as `/metrics` shows them in its text format, and no units.
- `status/tsdb` counts all series, not those of the last two hours.
";
