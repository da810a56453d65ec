//! A verdict in words for a terminal.

use std::fmt::Write;

use super::{Trouble, Verdict};

/// What was found: the judgement on the first line, then, indented, what the backup says of itself.
pub fn report(verdict: &Verdict) -> String {
    let mut text = judgement(verdict) + "\n";
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<9} {value}");
    };
    line("format", &verdict.format);
    if let Some(database) = &verdict.database {
        line("database", database);
    }
    if let Some(version) = &verdict.server_version {
        line("server", version);
    }
    if let Some(made) = verdict.made {
        let moment = &made.rfc3339()[..19];
        line(
            "begun",
            &format!("{moment} by the clock of the machine that made it"),
        );
    }
    if let Some(began) = verdict.began {
        let clock = if began.is_exact() {
            "UTC"
        } else {
            "by the clock of its server"
        };
        line("begun", &format!("{} {clock}", &began.at().rfc3339()[..19]));
    }
    if let Some((_, newest)) = verdict.written {
        let moment = &newest.rfc3339()[..19];
        // No manifest was read.
        let source = match verdict.proof {
            super::Proof::Listed => "UTC, by its `pg_control`",
            _ => "UTC or later, by its manifest",
        };
        line("ended", &format!("{moment} {source}"));
    }
    if let Some(identifier) = verdict.system_identifier {
        line("cluster", &identifier.to_string());
    }
    if let Some(needed) = verdict.wal {
        let position = |bytes: u64| format!("{:X}/{:X}", bytes >> 32, bytes & 0xffff_ffff);
        let (start, end) = (position(needed.start), position(needed.end));
        // What stopped the reader may have done so before it came to the WAL.
        let place = match verdict.trouble {
            _ if verdict.has_wal => ", inside",
            None | Some(Trouble::WalMissing) => ", not inside",
            Some(_) => "",
        };
        line(
            "needs WAL",
            &format!("{start} to {end} of timeline {}{place}", needed.timeline),
        );
    }
    if verdict.uncompressed_bytes > 0 {
        line(
            "data",
            &format!("{} bytes uncompressed", verdict.uncompressed_bytes),
        );
    }
    for (place, table) in verdict.tables.iter().enumerate() {
        let name = if place == 0 { "rows" } else { "" };
        line(name, &format!("{:>12} {table}", table.rows));
    }
    text
}

fn judgement(verdict: &Verdict) -> String {
    let level = verdict.proof.label();
    match (&verdict.problem, &verdict.remark) {
        (Some(problem), _) => format!("bad: {problem}"),
        (None, Some(remark)) => format!("{level}: {remark}"),
        (None, None) if verdict.proof >= super::Proof::Summed => {
            format!("{level}: complete, and every byte agrees with a checksum")
        }
        (None, None) => format!("{level}: complete; the format has no checksum over all of it"),
    }
}
