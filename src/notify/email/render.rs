//! A message as a mail: headers that keep the thread together, a text part first, then HTML.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart};
use lettre::{Message as Mail, error::Error};
use maud::{DOCTYPE, Markup, html};

use super::Settings;
use crate::incident::Evidence;
use crate::notify::message::{Incident, Message};
use crate::notify::{table, words};

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
    let evidence = message.evidence();
    let shown = message.incidents.iter().zip(&evidence);
    for (incident, evidence) in shown.take(MOST_INCIDENTS) {
        text.push_str(&text_of(incident));
        for found in evidence {
            text.push_str(&text_of_evidence(found));
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

fn text_of_evidence(evidence: &Evidence) -> String {
    let mut text = format!("\n{}\n", heading(evidence));
    let rows = table::rows(evidence);
    if !rows.is_empty() {
        text.push('\n');
    }
    for row in rows {
        for line in row.lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    let remark = table::remark(evidence);
    if !remark.is_empty() {
        text.push_str(&format!("  {remark}\n"));
    }
    text
}

fn heading(evidence: &Evidence) -> String {
    let at = words::moment(evidence.at);
    format!("{} ({}, {at})", evidence.title, evidence.server)
}

fn page(message: &Message) -> Markup {
    let evidence = message.evidence();
    let shown = message.incidents.iter().zip(&evidence);
    let more = message.incidents.len().saturating_sub(MOST_INCIDENTS);
    html! {
        (DOCTYPE)
        html {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width"; }
            body style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.4;color:#1b1f24;margin:0;padding:12px" {
                @if !message.standing.is_empty() { p { strong { (message.standing) } } }
                @if message.incidents.len() > 1 {
                    p { strong { (message.headline) } }
                    ul style="margin:0 0 18px;padding:0 0 0 18px" {
                        @for incident in message.incidents.iter().take(MOST_INCIDENTS) { li { (contents(incident)) } }
                    }
                }
                @for (incident, evidence) in shown.take(MOST_INCIDENTS) {
                    (page_of(incident, evidence, &message.page))
                }
                @if more > 0 { p { "… and " (more) " more" } }
                @if !message.page.is_empty() { p { a href=(message.page) { "Status page" } } }
            }
        }
    }
}

fn page_of(incident: &Incident, evidence: &[&Evidence], page: &str) -> Markup {
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
                @if !part.is_empty() { p style="margin:0 0 6px;white-space:pre-line" { (part) } }
            }
            table style="border-collapse:collapse;font-size:13px" {
                @for (name, value) in &incident.facts { (row(name, value)) }
                (row("Incident", &incident.id))
            }
            @if !incident.silence.is_empty() {
                p style="margin:6px 0 0" { a href=(incident.silence) { "Silence or acknowledge" } }
            }
            @for found in evidence { (page_of_evidence(found, page)) }
        }
    }
}

/// A long last column has a row of its own, so that the others fit on a phone.
fn page_of_evidence(evidence: &Evidence, page: &str) -> Markup {
    let (short, long) = (table::short_columns(evidence), table::long_column(evidence));
    let remark = table::remark(evidence);
    let text = |row: &[String], place: usize| row.get(place).cloned().unwrap_or_default();
    let cell = "padding:1px 10px 1px 0;text-align:left;vertical-align:top;white-space:pre-wrap";
    html! {
        p style="margin:10px 0 2px;font-weight:600;font-size:13px" { (heading(evidence)) }
        @if !evidence.rows.is_empty() {
            div style="overflow-x:auto" {
                table style="border-collapse:collapse;font-size:12px;font-family:ui-monospace,Menlo,Consolas,monospace" {
                    tr {
                        @for place in &short {
                            th style={(cell) ";color:#57606a;font-weight:400"} { (evidence.columns[*place].replace('_', " ")) }
                        }
                    }
                    @for row in &evidence.rows {
                        tr style="border-top:1px solid #d8dee4" {
                            @for place in &short { td style=(cell) { (text(row, *place)) } }
                        }
                        @if let Some(long) = long.map(|place| text(row, place)).filter(|text| !text.is_empty()) {
                            tr {
                                td colspan=(short.len().max(1)) style="padding:0 0 4px 10px;color:#57606a;word-break:break-word" { (long) }
                            }
                        }
                    }
                }
            }
        }
        @if !remark.is_empty() {
            p style="margin:2px 0 6px;font-size:13px" {
                @if evidence.more > 0 && !page.is_empty() { a href=(page) { (remark) } } @else { (remark) }
            }
        }
    }
}

fn row(name: &str, value: &str) -> Markup {
    let is_link = value.starts_with("https://") || value.starts_with("http://");
    html! {
        tr {
            td style="padding:1px 12px 1px 0;color:#57606a;vertical-align:top;white-space:nowrap" { (name) }
            td style="padding:1px 0" { @if is_link { a href=(value) { (value) } } @else { (value) } }
        }
    }
}
