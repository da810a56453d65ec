//! A base backup written to a pipe: one tar archive with everything in it, the manifest last.

use std::collections::HashMap;
use std::io::{self, Read};

use super::manifest::Manifest;
use super::tapes::summed_after;
use super::wal::Inside;
use super::{
    Awaited, CONTROL, LABEL, MANIFEST, summed, take_control, take_label, take_manifest, wrong_sum,
};
use crate::backup::Kind;
use crate::backup::inspect::Verdict;
use crate::backup::inspect::halt::{half_written, unknowable};
use crate::backup::inspect::input::head;
use crate::backup::inspect::sum::{Algorithm, Sum};

/// The members so far.
#[derive(Default)]
pub(in crate::backup::inspect) struct Loose {
    /// Size and CRC-32C, for what the manifest promises is not known before the end.
    seen: HashMap<Box<str>, (u64, Box<str>)>,
    inside: Inside,
    manifest: Option<Manifest>,
}

/// More members cannot be judged in bounded memory.
const MOST_MEMBERS: usize = 2_000_000;

impl Loose {
    pub(in crate::backup::inspect) fn take(
        &mut self,
        path: &str,
        bytes: u64,
        content: &mut dyn Read,
        verdict: &mut Verdict,
    ) -> io::Result<()> {
        verdict.kind = Kind::Full;
        if path == MANIFEST {
            let manifest = Manifest::read(content)?;
            take_manifest(&manifest, verdict);
            self.manifest = Some(manifest);
            return Ok(());
        }
        if let Some(below) = path.strip_prefix("pg_wal/") {
            self.inside.take(below, bytes);
            return Ok(());
        }
        let start = head(&mut &mut *content, 4096)?;
        match path {
            LABEL => take_label(start.as_slice(), verdict)?,
            CONTROL => take_control(&start, verdict),
            _ => {}
        }
        let sum = summed_after(Sum::begin(Algorithm::Crc32c), &start, content)?;
        self.seen.insert(path.into(), (bytes, sum.hex().into()));
        if self.seen.len() > MOST_MEMBERS {
            return Err(unknowable("holds more files than can be judged"));
        }
        Ok(())
    }

    /// Holds the members against the manifest; whether every byte agrees with a checksum.
    pub(in crate::backup::inspect) fn judge(self, verdict: &mut Verdict) -> io::Result<bool> {
        verdict.format = verdict
            .format
            .replacen("tar archive", "base backup in a tar archive", 1);
        let Some(manifest) = self.manifest else {
            return Err(half_written(
                "has no `backup_manifest`, which is written last: the backup was interrupted",
            ));
        };
        let needed = manifest.wal.clone();
        let mut awaited = Awaited::of(manifest);
        for (path, (bytes, seen)) in &self.seen {
            match awaited.take(path, *bytes)?.and_then(|promise| promise.sum) {
                Some((Algorithm::Crc32c, expected)) if !expected.eq_ignore_ascii_case(seen) => {
                    return Err(wrong_sum(path));
                }
                Some((Algorithm::Crc32c, _)) => {}
                Some(_) => awaited.has_unsummed = true,
                None => {}
            }
        }
        awaited.judge()?;
        self.inside.judge(&needed, verdict)?;
        Ok(summed(awaited.has_unsummed, verdict))
    }
}
