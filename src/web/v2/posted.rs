//! A silence as it is posted, with Alertmanager's words for what is missing.

use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::reply::Reply;
use crate::incident::Parts;
use crate::sample::Timestamp;

/// A silence that somebody wants.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    /// Empty for a new one.
    pub(super) id: String,
    pub(super) matchers: Vec<Parts>,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) created_by: String,
    pub(super) comment: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    id: Option<String>,
    comment: Option<String>,
    created_by: Option<String>,
    ends_at: Option<String>,
    matchers: Option<Vec<Condition>>,
    starts_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    is_equal: Option<bool>,
    is_regex: Option<bool>,
    name: Option<String>,
    value: Option<String>,
}

/// Whether the body is said to be JSON, which a form on another site's page cannot say.
///
/// # Errors
/// The refusal in Alertmanager's words.
pub(super) fn is_json(headers: &HeaderMap) -> Result<(), Reply> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("unsupported media type {kind:?}, only [application/json] are allowed");
    Err(Reply::fault(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// Reads a body.
///
/// # Errors
/// The refusal: what cannot be read, or the first thing that is missing.
pub(super) fn read(body: &[u8]) -> Result<Wanted, Reply> {
    let lacking =
        |code, message: String| Reply::Fault(StatusCode::UNPROCESSABLE_ENTITY, code, message);
    let missing = |what: &str| lacking(602, format!("{what} in body is required"));
    if body.is_empty() {
        return Err(missing("silence"));
    }
    let body: Body =
        serde_json::from_slice(body).map_err(|error| unreadable(&error.to_string()))?;
    let comment = body.comment.ok_or_else(|| missing("comment"))?;
    let created_by = body.created_by.ok_or_else(|| missing("createdBy"))?;
    let moments = [&body.starts_at, &body.ends_at].map(|text| text.as_deref().map(moment));
    let [starts_at, ends_at] = moments.map(Option::transpose);
    let (starts_at, ends_at) = (starts_at?, ends_at?);
    let ends_at = ends_at.ok_or_else(|| missing("endsAt"))?;
    let conditions = body.matchers.ok_or_else(|| missing("matchers"))?;
    if conditions.is_empty() {
        return Err(lacking(
            612,
            "matchers in body should have at least 1 items".into(),
        ));
    }
    let conditions = conditions.into_iter().enumerate();
    let matchers = conditions.map(|(place, condition)| {
        let missing = |what| missing(&format!("matchers.{place}.{what}"));
        Ok(Parts {
            is_regex: condition.is_regex.ok_or_else(|| missing("isRegex"))?,
            name: condition.name.ok_or_else(|| missing("name"))?,
            value: condition.value.ok_or_else(|| missing("value"))?,
            is_equal: condition.is_equal.unwrap_or(true),
        })
    });
    let matchers = matchers.collect::<Result<_, Reply>>()?;
    Ok(Wanted {
        id: body.id.unwrap_or_default(),
        matchers,
        starts_at: starts_at.ok_or_else(|| missing("startsAt"))?,
        ends_at,
        created_by,
        comment,
    })
}

fn unreadable(said: &str) -> Reply {
    let message = format!("parsing silence body from \"\" failed, because {said}");
    Reply::fault(StatusCode::BAD_REQUEST, message)
}

/// RFC 3339; without an offset it is UTC.
fn moment(text: &str) -> Result<Timestamp, Reply> {
    let with_offset = text.parse::<jiff::Timestamp>().ok();
    let moment = with_offset.or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(civil).ok()
    });
    let unknown = || {
        let layout = "2006-01-02 15:04:05";
        unreadable(&format!(
            "parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\""
        ))
    };
    let moment = moment.ok_or_else(unknown)?;
    Ok(Timestamp(moment.as_millisecond()))
}
