//! A message as a mail: headers that keep the thread together, a text part first, then HTML.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart};
use lettre::{Message as Mail, error::Error};
use maud::{DOCTYPE, Markup, html};

use super::{Settings, evidence};
use crate::incident::Evidence;
use crate::notify::message::{Incident, Message};
use crate::notify::words;

/// Between what there is in short and each incident.
const RULE: &str = "----------------------------------------";

/// More incidents than this are counted, not shown.
const MOST_INCIDENTS: usize = 50;

/// A Message-ID made from the first incident's id, and what tells this mail from others about it.
pub(super) fn message_id(message: &Message, distinction: &str, settings: &Settings) -> String {
    let incident = message
        .incidents
        .first()
        .map_or("none", |incident| &incident.id);
    format!("<{incident}{distinction}@{}>", settings.from.email.domain())
}

/// The mail to all of a receiver's mailboxes, in the thread whose first mail is `thread`.
pub(super) fn mail(
    message: &Message,
    thread: &str,
    settings: &Settings,
    list: &str,
) -> Result<Mail, Error> {
    let sent = UNIX_EPOCH + Duration::from_millis(message.at.0.max(0) as u64);
    let mut mail = Mail::builder()
        .from(settings.from.clone())
        .date(sent)
        .subject(message.subject.clone());
    for to in &settings.to {
        mail = mail.to(Mailbox::clone(to));
    }
    mail = if message.thread.is_empty() {
        mail.message_id(Some(thread.to_owned()))
    } else {
        let own = message_id(message, &format!(".{}", message.at.0), settings);
        mail.message_id(Some(own))
            .in_reply_to(thread.to_owned())
            .references(thread.to_owned())
    };
    let domain = settings.from.email.domain();
    let firing = message.incidents.iter().any(|incident| !incident.resolved);
    let state = if firing { "firing" } else { "resolved" };
    let ids = message
        .incidents
        .iter()
        .take(MOST_INCIDENTS)
        .map(|incident| incident.id.as_str());
    let ids: Vec<&str> = ids.collect();
    let severity = message
        .incidents
        .first()
        .map(|incident| incident.severity.clone());
    let headers = [
        ("Auto-Submitted", "auto-generated".to_owned()),
        // Keeps answering machines quiet.
        ("Precedence", "bulk".to_owned()),
        ("List-Id", format!("<{}.{domain}>", label(list))),
        ("X-Pgvigil-State", state.to_owned()),
        ("X-Pgvigil-Severity", severity.unwrap_or_default()),
        ("X-Pgvigil-Incident", ids.join(" ")),
    ];
    for (name, value) in headers {
        mail = with_header(mail, name, &value);
    }
    mail.multipart(MultiPart::alternative_plain_html(
        text(message),
        page(message).into_string(),
    ))
}

fn with_header(mail: MessageBuilder, name: &'static str, value: &str) -> MessageBuilder {
    let value = words::one_line(value);
    if value.is_empty() {
        return mail;
    }
    let name = HeaderName::new_from_ascii_str(name);
    mail.raw_header(HeaderValue::new(name, value))
}

/// A receiver's name as one label of a domain name.
fn label(list: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    list.chars().map(plain).collect()
}

fn text(message: &Message) -> String {
    let mut text = String::new();
    if !message.standing.is_empty() {
        text.push_str(&format!("{}\n\n", message.standing));
    }
    if message.incidents.len() > 1 {
        text.push_str(&format!("{}\n\n", message.headline));
        for incident in message.incidents.iter().take(MOST_INCIDENTS) {
            text.push_str(&format!("- {}\n", contents(incident)));
        }
        text.push_str(&format!("\n{RULE}\n\n"));
    }
    let tables = message.evidence();
    let shown = message.incidents.iter().zip(&tables);
    for (incident, found) in shown.take(MOST_INCIDENTS) {
        text.push_str(&text_of(incident));
        for found in found {
            text.push_str(&evidence::text(found));
        }
        text.push('\n');
    }
    let more = message.incidents.len().saturating_sub(MOST_INCIDENTS);
    if more > 0 {
        text.push_str(&format!("… and {more} more\n\n"));
    }
    if !message.page.is_empty() {
        text.push_str(&format!("Status page: {}\n", message.page));
    }
    text
}

