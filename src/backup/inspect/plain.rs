//! A plain dump: SQL text that must *end* as pg_dump ends, for a row may hold the closing line's words.

use std::io::{self, BufRead};

use super::halt::{corrupt, half_written};
use super::text::Rows;
use super::{Proof, Table, Verdict};

const BANNER: &str = "-- PostgreSQL database dump";
const CLUSTER_BANNER: &str = "-- PostgreSQL database cluster dump";

/// Whether these first bytes are those of a plain dump.
pub(super) fn is_plain(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.lines()
        .any(|line| line == BANNER || line == CLUSTER_BANNER)
}

/// Whether these are the first bytes of a plain dump, and all there are.
pub(super) fn is_beginning(head: &[u8]) -> bool {
    let begins = |banner: &str| format!("--\n{banner}\n").as_bytes().starts_with(head);
    begins(BANNER) || begins(CLUSTER_BANNER)
}

/// Reads every line.
pub(super) fn read(mut input: impl BufRead, verdict: &mut Verdict) -> io::Result<()> {
    verdict.proof = Proof::Opened;
    let mut dump = Dump::default();
    let mut line = Line::default();
    while line.read(&mut input)? {
        verdict.uncompressed_bytes += line.length;
        dump.take(&line, verdict)?;
    }
    dump.judge()?;
    verdict.is_globals = dump.is_cluster && !dump.connects;
    Ok(())
}

/// The start of one line: all that has to be known of it.
#[derive(Default)]
struct Line {
    start: Vec<u8>,
    length: u64,
    tabs: u64,
}

const LONGEST_START: usize = 1024;

impl Line {
    fn read(&mut self, input: &mut impl BufRead) -> io::Result<bool> {
        self.start.clear();
        (self.length, self.tabs) = (0, 0);
        loop {
            let piece = match input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let newline = piece.iter().position(|byte| *byte == b'\n');
            let text = &piece[..newline.unwrap_or(piece.len())];
            if text.contains(&0) {
                return Err(corrupt("has a hole of zero bytes in its text"));
            }
            self.tabs += text.iter().filter(|byte| **byte == b'\t').count() as u64;
            let room = LONGEST_START
                .saturating_sub(self.start.len())
                .min(text.len());
            self.start.extend_from_slice(&text[..room]);
            let used = text.len() + usize::from(newline.is_some());
            let ended = newline.is_some() || used == 0;
            input.consume(used);
            self.length += used as u64;
            if ended {
                return Ok(self.length > 0);
            }
        }
    }
}

/// What the lines so far add up to.
#[derive(Default)]
struct Dump {
    is_cluster: bool,
    /// It goes into databases, and not only into what all of them share.
    connects: bool,
    inside: Inside,
    /// The token that `\restrict` gave and `\unrestrict` has not yet taken back.
    restricted: Option<String>,
    closing: Closing,
    table: Option<Table>,
    rows: Rows,
}

/// Where in the text a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Inside {
    #[default]
    Statements,
    /// After a comment that announces a table's rows, so many lines ago.
    Announcement(u8),
    Rows,
}

/// How many of the closing lines have just been seen: `--`, the footer, `--`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Closing {
    #[default]
    None,
    Rule,
    Footer,
    Complete,
}

impl Dump {
    fn take(&mut self, line: &Line, verdict: &mut Verdict) -> io::Result<()> {
        if self.inside != Inside::Rows {
            self.take_statement(&String::from_utf8_lossy(&line.start), verdict);
        } else if line.start == b"\\." {
            self.end_rows(verdict)?;
        } else {
            self.rows.add(line.tabs);
        }
        Ok(())
    }

    fn end_rows(&mut self, verdict: &mut Verdict) -> io::Result<()> {
        self.inside = Inside::Statements;
        let rows = std::mem::take(&mut self.rows);
        if let Some(mut table) = self.table.take() {
            table.rows = rows.counted(&table.to_string())?;
            verdict.tables.push(table);
        }
        Ok(())
    }

    fn take_statement(&mut self, line: &str, verdict: &mut Verdict) {
        self.inside = match self.inside {
            _ if line.starts_with("-- Data for Name: ") => Inside::Announcement(0),
            Inside::Announcement(lines)
                if line.starts_with("COPY ") && line.ends_with(" FROM stdin;") =>
            {
                self.table = copied(line);
                if lines == 2 {
                    Inside::Rows
                } else {
                    Inside::Statements
                }
            }
            // A long list of columns is cut off here: the line's start is enough.
            Inside::Announcement(2) if line.starts_with("COPY ") && line.len() >= LONGEST_START => {
                self.table = copied(line);
                Inside::Rows
            }
            Inside::Announcement(lines @ 0..=1) => Inside::Announcement(lines + 1),
            _ => Inside::Statements,
        };
        if let Some((_, owner)) = line
            .strip_prefix("-- Name: ")
            .and_then(|line| line.rsplit_once("; Owner: "))
        {
            verdict.owned_by(owner.split("; Tablespace: ").next().unwrap_or_default());
        }
        if line == CLUSTER_BANNER {
            self.is_cluster = true;
        } else if let Some(version) = line.strip_prefix("-- Dumped from database version ") {
            verdict.server_version.get_or_insert_with(|| version.into());
        } else if let Some(token) = line.strip_prefix("\\restrict ") {
            self.restricted.get_or_insert_with(|| token.into());
        } else if let Some(database) = line.strip_prefix("\\connect ") {
            self.connects = true;
            if self.is_cluster {
                return self.close(line);
            }
            let plain = !database.starts_with(['-', '"']);
            verdict.database = verdict
                .database
                .take()
                .or_else(|| plain.then(|| database.into()));
        }
        self.close(line);
    }

    fn close(&mut self, line: &str) {
        let token = line.strip_prefix("\\unrestrict ");
        if token.is_some() && self.restricted.as_deref() == token {
            self.restricted = None;
            return;
        }
        let footer = if self.is_cluster {
            CLUSTER_BANNER
        } else {
            BANNER
        };
        self.closing = match (self.closing, line) {
            (closing, "") => closing,
            (Closing::Footer, "--") => Closing::Complete,
            (_, "--") => Closing::Rule,
            (Closing::Rule, _) if line.strip_suffix(" complete") == Some(footer) => Closing::Footer,
            _ => Closing::None,
        };
    }

    fn judge(&self) -> io::Result<()> {
        if self.inside == Inside::Rows {
            let table = self.table.as_ref();
            let table = table.map_or("a table".into(), |table| format!("`{table}`"));
            return Err(half_written(format!(
                "stops in the rows of {table}: the dump was interrupted or cut"
            )));
        }
        if self.closing != Closing::Complete {
            return Err(half_written(
                "does not end with pg_dump's closing lines: the dump was interrupted or cut",
            ));
        }
        if self.restricted.is_some() {
            return Err(half_written(
                "does not end with the `\\unrestrict` line that its head calls for",
            ));
        }
        Ok(())
    }
}

/// The table of a COPY statement, without rows yet.
fn copied(line: &str) -> Option<Table> {
    let rest = line.strip_prefix("COPY ")?;
    let (schema, rest) = identifier(rest)?;
    let (name, _) = identifier(rest.strip_prefix('.')?)?;
    Some(Table {
        schema,
        name,
        rows: 0,
    })
}

/// A quoted or bare identifier and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['.', ' ', '('])?;
        return Some((text[..end].into(), &text[end..]));
    };
    let (mut name, mut rest) = (String::new(), quoted);
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, rest)),
        }
    }
}
