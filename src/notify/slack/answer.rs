//! What a method of Slack's Web API answers. It says 200 to nearly everything, and what is wrong in a word.

use std::time::Duration;

use serde::Deserialize;

use crate::notify::failure::{Failure, Kind};
use crate::notify::http::Answer;
use crate::notify::secrets::Secrets;
use crate::notify::words;

/// What passes.
const TEMPORARY: [&str; 9] = [
    "ratelimited",
    "rate_limited",
    "message_limit_exceeded",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
    "external_channel_migrating",
];

/// What may be the fault of the blocks; plain text has none.
const MALFORMED: [&str; 7] = [
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "msg_too_long",
    "invalid_attachments",
    "invalid_arguments",
    "invalid_json",
];

/// What is said of a message that is no longer there, or no longer ours to change.
const GONE: [&str; 6] = [
    "message_not_found",
    "thread_not_found",
    "cant_update_message",
    "edit_window_closed",
    "cannot_reply_to_message",
    "invalid_thread_ts",
];

/// What a method answered.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// The message stands there.
    Taken(Posted),
    /// It may be taken as plain text.
    Malformed(Failure),
    /// The message that it was about is gone.
    Gone(Failure),
    /// It was not taken.
    Failed(Failure),
}

/// Where a message stands.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Posted {
    /// The channel's id.
    pub(super) channel: String,
    /// The message's, in its channel.
    pub(super) ts: String,
}

#[derive(Deserialize)]
struct Body {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    needed: String,
}

/// Reads an answer.
pub(super) fn verdict(answer: &Answer, secrets: &Secrets) -> Verdict {
    if !answer.status.is_success() {
        let refusal = answer.refusal().without(secrets);
        let mut failure = refusal.failure();
        failure.reason = format!("Slack {refusal}");
        return Verdict::Failed(failure);
    }
    match serde_json::from_slice::<Body>(&answer.body) {
        Ok(Body { ok: true, .. }) => match serde_json::from_slice(&answer.body) {
            Ok(posted) => Verdict::Taken(posted),
            Err(_) => strange(),
        },
        Ok(body) => refused(&body, answer.wait, secrets),
        Err(_) => strange(),
    }
}

/// A proxy or a portal, perhaps.
fn strange() -> Verdict {
    let reason =
        "the answer is none of Slack's; check `api_url`, and what stands between here and there";
    Verdict::Failed(Failure::temporary(reason))
}

fn refused(body: &Body, wait: Option<Duration>, secrets: &Secrets) -> Verdict {
    let error = words::cut(&words::one_line(&secrets.hide(&body.error)), 100);
    let word = body.error.as_str();
    let mut reason = format!("Slack answered `{error}`{}", way_out(word));
    if !body.needed.is_empty() {
        let needed = words::one_line(&secrets.hide(&body.needed));
        reason.push_str(&format!(" (needed: {})", words::cut(&needed, 100)));
    }
    if TEMPORARY.contains(&word) {
        let kind = Kind::Temporary(wait);
        return Verdict::Failed(Failure { reason, kind });
    }
    let failure = Failure::permanent(reason);
    if MALFORMED.contains(&word) {
        Verdict::Malformed(failure)
    } else if GONE.contains(&word) {
        Verdict::Gone(failure)
    } else {
        Verdict::Failed(failure)
    }
}

fn way_out(error: &str) -> &'static str {
    match error {
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            "; the token does not hold any more: install the app again and set `bot_token`"
        }
        "missing_scope" | "not_allowed_token_type" | "no_permission" => {
            "; give the app the scope `chat:write`, install it again and set `bot_token`"
        }
        "channel_not_found" => {
            "; `channel` must be the id of a channel, and the bot must be invited to a private one"
        }
        "not_in_channel" => "; write `/invite @NAME-OF-THE-APP` in the channel",
        "is_archived" => "; the channel is archived: set another `channel`",
        "restricted_action" | "access_denied" | "team_access_not_granted" => {
            "; the workspace does not allow it: ask who administers it"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn check(status: u16, body: &str) -> String {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            wait: Some(Duration::from_secs(7)),
            body: body.into(),
        };
        match verdict(&answer, &Secrets::of("xoxb-hunter2")) {
            Verdict::Taken(posted) => format!("taken {} {}", posted.channel, posted.ts),
            Verdict::Malformed(_) => "malformed".into(),
            Verdict::Gone(_) => "gone".into(),
            Verdict::Failed(failure) => format!("{:?} {}", failure.kind, failure.reason),
        }
    }

    #[test]
    fn an_answer_says_whether_trying_again_can_help() {
        let passes = "Temporary(Some(7s)) Slack answered";
        let cases = [
            (
                200,
                r#"{"ok":true,"channel":"C1","ts":"1.2","message":{}}"#,
                "taken C1 1.2",
            ),
            (
                200,
                r#"{"ok":false,"error":"ratelimited"}"#,
                &format!("{passes} `ratelimited`"),
            ),
            (
                429,
                r#"{"ok":false,"error":"ratelimited"}"#,
                &format!("{passes} 429"),
            ),
            (503, "", &format!("{passes} 503")),
            (
                200,
                r#"{"ok":false,"error":"fatal_error"}"#,
                &format!("{passes} `fatal_error`"),
            ),
            (200, r#"{"ok":false,"error":"invalid_blocks"}"#, "malformed"),
            (200, r#"{"ok":false,"error":"message_not_found"}"#, "gone"),
            (
                200,
                r#"{"ok":false,"error":"invalid_auth"}"#,
                "Permanent Slack answered `invalid_auth`; the token",
            ),
            (
                200,
                r#"{"ok":false,"error":"bad xoxb-hunter2"}"#,
                "Permanent Slack answered `bad <secret>`",
            ),
            (
                200,
                r#"{"ok":true}"#,
                "Temporary(None) the answer is none of Slack's",
            ),
            (
                200,
                "<html>log in first</html>",
                "Temporary(None) the answer is none of Slack's",
            ),
            (
                302,
                "",
                "Permanent Slack answered 302; redirects are not followed",
            ),
        ];
        for (status, body, expected) in cases {
            let said = check(status, body);
            assert!(said.starts_with(expected), "{said}\nis not {expected}");
        }
    }
}
