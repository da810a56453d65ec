//! The format of a collector's file, key by key with its meaning.

mod check;
mod metric;

pub(super) use self::check::check_conditions;
use self::check::{check_collector, check_name, check_parameters};
use super::{Cadence, Collector, Lookup, Needs, Pivot, Privilege, Query, Role, Scope, Top};
use crate::document::{Section, parse_duration};
use crate::server::{Kind, Lane};

/// Reads one file's root mapping.
pub(super) fn collector(s: &mut Section) -> Collector {
    let labels = s.texts(
        "labels",
        "Columns that are labels of every metric, unless it names its own.",
    );
    let collector = Collector {
        name: s
            .required_text("name", "the collector's name in settings, logs and labels")
            .into(),
        doc: s.required_text("doc", "what the collector watches, one sentence"),
        kind: one_of(
            s,
            "kind",
            [
                ("postgresql", Kind::PostgreSql),
                ("pgbouncer", Kind::PgBouncer),
                // Such a file is read as an evidence query and does not come here; the word is for who misspells it.
                ("evidence", Kind::PostgreSql),
            ],
            "What it reads: `servers`, or the consoles of `pgbouncers`; `evidence` makes it an evidence query, see below.",
        ),
        scope: scope(s, "Read once per server, or in every database."),
        interval: interval(s),
        timeout: s.optional_duration(
            "timeout",
            "The most its statement may take; default `collect.timeout`.",
        ),
        lifetime: lifetime(s),
        lane: one_of(
            s,
            "lane",
            [
                ("quick", Lane::Held),
                ("slow", Lane::Visit),
                ("plain", Lane::Plain),
            ],
            "`slow` keeps it off the connection that is always held; `plain` also off pgvigil's start-up options, which hide the server's own settings.",
        ),
        on: on(s),
        extension: extension(s),
        privilege: optional_privilege(s),
        enabled: s.flag(
            "enabled",
            true,
            "Whether it runs without being named in `collect.enable`.",
        ),
        alias: s.flag(
            "alias",
            false,
            "Whether all it gives are older names, so that it runs only with `collect.aliases`.",
        ),
        top: s.optional_section(
            "top",
            "Which rows are shown when there are more than there is room for; without it the first ones.",
            |s| top(&labels, s),
        ),
        lookup: s.optional_section(
            "lookup",
            "For what is read once for each value that another collector shows.",
            lookup,
        ),
        queries: queries(s),
        pivot: s.optional_section(
            "pivot",
            "For an answer with a name and a value in each row: takes it as one row, with a column for each name.",
            pivot,
        ),
        metrics: {
            let metrics = s.map(
                "metrics",
                "What the columns are, by metric name.",
                |name, s| metric::metrics(name, &labels, s),
            );
            metrics.into_iter().flat_map(|(_, parts)| parts).collect()
        },
    };
    check_name(&collector.name, s);
    check_collector(&collector, s);
    collector
}

/// Where it is read.
pub(super) fn scope(s: &mut Section, doc: &str) -> Scope {
    let choices = [("server", Scope::Server), ("database", Scope::Database)];
    one_of(s, "scope", choices, doc)
}

/// The role that a server must play.
pub(super) fn on(s: &mut Section) -> Role {
    let choices = [
        ("any", Role::Any),
        ("primary", Role::Primary),
        ("standby", Role::Standby),
    ];
    one_of(s, "on", choices, "The servers on which it makes sense.")
}

/// The extension that it needs.
pub(super) fn extension(s: &mut Section) -> Option<String> {
    s.optional_text(
        "extension",
        "An extension without which there is nothing to read.",
    )
}

/// What it needs to be granted.
pub(super) fn optional_privilege(s: &mut Section) -> Option<Privilege> {
    let doc = "What must be granted, or the answer would be denied, empty or wrong.";
    s.optional_section("privilege", doc, privilege)
}

/// Its statements.
pub(super) fn queries(s: &mut Section) -> Vec<Query> {
    s.list("queries", "Its statements by major version.", query)
}

/// One of several words, each with what it stands for; the first is the default.
fn one_of<T: Copy, const N: usize>(
    s: &mut Section,
    key: &str,
    choices: [(&str, T); N],
    doc: &str,
) -> T {
    let chosen = s.choice(key, &choices.map(|(word, _)| word), choices[0].0, doc);
    let found = choices.iter().find(|(word, _)| *word == chosen);
    found.map_or(choices[0].1, |(_, meaning)| *meaning)
}

fn interval(s: &mut Section) -> Cadence {
    let doc = "How often it is read: `4x` is four times `collect.interval`.";
    let read = s.parsed("interval", "multiple or duration", "1x", doc, cadence);
    read.unwrap_or(Cadence::Times(1))
}

