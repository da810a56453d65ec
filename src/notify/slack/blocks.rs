//! A message as Slack's blocks, within its limits: whole incidents, then how many more there are.

use serde_json::{Value, json};

use crate::incident::Evidence;
use crate::notify::message::{Incident, Message};
use crate::notify::table;

/// Slack takes 50 blocks; an incident is two, and one says how many more there are.
const MOST_INCIDENTS: usize = 20;

/// Slack takes 3,000 characters in a section; this leaves room for the headline and the marks.
const MOST_TEXT: usize = 1_300;

/// Slack takes more than this in one message, but says nowhere how much.
const MOST_ALL: usize = 30_000;
/// The same for a table with its title and remark.
const MOST_TABLE: usize = 2_400;

/// As many more blocks as fit beside the incidents.
const MOST_TABLES: usize = 8;

/// Slack takes more, but splits or folds long texts.
const MOST_PLAIN: usize = 2_000;

/// The whole message: blocks, and the text that phones and screen readers show instead.
pub(super) fn render(message: &Message) -> Value {
    let (mut blocks, mut tables) = (Vec::new(), MOST_TABLES);
    let (mut shown, mut used) = (0, 0);
    let incidents = message.incidents.iter().zip(message.evidence());
    for (one, found) in incidents.take(MOST_INCIDENTS) {
        let mut one = Vec::from(incident(one));
        let found = found.into_iter().take(tables);
        one.extend(found.map(table));
        let length = |block: &Value| block.to_string().len();
        used += one.iter().map(length).sum::<usize>();
        if shown > 0 && used > MOST_ALL {
            break;
        }
        tables -= one.len() - 2;
        blocks.extend(one);
        shown += 1;
    }
    let more = message.incidents.len() - shown;
    let mut closing = Vec::new();
    if more > 0 {
        closing.push(format!("… and {more} more"));
    }
    if !message.page.is_empty() {
        closing.push(format!(
            "<{}|status page>",
            escape(&message.page, MOST_TEXT)
        ));
    }
    if !closing.is_empty() {
        blocks.push(context(&closing.join("  ·  ")));
    }
    json!({"text": plain(message), "blocks": blocks})
}

/// The message in a few lines of plain text.
pub(super) fn plain(message: &Message) -> String {
    let mut text = escape(&message.headline, 300);
    for (place, incident) in message.incidents.iter().enumerate() {
        let line = match message.incidents.len() {
            1 => escape(&incident.summary, MOST_TEXT),
            _ => escape(
                &format!("{} {}", incident.headline(), incident.summary),
                300,
            ),
        };
        if text.chars().count() + line.chars().count() > MOST_PLAIN {
            text.push_str(&format!("\n… and {} more", message.incidents.len() - place));
            break;
        }
        text.push('\n');
        text.push_str(&line);
    }
    text.trim_end().to_owned()
}

fn incident(incident: &Incident) -> [Value; 2] {
    let sign = match (incident.resolved, incident.severity.as_str()) {
        (true, _) => ":large_green_circle:",
        (false, "critical") => ":red_circle:",
        (false, _) => ":large_orange_circle:",
    };
    let mut text = format!("{sign} *{}*", escape(&incident.headline(), 300));
    for part in [&incident.summary, &incident.description] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&escape(part, MOST_TEXT));
        }
    }
    let facts = incident
        .facts
        .iter()
        .map(|(name, value)| format!("{name}: {}", escape(value, 300)));
    let severity = format!("Severity: {}", escape(&incident.severity, 100));
    let severity = (!incident.severity.is_empty()).then_some(severity);
    let id = format!("Incident: {}", incident.short_id());
    let silence = escape(&incident.silence, MOST_TEXT);
    let silence = (!silence.is_empty()).then(|| format!("<{silence}|silence or acknowledge>"));
    // First, so that no length of the others takes it away.
    let facts = silence.into_iter().chain(severity).chain(facts).chain([id]);
    let facts: Vec<String> = facts.collect();
    let section = json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    [section, context(&joined(&facts))]
}

/// As many as have room in an element of 3,000 characters.
fn joined(facts: &[String]) -> String {
    let mut text = String::new();
    for fact in facts {
        if text.chars().count() + fact.chars().count() > 2_900 {
            break;
        }
        if !text.is_empty() {
            text.push_str("  ·  ");
        }
        text.push_str(fact);
    }
    text
}

