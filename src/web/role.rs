//! `/primary`, `/replica` and `/read` for load balancers: answered from the last sign of life, never by a connection.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use super::{View, server};
use crate::document::{parse_bytes, parse_duration};
use crate::scrape::{Role, Sign};
use crate::server::Lag;

/// A sign of life that is older says nothing of now.
const RECENT: Duration = Duration::from_secs(2);

/// What a balancer sends to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    /// What a primary alone takes.
    Writes,
    /// What a standby alone is to take.
    Offloaded,
    /// What both take.
    Reads,
}

#[derive(serde::Deserialize)]
struct Asked {
    server: Option<String>,
    lag: Option<String>,
}

/// How far a standby may lag behind.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Limit {
    Seconds(f64),
    Bytes(u64),
}

/// The answers to GET, HEAD and OPTIONS.
pub(super) fn endpoint(traffic: Traffic) -> MethodRouter<Arc<View>> {
    let answer = move |State(view): State<Arc<View>>, Query(asked): Query<Asked>| async move {
        answer(&view, traffic, &asked)
    };
    get(answer).options(answer)
}

fn answer(view: &View, traffic: Traffic, asked: &Asked) -> Response {
    let server = match server::named(&view.servers, asked.server.as_deref()) {
        Ok(server) => server,
        Err(refusal) => return refusal.into_response(),
    };
    let limit = match asked.lag.as_deref().map(Limit::parse).transpose() {
        Ok(limit) => limit,
        Err(message) => return (StatusCode::BAD_REQUEST, message).into_response(),
    };
    let sign = view.signs.last(server);
    let age = sign.as_ref().map(Sign::age).unwrap_or_default();
    let verdict = judge(traffic, sign, age, limit);
    let (status, said) = match verdict {
        Ok(said) => (StatusCode::OK, said),
        Err(said) => (StatusCode::SERVICE_UNAVAILABLE, said),
    };
    (status, format!("{server} {said}\n")).into_response()
}

/// Whether the server may have the traffic, and what it is.
fn judge(
    traffic: Traffic,
    sign: Option<Sign>,
    age: Duration,
    limit: Option<Limit>,
) -> Result<String, String> {
    let Some(sign) = sign else {
        return Err("has not been heard of yet".into());
    };
    if age > RECENT {
        return Err(format!("has not been heard of for {} s", age.as_secs()));
    }
    let said = match sign.role {
        Some(role) => format!("is {}", role.name()),
        None if sign.up => return Err("does not say what it is".into()),
        None => return Err("is down".into()),
    };
    let takes = match traffic {
        Traffic::Writes => sign.role == Some(Role::Primary),
        Traffic::Offloaded => sign.role == Some(Role::Standby),
        Traffic::Reads => matches!(sign.role, Some(Role::Primary | Role::Standby)),
    };
    match limit {
        _ if !takes => Err(said),
        Some(limit) if sign.role == Some(Role::Standby) => limit.judge(sign.lag, &said),
        _ => Ok(said),
    }
}

impl Limit {
    fn parse(text: &str) -> Result<Limit, String> {
        // A bare number is bytes, as Patroni has it.
        let bytes = parse_bytes(text).map(Limit::Bytes);
        let seconds = || parse_duration(text).map(|limit| Limit::Seconds(limit.as_secs_f64()));
        bytes.or_else(|_| seconds()).map_err(|_| {
            format!("`lag={text}` is no limit; write a duration such as `10s`, or a size such as `16MiB`\n")
        })
    }

    fn judge(self, lag: Option<Lag>, said: &str) -> Result<String, String> {
        let Some(lag) = lag else {
            return Err(format!("{said}, and how far it lags behind is not known"));
        };
        let said = format!(
            "{said}, {:.1} s and {} bytes behind",
            lag.seconds, lag.bytes
        );
        let within = match self {
            Limit::Seconds(most) => lag.seconds <= most,
            Limit::Bytes(most) => lag.bytes <= most as f64,
        };
        if within { Ok(said) } else { Err(said) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sign(up: bool, role: Option<Role>, lag: Option<(f64, f64)>) -> Option<Sign> {
        Some(Sign {
            at: Instant::now(),
            up,
            role,
            lag: lag.map(|(seconds, bytes)| Lag { seconds, bytes }),
        })
    }

    /// Three letters: whether writes, offloaded reads and any reads may come.
    fn check(sign: Option<Sign>, age: u64, lag: Option<&str>, expected: &str, said: &str) {
        let limit = lag.map(|text| Limit::parse(text).unwrap());
        let answers = [Traffic::Writes, Traffic::Offloaded, Traffic::Reads]
            .map(|traffic| judge(traffic, sign, Duration::from_secs(age), limit));
        let letters = answers
            .each_ref()
            .map(|answer| if answer.is_ok() { 'y' } else { 'n' });
        assert_eq!(String::from_iter(letters), expected, "{answers:?}");
        let words = answers[2].as_ref().unwrap_or_else(|refusal| refusal);
        assert_eq!(words, said);
    }

    #[test]
    fn each_path_wants_its_role() {
        let standby = Some(Role::Standby);
        check(
            sign(true, Some(Role::Primary), None),
            1,
            None,
            "yny",
            "is primary",
        );
        check(sign(true, standby, None), 1, None, "nyy", "is standby");
        check(
            sign(false, Some(Role::Starting), None),
            1,
            None,
            "nnn",
            "is starting",
        );
        check(
            sign(false, Some(Role::Stopping), None),
            1,
            None,
            "nnn",
            "is stopping",
        );
        check(
            sign(true, None, None),
            1,
            None,
            "nnn",
            "does not say what it is",
        );
        check(sign(false, None, None), 1, None, "nnn", "is down");
        check(None, 0, None, "nnn", "has not been heard of yet");
        let old = "has not been heard of for 3 s";
        check(sign(true, Some(Role::Primary), None), 3, None, "nnn", old);
    }

    #[test]
    fn a_standby_may_lag_as_far_as_is_asked_and_must_know() {
        let behind = sign(true, Some(Role::Standby), Some((9.0, 2048.0)));
        let said = "is standby, 9.0 s and 2048 bytes behind";
        for (limit, expected) in [
            ("10s", "nyy"),
            ("8s", "nnn"),
            ("2048", "nyy"),
            ("2kB", "nnn"),
            ("1MiB", "nyy"),
        ] {
            check(behind, 1, Some(limit), expected, said);
        }
        let unknown = "is standby, and how far it lags behind is not known";
        check(
            sign(true, Some(Role::Standby), None),
            1,
            Some("10s"),
            "nnn",
            unknown,
        );
        let primary = sign(true, Some(Role::Primary), None);
        check(primary, 1, Some("10s"), "yny", "is primary");
        assert!(Limit::parse("soon").unwrap_err().contains("`lag=soon`"));
    }
}
