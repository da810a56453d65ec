//! `pgvigil backup attest`: keeps what a person says of a line of the checklist.

use std::io;
use std::process::ExitCode;

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::status;
use super::told::Line;
use crate::backup::{Attestation, Attestations, is_seen, keys, title};
use crate::cli::query::harmless;
use crate::config::Config;
use crate::sample::Timestamp;
use crate::words;

/// Longer names are refused.
const LONGEST_NAME: usize = 100;
/// Longer notes are refused.
const LONGEST_NOTE: usize = 1000;

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// The line's name, such as `contacts-current`
    line: String,
    /// Who says so
    #[arg(long, value_name = "NAME", required_unless_present = "withdraw")]
    by: Option<String>,
    /// What there is to add, such as where the protocol is
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// When it was done, such as `2026-11-29` or `2026-11-29T14:00:00Z`; default now
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// Take back what was said of the line
    #[arg(long, conflicts_with_all = ["note", "at"])]
    withdraw: bool,
}

/// Why something cannot be attested, and the way out.
#[derive(Debug, PartialEq)]
struct Refusal(String, String);

pub(in crate::cli) fn run(config: &Config, options: &Options) -> io::Result<ExitCode> {
    let said = match said(options, Timestamp::now(), &TimeZone::system()) {
        Ok(said) => said,
        Err(Refusal(what, hint)) => return Ok(refuse(&what, &hint)),
    };
    if let Some(Refusal(what, hint)) = refuted(config, &said) {
        return Ok(refuse(&what, &hint));
    }
    let folder = config.state_dir.display();
    if let Err(error) = Attestations::new(&config.state_dir).add(&said) {
        let what = format!("cannot write into the state directory `{folder}`: {error}");
        let hint = "run it as the user that runs pgvigil, or name its folder with `--state-dir`";
        return Ok(refuse(&what, hint));
    }
    super::super::stdout::print(&told(&said))?;
    Ok(ExitCode::SUCCESS)
}

fn refuse(what: &str, hint: &str) -> ExitCode {
    eprintln!("error: {what}\n  hint: {hint}");
    ExitCode::from(2)
}

fn said(options: &Options, now: Timestamp, zone: &TimeZone) -> Result<Attestation, Refusal> {
    let Some((_, rhythm)) = title(&options.line) else {
        return Err(unknown(&options.line));
    };
    let at = match &options.at {
        None => now,
        Some(text) => moment(text, zone).ok_or_else(|| {
            let hint = "write it as `2026-11-29` or `2026-11-29T14:00:00Z`";
            Refusal(format!("`{text}` is no date"), hint.into())
        })?,
    };
    if at > now {
        let what = format!("{} UTC lies ahead", words::clock(at));
        return Err(Refusal(
            what,
            "what is yet to be done cannot be attested".into(),
        ));
    }
    if now.since(at) > rhythm.period() {
        let period = words::span(rhythm.period());
        let what = format!(
            "{} UTC is too long ago: `{}` is due every {period}",
            words::clock(at),
            options.line
        );
        return Err(Refusal(what, "do it again, and attest that".into()));
    }
    let by = options.by.clone().unwrap_or_default();
    for (what, text, longest) in [
        ("name", &by, LONGEST_NAME),
        ("note", &options.note, LONGEST_NOTE),
    ] {
        if text.chars().count() > longest {
            let hint = format!("{longest} characters are enough");
            return Err(Refusal(format!("the {what} is too long"), hint));
        }
    }
    if by.trim().is_empty() && !options.withdraw {
        let hint = "say who attests it, such as `--by 'Monica Geller'`";
        return Err(Refusal("the name is empty".into(), hint.into()));
    }
    Ok(Attestation {
        line: options.line.clone(),
        by,
        note: options.note.clone(),
        at,
        said: now,
        is_withdrawn: options.withdraw,
    })
}

/// What is seen to be otherwise nobody can attest: it would not count.
fn refuted(config: &Config, said: &Attestation) -> Option<Refusal> {
    if said.is_withdrawn || config.backups.is_empty() || !is_seen(&said.line) {
        return None;
    }
    let (_, told) = status::account(config, false, false).ok()?;
    let mut lines = told.checklist.iter();
    against(lines.find(|line| line.line == said.line)?, said.at)
}

