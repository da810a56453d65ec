//! An account of backups as a table of 80 columns: for people and for the mails of cron.

use super::told::{Alert, Drill, Line, Source, Told};
use crate::backup::Outcome;
use crate::backup::drill::Kept;
use crate::cli::query::harmless;
use crate::words;

/// No line is longer, but where a single word is.
const WIDTH: usize = 80;

/// What a colour says.
#[derive(Clone, Copy)]
enum Paint {
    Good,
    Bad,
    Unsure,
    Heading,
}

struct Page {
    text: String,
    coloured: bool,
}

/// Moments are in UTC.
pub(super) fn text(account: &Told, kept: &[Kept], coloured: bool) -> String {
    let mut page = Page {
        text: String::new(),
        coloured,
    };
    page.heading(&format!(
        "{:<18}{:<12}{:<10}{:<11}{:<10}{}",
        "BACKUPS", "AGE", "PROMISED", "SIZE", "PROOF", "RECOVERY POINT"
    ));
    for source in &account.sources {
        page.source(source, account);
    }
    if !account.alerts.is_empty() {
        page.heading("\nALERTS");
    }
    for alert in &account.alerts {
        page.alert(alert, account);
    }
    page.heading(&format!(
        "\n{:<18}{:<12}{:<13}{}",
        "DRILLS", "RESULT", "WHEN", "RECOVERY TIME"
    ));
    for source in &account.sources {
        page.drill(source, account);
    }
    for kept in kept {
        page.wrapped(2, &kept.words(account.at));
    }
    page.heading("\nCHECKLIST");
    if let Some(complaint) = &account.complaint {
        page.wrapped(2, complaint);
    }
    let mut group = "";
    for line in &account.checklist {
        if line.group != group {
            group = &line.group;
            page.line(group);
        }
        page.checked(line);
    }
    page.summary(account);
    if let Some(unjudged) = &account.unjudged {
        page.wrapped(0, unjudged);
    }
    page.text
}

impl Page {
    fn source(&mut self, source: &Source, account: &Told) {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".into());
        let age = source
            .newest_moment
            .map(|moment| words::span(account.at.since(moment)));
        let point = source
            .recovery_point
            .map(|at| words::moment(at, account.at));
        let row = format!(
            "{:<18}{:<12}{:<10}{:<11}{:<10}{}",
            short(&source.name, 17),
            or_none(age),
            words::span(source.promises.every()),
            or_none(source.newest_bytes.map(words::bytes)),
            harmless(source.newest_proof.as_deref().unwrap_or("none")),
            or_none(point),
        );
        self.line(&row);
        if let Some(newest) = &source.newest {
            self.wrapped(2, &format!("newest: {newest}"));
        }
        for problem in &source.problems {
            self.noted(Paint::Bad, "bad", problem);
        }
        for doubt in &source.doubts {
            self.noted(Paint::Unsure, "cannot tell", doubt);
        }
    }

    fn alert(&mut self, alert: &Alert, account: &Told) {
        let since = words::moment(alert.since, account.at);
        let (name, severity) = (&alert.name, &alert.severity);
        let text = format!("{name}, {severity}, since {since}: {}", alert.summary);
        self.noted(Paint::Bad, "fires", &text);
    }

    fn drill(&mut self, source: &Source, account: &Told) {
        let name = short(&source.name, 17);
        let mut drills = account.drills.iter();
        let Some(Drill {
            outcome,
            finished,
            recovery_seconds,
            ..
        }) = drills.find(|drill| drill.source == source.name)
        else {
            return self.line(&format!("{name:<18}never"));
        };
        let (paint, word, why) = match outcome {
            Outcome::Restored => (Paint::Good, "restored", None),
            Outcome::Failed(why) => (Paint::Bad, "failed", Some(why)),
            Outcome::Impossible(why) => (Paint::Unsure, "impossible", Some(why)),
        };
        let word = self.painted(paint, &format!("{word:<12}"));
        let when = words::moment(*finished, account.at);
        let took = words::seconds(*recovery_seconds);
        self.line(&format!("{name:<18}{word}{when:<13}{took}"));
        if let Some(why) = why {
            self.wrapped(2, why);
        }
    }

    fn checked(&mut self, line: &Line) {
        let paint = match (line.is_ticked(), line.optional) {
            (true, _) => Paint::Good,
            (false, true) => Paint::Unsure,
            (false, false) => Paint::Bad,
        };
        let optional = if line.optional { " (optional)" } else { "" };
        let word = self.painted(paint, &format!("{:<9}", harmless(&line.standing)));
        self.begun(2, 12, &word, &format!("{}{optional}", line.title));
        for sentence in line.missing.iter().chain(&line.evidence) {
            self.wrapped(12, sentence);
        }
        if !line.way.is_empty() {
            self.wrapped(12, &format!("-> {}", line.way));
        }
    }

    fn summary(&mut self, account: &Told) {
        let (paint, said) = match account.standing.as_str() {
            "good" => (Paint::Good, "all is well with the backups"),
            "unknown" => (Paint::Unsure, "it cannot be told whether all is well"),
            _ => (Paint::Bad, "something is bad"),
        };
        let said = self.painted(paint, said);
        let open = account.checklist.iter().filter(|line| line.is_open());
        let lines = match open.count() {
            0 => "every line of the checklist is ticked".to_owned(),
            1 => "1 line of the checklist is not ticked".to_owned(),
            count => format!("{count} lines of the checklist are not ticked"),
        };
        self.line(&format!("\n{said}; {lines}"));
    }

    fn noted(&mut self, paint: Paint, word: &str, text: &str) {
        let word = self.painted(paint, &format!("{word}:"));
        self.begun(2, 4, &word, text);
    }

    fn heading(&mut self, text: &str) {
        let text = self.painted(Paint::Heading, text);
        self.line(&text);
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn wrapped(&mut self, indent: usize, text: &str) {
        self.begun(indent, indent + 2, "", text);
    }

    /// Text after a word that may be painted; further lines are indented on their own.
    fn begun(&mut self, first: usize, then: usize, word: &str, text: &str) {
        let mut line = " ".repeat(first);
        let mut width = first;
        let text = harmless(text);
        if !word.is_empty() {
            line.push_str(word);
            width += seen(word);
        }
        for part in text.split_whitespace() {
            let length = part.chars().count();
            if width + 1 + length > WIDTH && width > then {
                self.line(&line);
                (line, width) = (" ".repeat(then), then);
            } else if !line.trim().is_empty() {
                line.push(' ');
                width += 1;
            }
            line.push_str(part);
            width += length;
        }
        self.line(&line);
    }

    fn painted(&self, paint: Paint, text: &str) -> String {
        if !self.coloured {
            return text.into();
        }
        let code = match paint {
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Unsure => "33",
            Paint::Heading => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// How wide a text is, without what paints it.
fn seen(text: &str) -> usize {
    let painted = text.split('\u{1b}').skip(1);
    let hidden: usize = painted
        .map(|part| part.find('m').map_or(0, |end| end + 2))
        .sum();
    text.chars().count() - hidden
}

fn short(name: &str, most: usize) -> String {
    let name = harmless(name);
    match name.chars().count() > most {
        true => name.chars().take(most - 1).chain(['…']).collect(),
        false => name,
    }
}
