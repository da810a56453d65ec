//! `pgvigil silence`: makes, lists and ends silences, and acknowledges incidents, at a running server.

mod reach;
mod table;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::{Answer, Client, Trouble};
use crate::config::Flags;
use crate::document::parse_duration;
use crate::incident::Matcher;
use crate::sample::Timestamp;

/// What to do with silences.
#[derive(Subcommand)]
pub(super) enum Action {
    /// Tell nobody of alerts whose labels meet every matcher, for a while
    Add(Add),
    /// Show the silences that hold, and those to come
    List(List),
    /// End silences now
    Expire(Expire),
    /// Say that you look after an incident: it is not repeated, and its end will be told
    Ack(Ack),
}

/// Whom to ask.
#[derive(Args)]
struct Server {
    /// The server to ask, with `user:password@` where it wants that; default $PGVIGIL_URL, else the pgvigil that the
    /// configuration is for
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file with the server's `web.token`; default $PGVIGIL_TOKEN, else the configuration's
    #[arg(long, value_name = "FILE")]
    token_file: Option<std::path::PathBuf>,
}

#[derive(Args)]
pub(super) struct Add {
    /// Such as `severity="warning"` or `instance=~"db-.*"`; a bare word is the alert's name
    #[arg(value_name = "MATCHER", required = true)]
    matchers: Vec<String>,
    /// For how long, such as `30m`, `2h` or `1d`
    #[arg(long = "for", value_name = "DURATION", default_value = "1h", value_parser = span)]
    span: Duration,
    /// Why
    #[arg(long, value_name = "TEXT")]
    comment: String,
    /// Who; default $USER
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct List {
    /// Those that are over, too
    #[arg(long)]
    all: bool,
    /// `table`: for people; `json`: as Alertmanager's API answers
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct Expire {
    /// Their ids, as `list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Args)]
pub(super) struct Ack {
    /// The incident's id, as messages show it, or how it begins
    incident: String,
    /// What you are doing about it
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Who; default $USER
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Exit code 1 when the server does not take what is asked, 2 when it cannot be asked.
pub(super) fn run(flags: &Flags, action: &Action) -> io::Result<ExitCode> {
    let (Action::Add(Add { server, .. })
    | Action::List(List { server, .. })
    | Action::Expire(Expire { server, .. })
    | Action::Ack(Ack { server, .. })) = action;
    let file = server.token_file.as_deref();
    let client = match Client::of(server.url.as_deref(), file, flags) {
        Ok(client) => client,
        Err(Trouble::Configuration(problems)) => return Ok(super::refuse(&problems)),
        Err(trouble) => return Ok(trouble.print()),
    };
    let done = match action {
        Action::Add(options) => add(&client, options),
        Action::List(options) => list(&client, options),
        Action::Expire(options) => expire(&client, options),
        Action::Ack(options) => acknowledge(&client, options),
    };
    match done {
        Ok(text) => super::stdout::print(&text).map(|()| ExitCode::SUCCESS),
        Err(trouble) => Ok(trouble.print()),
    }
}

fn add(client: &Client, options: &Add) -> Result<String, Trouble> {
    let matchers = options.matchers.iter().map(|text| matcher(text));
    let matchers = matchers.collect::<Result<Vec<_>, _>>();
    let matchers = matchers.map_err(|said| Trouble::Unable(anyhow::anyhow!(said)))?;
    let now = Timestamp::now();
    let ends = now + options.span;
    let parts: Vec<_> = matchers.iter().map(Matcher::parts).collect();
    let silence = json!({
        "matchers": parts,
        "startsAt": now.rfc3339(),
        "endsAt": ends.rfc3339(),
        "createdBy": author(options.by.as_deref()),
        "comment": options.comment,
    });
    let answer = client.json("api/v2/silences", &silence)?;
    let told: Value = answer.data()?;
    let id = told["silenceID"].as_str().unwrap_or_default();
    eprintln!("{}", reach::told(client, &matchers, ends));
    Ok(format!("{id}\n"))
}

fn list(client: &Client, options: &List) -> Result<String, Trouble> {
    let answer = client.get("api/v2/silences")?;
    let mut silences: Vec<Value> = answer.data()?;
    silences.retain(|silence| options.all || silence["status"]["state"] != "expired");
    if options.format == Format::Json {
        return Ok(format!("{:#}\n", Value::from(silences)));
    }
    if silences.is_empty() {
        eprintln!("there is no silence");
    }
    Ok(table::text(&silences))
}

fn expire(client: &Client, options: &Expire) -> Result<String, Trouble> {
    for id in &options.ids {
        client.delete(&format!("api/v2/silence/{id}"))?;
    }
    Ok(String::new())
}

fn acknowledge(client: &Client, options: &Ack) -> Result<String, Trouble> {
    let by = author(options.by.as_deref());
    let form = [
        ("incident", options.incident.as_str()),
        ("by", &by),
        ("comment", &options.comment),
    ];
    let Answer { text, .. } = client.form("-/acknowledge", &form)?;
    Ok(text)
}

/// A bare word is the alert's name, as with amtool.
fn matcher(text: &str) -> Result<Matcher, String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !text.is_empty() && text.chars().all(is_word) {
        return Ok(Matcher::equal("alertname", text));
    }
    Matcher::parse(text)
}

fn author(given: Option<&str>) -> String {
    let user = ["USER", "LOGNAME"].into_iter();
    let mut user = user.filter_map(|name| std::env::var(name).ok());
    let given = given.map(str::to_owned).or_else(|| user.next());
    given.unwrap_or_else(|| "pgvigil silence".into())
}

fn span(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(span) if span.is_zero() => Err("must be longer than nothing".into()),
        read => read,
    }
}
