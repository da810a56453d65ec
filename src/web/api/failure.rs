//! Why a request has no data: Prometheus' types of error, with their codes.

use axum::http::StatusCode;

use crate::promql::ParseError;

/// The type of an error, as `errorType` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A parameter is missing or cannot be read.
    BadData,
    /// The expression has no value.
    Execution,
    /// It took too long, in the queue or by itself.
    Timeout,
    /// Whoever asked has gone.
    Canceled,
    /// The fault is ours.
    Internal,
}

/// Why there is no data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) message: String,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::BadData => "bad_data",
            Kind::Execution => "execution",
            Kind::Timeout => "timeout",
            Kind::Canceled => "canceled",
            Kind::Internal => "internal",
        }
    }

    pub(super) fn status(self) -> StatusCode {
        match self {
            Kind::BadData => StatusCode::BAD_REQUEST,
            Kind::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Timeout | Kind::Canceled => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Failure {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Failure {
        let message = message.into();
        Failure { kind, message }
    }

    pub(super) fn bad_data(message: impl Into<String>) -> Failure {
        Failure::new(Kind::BadData, message)
    }

    /// What is wrong is a parameter, which the message names.
    pub(super) fn of(parameter: &str, message: impl std::fmt::Display) -> Failure {
        Failure::bad_data(format!("invalid parameter \"{parameter}\": {message}"))
    }
}

/// A mistake in an expression with its place, as Prometheus puts it: `1:5: parse error: …`.
pub(super) fn placed(text: &str, error: &ParseError) -> String {
    let place = error.position.and_then(|at| text.get(..at)).map(|before| {
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        format!("{line}:{column}")
    });
    let place = place.as_deref().unwrap_or("unknown position");
    format!("{place}: parse error: {}", error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_placed_by_line_and_column() {
        let error = |position| ParseError {
            message: "no".into(),
            position,
        };
        assert_eq!(placed("a +\n  )", &error(Some(6))), "2:3: parse error: no");
        assert_eq!(placed("(", &error(Some(0))), "1:1: parse error: no");
        let nowhere = "unknown position: parse error: no";
        assert_eq!(placed("(", &error(None)), nowhere);
    }
}