fn against(line: &Line, at: Timestamp) -> Option<Refusal> {
    line.refuted.filter(|until| at <= *until)?;
    let missing = harmless(&line.missing.join("; "));
    let what = format!("`{}` is seen to be otherwise: {missing}", line.line);
    let way = harmless(&line.way);
    Some(Refusal(what, format!("mend that first: {way}")))
}

fn unknown(line: &str) -> Refusal {
    let near = keys().min_by_key(|key| strsim::damerau_levenshtein(key, line));
    let near = near.filter(|near| strsim::damerau_levenshtein(near, line) <= 4);
    let all: String = keys().map(|key| format!("\n    {key}")).collect();
    let hint = match near {
        Some(near) => format!("did you mean `{near}`? These are the lines:{all}"),
        None => format!("these are the lines:{all}"),
    };
    Refusal(
        format!("the checklist has no line `{}`", line.escape_debug()),
        hint,
    )
}

/// A day begins at midnight where this machine is.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let millis = |moment: jiff::Timestamp| Timestamp(moment.as_millisecond());
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(millis(moment));
    }
    let midnight = text.parse::<Date>().ok()?.at(0, 0, 0, 0);
    zone.to_timestamp(midnight).ok().map(millis)
}

fn told(said: &Attestation) -> String {
    let Some((title, rhythm)) = title(&said.line) else {
        return String::new();
    };
    if said.is_withdrawn {
        return format!("withdrawn: {title}\n");
    }
    let until = words::clock(said.at + rhythm.period());
    format!("attested: {title}; it counts until {until} UTC\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_438_800_000);

    fn options(line: &str, by: &str, at: Option<&str>) -> Options {
        Options {
            line: line.into(),
            by: Some(by.into()),
            note: String::new(),
            at: at.map(str::to_owned),
            withdraw: false,
        }
    }

    #[test]
    fn what_cannot_be_attested_is_refused_with_the_way_out() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let cases = [
            (
                "contact-curent",
                "m",
                None,
                "no line `contact-curent`",
                "did you mean `contacts-current`?",
            ),
            (
                "\u{1b}[1m",
                "m",
                None,
                "no line `\\u{1b}[1m`",
                "these are the lines:",
            ),
            ("contacts-current", " ", None, "name is empty", "--by"),
            (
                "contacts-current",
                &"m".repeat(101),
                None,
                "name is too long",
                "100",
            ),
            (
                "contacts-current",
                "m",
                Some("yesterday"),
                "`yesterday` is no date",
                "2026-11-29",
            ),
            (
                "contacts-current",
                "m",
                Some("2026-11-24"),
                "23 Nov 2026 23:00:00 UTC lies ahead",
                "yet to be done",
            ),
            (
                "backup-ran",
                "m",
                Some("2026-11-22"),
                "21 Nov 2026 23:00:00 UTC is too long ago",
                "do it again",
            ),
        ];
        for (line, by, at, what, hint) in cases {
            let Refusal(said, out) = said(&options(line, by, at), NOW, &zone).unwrap_err();
            assert!(said.contains(what) && out.contains(hint), "{said} {out}");
        }
        let good = said(
            &options("contacts-current", "m", Some("2026-11-20T10:00:00Z")),
            NOW,
            &zone,
        )
        .unwrap();
        assert_eq!(
            (good.at.rfc3339().as_str(), good.said),
            ("2026-11-20T10:00:00.000Z", NOW)
        );
        assert!(
            told(&good).ends_with("it counts until 20 Feb 2027 10:00:00 UTC\n"),
            "{}",
            told(&good)
        );
    }

    #[test]
    fn what_came_after_it_was_seen_otherwise_can_be_attested() {
        let line = |refuted: &str| -> Line {
            let line = serde_json::json!({
                "line": "logs-reviewed", "group": "Weekly", "title": "", "optional": false, "standing": "unticked",
                "refuted": refuted, "evidence": [], "missing": ["its log has an error: `\u{1b}`"], "way": "read the log",
            });
            serde_json::from_value(line).unwrap()
        };
        let said = against(&line(&NOW.rfc3339()), NOW);
        let what = "`logs-reviewed` is seen to be otherwise: its log has an error: `\\u{1b}`";
        let expected = Refusal(what.into(), "mend that first: read the log".into());
        assert_eq!(said, Some(expected));
        let earlier = NOW.before(std::time::Duration::from_secs(1));
        assert_eq!(against(&line(&earlier.rfc3339()), NOW), None);
    }
}
