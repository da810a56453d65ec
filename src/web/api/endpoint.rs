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
    form("query", Evaluate(query::instant)),
    form("query_range", Evaluate(query::range)),
    form("query_exemplars", Look(query::exemplars)),
    form("format_query", Look(query::format)),
    form("series", Look(series::series)),
    form("labels", Look(series::names)),
    get("label/NAME/values", Look(series::values)),
    get("metadata", Look(metadata::metadata)),
    get("rules", Look(rules::rules)),
    get("alerts", Look(rules::alerts)),
    get("targets", Look(targets::targets)),
    get("targets/metadata", Look(metadata::of_targets)),
    get("scrape_pools", Look(targets::pools)),
    get("alertmanagers", Look(status::alertmanagers)),
    get("notifications", Look(status::notifications)),
    get("status/buildinfo", Look(status::build)),
    get("status/config", Look(status::config)),
    get("status/flags", Look(status::flags)),
    get("status/runtimeinfo", Look(status::runtime)),
    get("status/tsdb", Look(tsdb::statistics)),
    get("status/walreplay", Look(status::replay)),
];

const fn get(path: &'static str, work: Work) -> Endpoint {
    let form = false;
    Endpoint { path, form, work }
}

const fn form(path: &'static str, work: Work) -> Endpoint {
    let form = true;
    Endpoint { path, form, work }
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