fn cadence(text: &str) -> Result<Cadence, String> {
    let wrong = || {
        format!(
            "`{text}` is no interval; write `4x` for four times `collect.interval`, or a duration such as `5m`"
        )
    };
    match text.strip_suffix('x').and_then(|times| times.parse().ok()) {
        Some(times) if times > 0 => Ok(Cadence::Times(times)),
        _ => match parse_duration(text) {
            Ok(interval) if !interval.is_zero() => Ok(Cadence::Every(interval)),
            _ => Err(wrong()),
        },
    }
}

fn lifetime(s: &mut Section) -> u32 {
    let doc = "How many intervals its last samples outlive a failure.";
    let read = s.parsed("lifetime", "whole number", "3", doc, |text| {
        match text.parse() {
            Ok(intervals) if intervals > 0 => Ok(intervals),
            _ => Err(format!(
                "`{text}` is no number of intervals; write 1 or more"
            )),
        }
    });
    read.unwrap_or(1)
}

fn privilege(s: &mut Section) -> Privilege {
    let role = s.optional_text(
        "role",
        "A role whose privileges it needs, such as `pg_read_all_stats`.",
    );
    let function = s.optional_text(
        "function",
        "A function of pg_catalog that not everybody may call, such as `pg_hba_file_rules()`.",
    );
    let rights = s.optional_text(
        "rights",
        "Rights as they are granted, such as `SELECT ON TABLE t`; `{schema}` stands for every schema of the database.",
    );
    let needs = match (role, function, rights) {
        (Some(role), None, None) => Needs::Role(role),
        (None, Some(function), None) => {
            Needs::Function(format!("EXECUTE ON FUNCTION pg_catalog.{function}"))
        }
        (None, None, Some(rights)) => Needs::Rights(rights),
        _ => {
            s.problem("", "needs one of `role`, `function` and `rights`", None);
            Needs::Role(String::new())
        }
    };
    Privilege {
        needs,
        missing: s.optional_text(
            "missing",
            "A column that names the rights where they are missing and the rest of the answer would be silently empty.",
        ),
        reason: s.required_text("reason", "what is missing without it"),
    }
}

fn pivot(s: &mut Section) -> Pivot {
    Pivot {
        names: s.required_text("names", "the column of the names").into(),
        values: s.required_text("values", "the column of the values").into(),
    }
}

fn lookup(s: &mut Section) -> Lookup {
    Lookup {
        of: s
            .required_text("of", "the collector that shows the values")
            .into(),
        label: s
            .required_text("label", "the label whose values are looked up")
            .into(),
    }
}

fn top(labels: &[String], s: &mut Section) -> Top {
    let by = s.texts(
        "by",
        "Columns whose largest values are shown, each with an equal share of the room.",
    );
    if by.is_empty() {
        s.problem("by", "must name a column", None);
    }
    let rows = s.parsed(
        "rows",
        "whole number",
        "",
        "The most rows that are shown, unless `collect.max_series` is 0.",
        |text| match text.parse() {
            Ok(rows) if rows > 0 => Ok(rows),
            _ => Err(format!("`{text}` is no number of rows; write 1 or more")),
        },
    );
    if labels.is_empty() {
        let hint = Some("list the columns that its metrics have in common in `labels`");
        s.problem("", "needs labels that tell one row from another", hint);
    }
    Top {
        by: by.iter().map(|column| column.as_str().into()).collect(),
        rows,
        labels: labels.iter().map(|label| label.as_str().into()).collect(),
    }
}

fn query(s: &mut Section) -> Query {
    let query = Query {
        since: version(s, "since", "13", "The first major version.").unwrap_or_default(),
        until: version(s, "until", "", "The last major version."),
        extension: s.parsed(
            "extension",
            "version",
            "",
            "The first version of the extension it is for; of several the latest that is installed counts.",
            str::parse,
        ),
        sql: s
            .required_text("sql", "the statement")
            .trim()
            .trim_end_matches(';')
            .to_owned(),
    };
    if query.until.is_some_and(|until| until < query.since) {
        s.problem("until", "ends before it begins", None);
    }
    check_parameters(&query.sql, s);
    query
}

fn version(s: &mut Section, key: &str, default: &str, doc: &str) -> Option<u32> {
    s.parsed(key, "major version", default, doc, |text| {
        let number = match text.split_once('.') {
            // PgBouncer 1.18 is 118 here; the next after 1.9 is 1.10.
            Some((first, second)) => first
                .parse::<u32>()
                .ok()
                .zip(second.parse::<u32>().ok())
                .map(|(first, second)| first * 100 + second),
            None => text.parse().ok(),
        };
        number.ok_or_else(|| {
            format!("`{text}` is no major version, such as 15, or 1.18 of PgBouncer")
        })
    })
}