/// Evidence as a block of code: whole rows, then how many more there are.
fn table(evidence: &Evidence) -> Value {
    let title = escape(&evidence.title, 300);
    let (rows, mut text) = (table::rows(evidence), String::new());
    let shown = rows.len().saturating_sub(1);
    let mut left_out = evidence.more;
    for (place, row) in rows.iter().enumerate() {
        // What would end the block ends nothing.
        let row = escape(&row.replace("```", "\u{2032}\u{2032}\u{2032}"), MOST_TEXT);
        if text.chars().count() + row.chars().count() > MOST_TABLE {
            left_out += shown - place.saturating_sub(1);
            break;
        }
        text.push_str(&row);
        text.push('\n');
    }
    let code = if text.is_empty() {
        text
    } else {
        format!("\n```{}```", text.trim_end())
    };
    let remark = match (left_out, table::remark(evidence)) {
        (1.., _) => format!("and {left_out} more"),
        (0, remark) => escape(&remark, MOST_TEXT),
    };
    let text = format!("*{title}*{code}\n{remark}");
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text.trim_end()}})
}

fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})
}

/// Slack's three escapes, and at most `limit` characters after them.
pub(super) fn escape(text: &str, limit: usize) -> String {
    let mut escaped = String::new();
    let mut left = limit;
    for c in text.chars() {
        let mut plain = [0; 4];
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            c => c.encode_utf8(&mut plain),
        };
        let length = piece.chars().count();
        if length + 1 > left {
            escaped.push('…');
            break;
        }
        left -= length;
        escaped.push_str(piece);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::{trial, words};
    use crate::sample::Timestamp;

    fn storm(incidents: usize, summary: &str) -> Message {
        let incident = Incident {
            id: "1-1".into(),
            resolved: false,
            state: "FIRING",
            name: "PostgresqlDown".into(),
            place: "rachel".into(),
            severity: "critical".into(),
            summary: summary.into(),
            description: words::cut(summary, 3_000),
            facts: vec![("Labels".into(), summary.into())],
            evidence: Vec::new(),
            told: None,
            silence: String::new(),
            alert: trial::alert(Timestamp(0)),
        };
        Message {
            subject: String::new(),
            thread: String::new(),
            headline: format!("{incidents} firing"),
            standing: String::new(),
            incidents: vec![incident; incidents],
            others: Vec::new(),
            page: "https://pgvigil.example".into(),
            at: Timestamp(0),
        }
    }

    #[test]
    fn the_limits_hold_for_the_worst_message() {
        let many = render(&storm(57, "short"));
        let long = render(&storm(57, &"<&>".repeat(5_000)));
        assert_eq!(many["blocks"].as_array().unwrap().len(), 41);
        let size = long.to_string().len();
        assert!(size < 36_000, "{size}");
        for block in [&many, &long]
            .map(|body| body["blocks"].as_array().unwrap())
            .into_iter()
            .flatten()
        {
            let text = block["text"]["text"].as_str();
            let text = text
                .or_else(|| block["elements"][0]["text"].as_str())
                .unwrap();
            assert!(text.chars().count() <= 3_000, "{}", text.chars().count());
        }
        let last = many["blocks"][40]["elements"][0]["text"].as_str().unwrap();
        assert_eq!(
            last,
            "… and 37 more  ·  <https://pgvigil.example|status page>"
        );
        assert!(long["text"].as_str().unwrap().chars().count() < 2_500);
    }

    #[test]
    fn evidence_is_whole_rows_of_code() {
        let mut message = storm(20, "no answer");
        for (place, incident) in message.incidents.iter_mut().enumerate() {
            let mut evidence = trial::evidence(Timestamp(place as i64));
            let row = vec!["1".into(), "<```>".into(), "2".into(), "x".repeat(300)];
            evidence.rows.extend(vec![row; 48]);
            incident.evidence = vec![evidence];
        }
        let body = render(&message);
        let blocks = body["blocks"].as_array().unwrap();
        assert_eq!(blocks.len(), 49);
        let code = blocks[2]["text"]["text"].as_str().unwrap();
        assert!(code.chars().count() <= 3_000, "{}", code.chars().count());
        assert!(
            code.starts_with("*Who blocks whom*\n```pid     user"),
            "{code}"
        );
        assert_eq!(code.matches("```").count(), 2, "{code}");
        let shown = code.matches("UPDATE").count()
            + code.matches("4243").count()
            + code.matches("xxx…").count();
        assert!(
            code.ends_with(&format!("and {} more", 87 - shown)),
            "{code}"
        );
    }

    #[test]
    fn marks_are_escaped_and_never_cut() {
        assert_eq!(escape("a<b & c>d", 100), "a&lt;b &amp; c&gt;d");
        assert_eq!(escape("<<<", 9), "&lt;&lt;…");
        assert_eq!(escape("abc", 3), "ab…");
    }

    #[test]
    fn the_text_says_it_all_in_short() {
        assert_eq!(plain(&storm(1, "no answer")), "1 firing\nno answer");
        assert!(plain(&storm(57, &"x".repeat(400))).ends_with("… and 51 more"));
    }
}
