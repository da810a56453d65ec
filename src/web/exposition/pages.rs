//! The pages in one form: what each source has on them, and how it is put together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::ages::AGE;
use super::form::Form;
use super::piece::{Beginning, Piece};
use super::sheet::{Block, Rows, Sheet, fingerprint};
use crate::sample::{Family, Sample, Source};

/// Small families are put together until they take this many bytes.
const RUN: usize = 16 * 1024;

/// What every source last read, written in one form.
#[derive(Debug)]
pub(super) struct Pages {
    form: Form,
    sheets: BTreeMap<Source, Sheet>,
    /// The runs of small families on the last pages, by server and text.
    runs: HashMap<Option<Arc<str>>, Runs>,
}

type Runs = HashMap<u64, Piece>;

impl Pages {
    /// Nothing is written yet.
    pub(super) fn new(form: Form) -> Self {
        Pages {
            form,
            sheets: BTreeMap::new(),
            runs: HashMap::new(),
        }
    }

    /// Writes what has been read since the last time, and nothing else.
    pub(super) fn update(&mut self, current: Vec<(Source, Arc<[Sample]>)>) {
        let mut last = std::mem::take(&mut self.sheets);
        for (source, samples) in current {
            let sheet = match last.remove(&source) {
                Some(sheet) if sheet.shows(&samples) => sheet,
                known => Sheet::write(samples, self.form, known.as_ref()),
            };
            self.sheets.insert(source, sheet);
        }
    }

    /// Puts the page together, of one server where it is named: every family once, in order of its name. Where two
    /// sources disagree about a family the first one's type and HELP hold for both.
    pub(super) fn page(&mut self, server: Option<&Arc<str>>) -> Beginning {
        let mut families: BTreeMap<&str, Vec<&Block>> = BTreeMap::new();
        let wanted = self.sheets.iter();
        let wanted = wanted.filter(|(source, _)| server.is_none_or(|name| source.server == *name));
        for block in wanted.flat_map(|(_, sheet)| &sheet.blocks) {
            if *block.family.name != *AGE.name {
                families.entry(&block.family.name).or_default().push(block);
            }
        }
        let names: BTreeSet<&str> = families.keys().copied().collect();
        let runs = self.runs.entry(server.cloned()).or_default();
        let mut page = Assembly::new(self.form, runs);
        for blocks in families.values() {
            page.add(&blocks[0].family, blocks, &names);
        }
        let (pieces, kept) = page.end();
        *runs = kept;
        Beginning::of(pieces, self.form.gzip)
    }
}

/// A page that is being put together.
struct Assembly<'r> {
    form: Form,
    pieces: Vec<Piece>,
    run: String,
    last: &'r Runs,
    runs: Runs,
}

impl<'r> Assembly<'r> {
    fn new(form: Form, last: &'r Runs) -> Self {
        Assembly {
            form,
            pieces: Vec::new(),
            run: String::with_capacity(RUN * 2),
            last,
            runs: Runs::new(),
        }
    }

    fn add(&mut self, family: &Family, blocks: &[&Block], names: &BTreeSet<&str>) {
        self.form.write_head(&mut self.run, family, names);
        for block in blocks {
            match &block.rows {
                Rows::Few(text) => self.run.push_str(text),
                Rows::Many { piece, .. } => {
                    self.end_run();
                    self.pieces.push(piece.clone());
                }
            }
        }
        if self.run.len() >= RUN {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        if self.run.is_empty() {
            return;
        }
        let print = fingerprint(&self.run);
        let known = self.last.get(&print).cloned();
        let piece = known.unwrap_or_else(|| Piece::of(&self.run, self.form.gzip));
        self.pieces.push(piece.clone());
        self.runs.insert(print, piece);
        self.run.clear();
    }

    fn end(mut self) -> (Vec<Piece>, Runs) {
        self.end_run();
        (self.pieces, self.runs)
    }
}
