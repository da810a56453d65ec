//! The files of a directory dump or a tar dump, taken in any order and then held against the table of contents.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, BufReader, Read};

use super::archive::{Archive, Content, Contents, Entry, Shape};
use super::halt::{corrupt, half_written, unknowable};
use super::text::Text;
use super::wrapper::Wrapper;
use super::{Table, Verdict};

/// What was seen of the files so far.
#[derive(Default)]
pub(super) struct Members {
    contents: Option<Contents>,
    /// Data files by their name without the compression's ending.
    data: HashMap<String, Text>,
    /// Large objects that have a file.
    large_objects: HashSet<u64>,
    /// Large objects that should have one, by the list that says so.
    lists: HashMap<String, Vec<u64>>,
}

/// Lists name each large object on a line; what is beyond cannot be judged in bounded memory.
const MOST_LARGE_OBJECTS: usize = 5_000_000;

impl Members {
    /// Whether the table of contents has been seen.
    pub(super) fn has_contents(&self) -> bool {
        self.contents.is_some()
    }

    /// Whether there are files of a dump, by their names: those of its tables have numbers.
    pub(super) fn has_parts(&self) -> bool {
        let mut stems = self
            .data
            .keys()
            .filter_map(|stem| stem.strip_suffix(".dat"));
        let has_table = stems.any(|stem| stem.parse::<u32>().is_ok());
        has_table || self.has_contents() || !self.large_objects.is_empty()
    }

    /// Takes one file by its name and reads it to its end.
    pub(super) fn take<'r>(
        &mut self,
        name: &str,
        content: impl Read + 'r,
        verdict: &mut Verdict,
    ) -> io::Result<()> {
        let mut content = BufReader::with_capacity(64 << 10, content);
        let wrapper = Wrapper::by_ending(name);
        let stem = wrapper
            .and_then(|_| name.rsplit_once('.'))
            .map_or(name, |(stem, _)| stem);
        if name == "toc.dat" {
            return self.take_contents(content, verdict);
        }
        if name.starts_with("blobs") && name.ends_with(".toc") {
            self.lists.insert(name.into(), list(content)?);
            return Ok(());
        }
        if !stem.ends_with(".dat") {
            return io::copy(&mut content, &mut io::sink()).map(|_| ());
        }
        let text = match wrapper {
            Some(wrapper) => Text::read(wrapper.open(content)?),
            None => Text::read(content),
        }?;
        match large_object(stem) {
            Some(id) => {
                verdict.uncompressed_bytes += text.bytes;
                self.large_objects.insert(id);
            }
            None => {
                self.data.insert(stem.into(), text);
            }
        }
        Ok(())
    }

    fn take_contents(&mut self, content: impl BufRead, verdict: &mut Verdict) -> io::Result<()> {
        if self.contents.is_some() {
            return Err(unknowable("holds more than one dump"));
        }
        let (mut archive, _) = Archive::open(content, Shape::Files, verdict)?;
        self.contents = Some(archive.contents(Shape::Files, None, verdict)?);
        archive.finish("its table of contents")
    }

    /// Holds what was seen against the table of contents.
    pub(super) fn judge(self, verdict: &mut Verdict) -> io::Result<()> {
        let Some(contents) = &self.contents else {
            return Err(half_written(
                "has no `toc.dat`: the dump was interrupted, or its files were lost",
            ));
        };
        for entry in contents.data.iter().filter(|entry| !entry.file.is_empty()) {
            match entry.content {
                Content::LargeObjects => self.judge_large_objects(entry)?,
                _ => self.judge_data(entry, verdict)?,
            }
        }
        let listed: usize = self.lists.values().map(Vec::len).sum();
        if listed < contents.large_objects {
            let lost = contents.large_objects - listed;
            return Err(half_written(format!(
                "lacks {lost} large objects that its table of contents knows"
            )));
        }
        Ok(())
    }

    fn judge_data(&self, entry: &Entry, verdict: &mut Verdict) -> io::Result<()> {
        let text = self
            .data
            .get(&entry.file)
            .ok_or_else(|| missing(&entry.file, entry))?;
        verdict.uncompressed_bytes += text.bytes;
        if entry.content == Content::Rows {
            verdict.tables.push(Table {
                schema: entry.schema.clone(),
                name: entry.name.clone(),
                rows: text.rows(&entry.title())?,
            });
        }
        Ok(())
    }

    fn judge_large_objects(&self, entry: &Entry) -> io::Result<()> {
        // A tar archive's table of contents names a file that is called otherwise.
        let names = [
            entry.file.clone(),
            format!("blobs_{}.toc", entry.id),
            "blobs.toc".into(),
        ];
        let list = names.iter().find_map(|name| self.lists.get(name));
        // Without large objects there is no entry for them: a list is never empty.
        let list = list
            .filter(|list| !list.is_empty())
            .ok_or_else(|| missing(&names[0], entry))?;
        match list.iter().find(|id| !self.large_objects.contains(id)) {
            Some(id) => Err(missing(&format!("blob_{id}.dat"), entry)),
            None => Ok(()),
        }
    }
}

fn missing(file: &str, entry: &Entry) -> io::Error {
    half_written(format!(
        "lacks the file `{file}` with the data of `{}`",
        entry.title()
    ))
}

/// The number in `blob_NUMBER.dat`.
fn large_object(file: &str) -> Option<u64> {
    file.strip_prefix("blob_")?
        .strip_suffix(".dat")?
        .parse()
        .ok()
}

fn list(content: impl BufRead) -> io::Result<Vec<u64>> {
    let mut ids = Vec::new();
    for line in content.take(64 << 20).split(b'\n') {
        let line = line?;
        let file = std::str::from_utf8(&line)
            .ok()
            .and_then(|line| line.split_once(' '));
        let id = file.and_then(|(_, file)| large_object(file));
        ids.push(id.ok_or_else(|| corrupt("has a damaged list of large objects"))?);
        if ids.len() > MOST_LARGE_OBJECTS {
            return Err(unknowable("holds more large objects than can be judged"));
        }
    }
    Ok(ids)
}
