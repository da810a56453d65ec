//! A report in words for a terminal.

use std::fmt::Write as _;

use super::{Outcome, Phase, Report};

/// How the drill ended on the first line, then, indented, what it showed.
pub fn words(report: &Report) -> String {
    let mut text = format!("{}: {}\n", report.source, judgement(report));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<9} {value}");
    };
    if !report.backup.is_empty() {
        let kind = report.kind.map(|kind| format!(" ({})", kind.label()));
        let kind = kind.unwrap_or_default();
        line("backup", &format!("{}{kind}", report.backup));
    }
    if let Some(point) = report.recovery_point {
        line("data of", &point.rfc3339()[..19]);
    }
    if let Some(major) = report.major {
        line("by", &format!("PostgreSQL {major}"));
    }
    if let Some(is_alone) = report.is_alone {
        let words = if is_alone {
            "none: what was restored could reach nothing"
        } else {
            "not taken away, which this machine does not let us: what was restored could reach others"
        };
        line("network", words);
    }
    if report.restored_bytes > 0 {
        line("restored", &format!("{} bytes", report.restored_bytes));
    }
    if let Some(age) = report.data_age {
        line(
            "age",
            &format!("the newest row is {age:.0} s older than that"),
        );
    }
    let spent = Phase::ALL.iter().filter_map(|phase| {
        Some(format!(
            "{} {:.1} s",
            phase.label(),
            report.phases.get(phase)?
        ))
    });
    let spent: Vec<String> = spent.collect();
    line(
        "took",
        &format!(
            "{:.1} s ({})",
            report.recovery_time().as_secs_f64(),
            spent.join(", ")
        ),
    );
    for check in &report.checks {
        let mark = match check.holds {
            Some(true) => "holds",
            Some(false) => "FAILS",
            None => "unknown",
        };
        line(mark, &format!("{}: {}", check.name, check.found));
    }
    text
}

fn judgement(report: &Report) -> String {
    match &report.outcome {
        Outcome::Restored => "restored, and all that was asserted holds".into(),
        Outcome::Failed(why) => format!("FAILED: {why}"),
        Outcome::Impossible(why) => format!("not possible here: {why}"),
    }
}