fn text_of(incident: &Incident) -> String {
    let mut text = incident.headline();
    if !incident.severity.is_empty() {
        text.push_str(&format!(" ({})", incident.severity));
    }
    text.push('\n');
    for part in [&incident.summary, &incident.description] {
        if !part.is_empty() {
            text.push_str(&format!("\n{part}\n"));
        }
    }
    text.push('\n');
    let id = ("Incident".to_owned(), incident.id.clone());
    let facts = || incident.facts.iter().chain([&id]);
    let width = facts().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    for (name, value) in facts() {
        text.push_str(&format!("{:width$}{value}\n", format!("{name}:")));
    }
    if !incident.silence.is_empty() {
        let link = &incident.silence;
        text.push_str(&format!("\nSilence or acknowledge: {link}\n"));
    }
    text
}

/// One incident in a line: how bad, what, where, and in short why.
fn contents(incident: &Incident) -> String {
    let severity = match incident.severity.as_str() {
        "" => String::new(),
        severity => format!(" ({severity})"),
    };
    let said = match incident.summary.as_str() {
        "" => String::new(),
        summary => format!(": {}", words::cut(&words::one_line(summary), 100)),
    };
    format!("{}{severity}{said}", incident.headline())
}

fn page(message: &Message) -> Markup {
    let tables = message.evidence();
    let shown = message.incidents.iter().zip(&tables);
    let more = message.incidents.len().saturating_sub(MOST_INCIDENTS);
    html! {
        (DOCTYPE)
        html {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width"; }
            body style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.4;color:#1b1f24;margin:0;padding:12px;overflow-wrap:anywhere" {
                @if !message.standing.is_empty() { p { strong { (message.standing) } } }
                @if message.incidents.len() > 1 {
                    p { strong { (message.headline) } }
                    ul style="margin:0 0 18px;padding:0 0 0 18px" {
                        @for incident in message.incidents.iter().take(MOST_INCIDENTS) { li { (prose(&contents(incident))) } }
                    }
                }
                @for (incident, found) in shown.take(MOST_INCIDENTS) {
                    (page_of(incident, found, &message.page))
                }
                @if more > 0 { p { "… and " (more) " more" } }
                @if !message.page.is_empty() { p { a href=(message.page) { "Status page" } } }
            }
        }
    }
}

fn page_of(incident: &Incident, tables: &[&Evidence], page: &str) -> Markup {
    let colour = match (incident.resolved, incident.severity.as_str()) {
        (true, _) => "#1a7f37",
        (false, "critical") => "#cf222e",
        (false, _) => "#bc6c00",
    };
    html! {
        div style={"border-left:4px solid " (colour) ";padding:2px 0 2px 12px;margin:0 0 18px"} {
            p style={"margin:0 0 6px;font-weight:600;color:" (colour)} {
                (incident.headline())
                @if !incident.severity.is_empty() { " (" (incident.severity) ")" }
            }
            @for part in [&incident.summary, &incident.description] {
                @if !part.is_empty() { p style="margin:0 0 6px;white-space:pre-line" { (prose(part)) } }
            }
            table style="border-collapse:collapse;font-size:13px;width:100%" {
                @for (name, value) in &incident.facts { (row(name, value)) }
                (row("Incident", &incident.id))
            }
            @if !incident.silence.is_empty() {
                p style="margin:6px 0 0" { a href=(incident.silence) { "Silence or acknowledge" } }
            }
            @for found in tables { (evidence::page(found, page)) }
        }
    }
}

fn row(name: &str, value: &str) -> Markup {
    let is_link = value.starts_with("https://") || value.starts_with("http://");
    html! {
        tr {
            td style="padding:1px 12px 1px 0;color:#57606a;vertical-align:top;white-space:nowrap" { (name) }
            td style="padding:1px 0;width:100%;word-break:break-word;overflow-wrap:anywhere" {
                @if is_link { a href=(value) { (value) } } @else { (prose(value)) }
            }
        }
    }
}

/// A text for people in which words between backticks are what a machine reads.
fn prose(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

#[cfg(test)]
mod tests;
