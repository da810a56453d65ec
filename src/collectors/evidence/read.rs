//! The format of an evidence query's file: the keys of a collector as far as they have a meaning here, and its own.

use std::sync::Arc;
use std::time::Duration;

use super::{EvidenceQuery, LONGEST};
use crate::collectors::read;
use crate::collectors::{Cadence, Collector};
use crate::document::Section;
use crate::server::{Kind, Lane};

/// More rows than this nobody reads in a message.
const MOST_ROWS: usize = 50;

/// Reads one file's root mapping.
pub(in crate::collectors) fn evidence_query(s: &mut Section) -> EvidenceQuery {
    let reads = Collector {
        name: s
            .required_text("name", "the query's name in annotations, settings and logs")
            .into(),
        doc: s.required_text("doc", "what its rows show, one sentence"),
        kind: {
            s.choice(
                "kind",
                &["evidence"],
                "evidence",
                "What makes it evidence and no collector.",
            );
            Kind::PostgreSql
        },
        scope: read::scope(
            s,
            "Read once, or in the database that the alert names with `datname`.",
        ),
        interval: Cadence::Times(1),
        timeout: Some(timeout(s)),
        lifetime: 1,
        lane: Lane::Visit,
        on: read::on(s),
        extension: read::extension(s),
        privilege: read::optional_privilege(s),
        enabled: true,
        alias: false,
        top: None,
        lookup: None,
        queries: read::queries(s),
        pivot: None,
        metrics: Vec::new(),
    };
    let query = EvidenceQuery {
        title: s.text("title", "", "A heading for the rows; `doc` when not given."),
        rows: rows(s),
        statements: {
            let doc = "Columns with the text of statements, which is shown as `servers[].evidence.query_text` says.";
            let columns = s.texts("statements", doc);
            columns.iter().map(|name| name.as_str().into()).collect()
        },
        reads: Arc::new(reads),
    };
    read::check_conditions(&query.reads, s);
    EvidenceQuery {
        title: match query.title.as_str() {
            "" => query.reads.doc.clone(),
            _ => query.title,
        },
        ..query
    }
}

fn timeout(s: &mut Section) -> Duration {
    let doc = "The most its statement may take; no more than 2s, for people wait for it.";
    let timeout = s.duration("timeout", "2s", doc);
    if timeout > LONGEST {
        s.problem(
            "timeout",
            "must be no more than 2s",
            Some("who is told of an incident waits no longer for evidence"),
        );
    }
    timeout.min(LONGEST)
}

fn rows(s: &mut Section) -> usize {
    let doc = "The most rows that are shown, in the statement's order; the others are counted.";
    let rows = s.parsed("rows", "whole number", "15", doc, |text| {
        match text.parse() {
            Ok(rows) if (1..=MOST_ROWS).contains(&rows) => Ok(rows),
            _ => Err(format!(
                "`{text}` is no number of rows; write 1 to {MOST_ROWS}"
            )),
        }
    });
    rows.unwrap_or(1)
}
