//! Gets an answer: from the tool itself, from a file, from an address. Each within bounds of length and time.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::words;
use super::{Look, Way};
use crate::backup::Obstacle;
use crate::program::{Ended, Program};
use crate::sample::Timestamp;

/// No answer of a sane repository is longer.
const LONGEST: usize = 64 << 20;

/// What was answered, and when, where that was not just now.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) told: Option<Timestamp>,
    /// What the tool said beside it.
    pub(super) said: String,
}

impl Answer {
    /// The JSON in it. A wrapper around the tool may greet before the tool speaks.
    pub(super) fn json(&self) -> Result<Value, String> {
        json(&self.text)
    }
}

/// Reads JSON that begins at the beginning of a line.
pub(super) fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(body(text)?).map_err(|error| error.to_string())
}

/// The text from where JSON begins.
pub(super) fn body(text: &str) -> Result<&str, String> {
    let mut lines = text.split_inclusive('\n');
    let mut begin = 0;
    while let Some(line) = lines.next()
        && !line.trim_start().starts_with(['[', '{'])
    {
        begin += line.len();
    }
    let answer = &text[begin..];
    match (answer.trim(), words::shown(text).as_str()) {
        ("", "") => Err("it is empty".into()),
        ("", said) => Err(format!("it is no JSON: `{said}`")),
        _ => Ok(answer),
    }
}

/// Bytes as text; a long one is not copied unless something in it is none.
fn as_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

pub(super) async fn ask(
    look: &Look<'_>,
    way: &Way,
    arguments: &[&str],
) -> Result<Answer, Obstacle> {
    match way {
        Way::Command(words) => run(look, words, arguments).await,
        Way::File(file) => {
            let (path, until) = (file.clone(), look.until);
            let reading = tokio::task::spawn_blocking(move || read(&path));
            match timeout_at(until, reading).await {
                Ok(Ok(read)) => {
                    read.map_err(|cause| look.unreadable(&format!("`{}`: {cause}", file.display())))
                }
                _ => Err(look.silent()),
            }
        }
        Way::Url(url) => match timeout_at(look.until, fetch(url)).await {
            Ok(fetched) => {
                fetched.map_err(|cause| look.unreadable(&format!("`{}`: {cause}", plain_url(url))))
            }
            Err(_) => Err(look.silent()),
        },
    }
}

async fn run(look: &Look<'_>, words: &[String], arguments: &[&str]) -> Result<Answer, Obstacle> {
    let Some((name, fixed)) = words.split_first() else {
        return Err(Obstacle::ToolMissing(
            String::new(),
            "no program is named".into(),
        ));
    };
    let fixed = fixed.iter().map(String::as_str);
    let arguments: Vec<String> = fixed
        .chain(arguments.iter().copied())
        .map(str::to_owned)
        .collect();
    let program = Program {
        name,
        arguments: &arguments,
        hidden: &ours(),
        folder: Some(Path::new("/")),
        longest: LONGEST,
        timeout: look.until.saturating_duration_since(Instant::now()),
        ..Program::default()
    };
    match program.run().await {
        Ended::Exited { is_cut: true, .. } => Err(look.unreadable("it is longer than 64 MiB")),
        Ended::Exited {
            code: Some(0),
            output,
            said,
            ..
        } => Ok(Answer {
            text: as_text(output),
            told: None,
            said,
        }),
        Ended::Exited {
            code, output, said, ..
        } => Err(look.failed(&complaint(code, &String::from_utf8_lossy(&output), &said))),
        Ended::TooLong => Err(look.silent()),
        Ended::NotStarted(cause) => Err(Obstacle::ToolMissing(name.clone(), cause)),
    }
}

/// What a tool that ended badly has to say: as JSON, on its error channel, or where its answer should be.
fn complaint(code: Option<i32>, output: &str, said: &str) -> String {
    let ended = match code {
        Some(code) => format!("it ended with {code}"),
        None => "it was killed by a signal".into(),
    };
    let error = json(output).ok().and_then(|answer| own_error(&answer));
    let said = error.unwrap_or_else(|| match said.trim() {
        "" => words::shown(output),
        said => words::shown(said),
    });
    if said.is_empty() {
        ended
    } else {
        format!("{ended}: {said}")
    }
}

