//! From the store to its snapshot.

use std::collections::HashMap;
use std::io::{self, Write};

use super::parts::{put, put_text, put_time};
use super::section::write_section;
use super::{MAGIC, VERSION};
use crate::sample::{Labels, Source, Sources, Timestamp};
use crate::store::Store;
use crate::store::shelf::{Mark, Piece, Slice};

pub(super) fn write(store: &Store, to: &mut impl Write, now: Timestamp) -> io::Result<()> {
    to.write_all(&MAGIC)?;
    to.write_all(&VERSION.to_le_bytes())?;
    write_section(to, b'H', &header(store, now))?;
    let (mut told, mut mark, mut count) = (Told::default(), Mark::default(), 0);
    loop {
        let slice = store.read().shelf.slice(mark);
        if slice.series.is_empty() {
            break;
        }
        mark = slice.end;
        count += slice.series.len() as u64;
        write_section(to, b'S', &told.slice(&slice))?;
    }
    let successes = store.read().successes.clone();
    write_section(to, b'L', &told.successes(&successes))?;
    let mut end = Vec::new();
    put(&mut end, count);
    write_section(to, b'E', &end)
}

fn header(store: &Store, now: Timestamp) -> Vec<u8> {
    let mut header = Vec::new();
    put_time(&mut header, now);
    put_time(&mut header, store.covers_since());
    let oldest = store.read().shelf.oldest();
    put_time(&mut header, oldest.unwrap_or(now));
    header
}

/// Texts and sets of sources that were told, by number; and those that the section at hand is the first to name.
#[derive(Default)]
struct Told {
    texts: HashMap<Box<str>, u64>,
    sources: HashMap<Sources, u64>,
    new_texts: News,
    new_sources: News,
}

/// What a section tells before it names it.
#[derive(Default)]
struct News {
    count: u64,
    bytes: Vec<u8>,
}

impl Told {
    fn slice(&mut self, slice: &Slice) -> Vec<u8> {
        let mut body = Vec::new();
        put(&mut body, slice.series.len() as u64);
        for (labels, sources, pieces) in &slice.series {
            self.put_labels(&mut body, labels);
            let sources = self.sources(sources);
            put(&mut body, sources);
            put(&mut body, *pieces as u64);
        }
        slice
            .pieces
            .iter()
            .for_each(|piece| put_piece(&mut body, piece));
        body.extend_from_slice(&slice.bytes);
        self.section(&body)
    }

    fn successes(&mut self, successes: &HashMap<Source, Timestamp>) -> Vec<u8> {
        let mut body = Vec::new();
        put(&mut body, successes.len() as u64);
        for (source, at) in successes {
            self.put_source(&mut body, source);
            put_time(&mut body, *at);
        }
        self.section(&body)
    }

    /// The section of a body, with what has to be told before it.
    fn section(&mut self, body: &[u8]) -> Vec<u8> {
        let mut section = Vec::with_capacity(body.len() + 1024);
        for news in [&mut self.new_texts, &mut self.new_sources] {
            put(&mut section, news.count);
            section.append(&mut news.bytes);
            news.count = 0;
        }
        section.extend_from_slice(body);
        section
    }

    fn put_labels(&mut self, bytes: &mut Vec<u8>, labels: &Labels) {
        put(bytes, labels.len() as u64);
        for text in labels.iter().flat_map(|(name, value)| [name, value]) {
            put(bytes, self.text(text));
        }
    }

    fn put_source(&mut self, bytes: &mut Vec<u8>, source: &Source) {
        for text in [&source.server, &source.database, &source.collector] {
            put(bytes, self.text(text));
        }
    }

    fn text(&mut self, text: &str) -> u64 {
        if let Some(number) = self.texts.get(text) {
            return *number;
        }
        put_text(&mut self.new_texts.bytes, text);
        self.new_texts.count += 1;
        let number = self.texts.len() as u64;
        self.texts.insert(text.into(), number);
        number
    }

    fn sources(&mut self, sources: &Sources) -> u64 {
        if let Some(number) = self.sources.get(sources) {
            return *number;
        }
        let mut set = Vec::new();
        put(&mut set, sources.iter().count() as u64);
        for source in sources.iter() {
            self.put_source(&mut set, source);
        }
        self.new_sources.bytes.append(&mut set);
        self.new_sources.count += 1;
        let number = self.sources.len() as u64;
        self.sources.insert(sources.clone(), number);
        number
    }
}

fn put_piece(bytes: &mut Vec<u8>, piece: &Piece) {
    put_time(bytes, piece.start);
    put(bytes, u64::from(piece.span));
    bytes.push(piece.count);
    put(bytes, piece.length as u64);
}