/// What Barman puts into its JSON when it cannot answer.
pub(super) fn own_error(answer: &Value) -> Option<String> {
    let error = answer.get("_ERROR")?;
    let lines = match error {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => vec![other.as_str().unwrap_or("it does not say what is wrong")],
    };
    Some(words::shown(&lines.join("\n")))
}

/// The variables of the environment that configure pgvigil and may hold its passwords.
fn ours() -> Vec<String> {
    let is_ours = |name: &String| {
        name.starts_with("PGVIGIL_")
            || name.starts_with("DATA_SOURCE_")
            || matches!(name.as_str(), "DATABASE_URL" | "PGPASSWORD")
    };
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(is_ours).collect()
}

fn read(path: &Path) -> Result<Answer, String> {
    let words = |error: std::io::Error| error.to_string();
    // What is no plain file, a pipe say, makes its reader wait.
    if !std::fs::metadata(path).map_err(words)?.is_file() {
        return Err("is no plain file".into());
    }
    let file = std::fs::File::open(path).map_err(words)?;
    let modified = file
        .metadata()
        .and_then(|data| data.modified())
        .map_err(words)?;
    let mut bytes = Vec::new();
    let length = file
        .take(LONGEST as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(words)?;
    if length > LONGEST {
        return Err("it is longer than 64 MiB".into());
    }
    let written = modified
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Ok(Answer {
        text: as_text(bytes),
        told: Some(Timestamp(written.as_millis() as i64)),
        said: String::new(),
    })
}

async fn fetch(url: &Url) -> Result<Answer, String> {
    let lost = |error: reqwest::Error| innermost(&error.without_url());
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("pgvigil/", env!("CARGO_PKG_VERSION")))
        .build();
    let mut response = client
        .map_err(lost)?
        .get(url.clone())
        .send()
        .await
        .map_err(lost)?;
    if !response.status().is_success() {
        return Err(format!("answered {}", response.status().as_u16()));
    }
    let told = response.headers().get(reqwest::header::LAST_MODIFIED);
    let told = told.and_then(|text| http_date(text.to_str().ok()?));
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            return Err("it is longer than 64 MiB".into());
        }
    }
    Ok(Answer {
        text: as_text(bytes),
        told,
        said: String::new(),
    })
}

/// A date as HTTP writes it: `Mon, 23 Nov 2026 07:40:15 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let moment = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(Timestamp(moment.timestamp().as_millisecond()))
}

/// An address without what stands behind `?`, where tokens are put.
pub(super) fn plain_url(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_found_behind_a_greeting() {
        for text in [
            "[]",
            "Welcome to db1\nlast login: now\n[]\n",
            "  []",
            "\n\n[]",
        ] {
            assert_eq!(json(text), Ok(Value::Array(vec![])), "{text}");
        }
        for (text, cause) in [
            ("", "it is empty"),
            (" \n\n", "it is empty"),
            (
                "ERROR: [055]: x\nHINT: y\n",
                "it is no JSON: `ERROR: [055]: x; HINT: y`",
            ),
            ("[{", "EOF"),
        ] {
            let error = json(text).unwrap_err();
            assert!(error.starts_with(cause), "{text}: {error}");
        }
    }

    #[test]
    fn a_complaint_is_what_the_tool_says_first() {
        let cases = [
            (
                Some(1),
                r#"{"_ERROR": ["Unknown server 'x'"]}"#,
                "",
                "it ended with 1: Unknown server 'x'",
            ),
            (
                Some(55),
                "",
                "\nERROR: [055]: no\u{1b}[31m file\n  HINT: here\n",
                "it ended with 55: ERROR: [055]: no[31m file; HINT: here",
            ),
            (Some(2), "usage", "", "it ended with 2: usage"),
            (None, "", "", "it was killed by a signal"),
        ];
        for (code, output, said, words) in cases {
            assert_eq!(complaint(code, output, said), words);
        }
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let date = http_date("Mon, 23 Nov 2026 07:40:15 GMT");
        assert_eq!(date, Some(Timestamp(1_795_419_615_000)));
        assert_eq!(http_date("yesterday"), None);
    }
}
