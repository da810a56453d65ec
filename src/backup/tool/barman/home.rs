//! The folder in which Barman keeps a server's backups and WAL, read as it lies there.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::super::field::{history, position, segment_bytes};
use crate::backup::sighting::{Backup, Origin, Sighting};
use crate::backup::wal::Segment;
use crate::backup::{Wal, WalFile, WalName};
use crate::sample::Timestamp;

/// No description of a backup or history of a timeline is longer.
const LONGEST: u64 = 1 << 20;

/// What Barman has written down about one backup.
#[derive(Debug, Default, PartialEq)]
struct Described {
    system: Option<u64>,
    begin: Option<(String, u64)>,
    end: Option<String>,
}

/// Adds what lies in the folder to what was told.
///
/// # Errors
/// Why the WAL cannot be listed.
pub(super) fn complete(home: &Path, server: &str, sighting: &mut Sighting) -> Result<(), String> {
    let home = home.join(server);
    let described: Vec<(usize, Described)> = (sighting.backups.iter().enumerate())
        .filter(|(_, backup)| is_plain(&backup.id))
        .filter_map(|(at, backup)| {
            let file = home.join("base").join(&backup.id).join("backup.info");
            Some((at, describe(&beginning(&file)?)))
        })
        .collect();
    let begins = described.iter().filter_map(|(_, each)| each.begin.as_ref());
    let begins: Vec<(&str, u64)> = begins.map(|(name, at)| (name.as_str(), *at)).collect();
    let bytes = segment_bytes(&begins);
    for (at, each) in &described {
        add(&mut sighting.backups[*at], each, bytes);
    }
    sighting.wal = Some(wal(&home.join("wals"))?);
    Ok(())
}

fn add(backup: &mut Backup, described: &Described, bytes: u64) {
    let begin = described
        .begin
        .as_ref()
        .and_then(|(name, _)| Segment::parse(name, bytes));
    let end = described
        .end
        .as_ref()
        .and_then(|name| Segment::parse(name, bytes));
    backup.wal = begin.zip(end);
    backup.origin = described.system.map(Origin::Cluster);
}

fn describe(text: &str) -> Described {
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let value = lines.find(|(name, _)| *name == key)?.1.trim();
        (value != "None").then_some(value)
    };
    let begin = value("begin_wal").zip(value("begin_xlog").and_then(position));
    Described {
        system: value("systemid").and_then(|text| text.parse().ok()),
        begin: begin.map(|(name, at)| (name.to_owned(), at)),
        end: value("end_wal").map(str::to_owned),
    }
}

/// One folder for each 4 GiB of a timeline; histories lie beside them.
fn wal(folder: &Path) -> Result<Wal, String> {
    let refused = |error: std::io::Error| format!("`{}`: {error}", folder.display());
    let mut wal = Wal::default();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        if entry.file_type().map_err(refused)?.is_dir() {
            for inner in fs::read_dir(entry.path()).map_err(refused)? {
                wal.files.extend(file(&inner.map_err(refused)?));
            }
        } else if let Some(file) = file(&entry) {
            if let WalName::History(timeline) = file.name {
                let text = beginning(&entry.path()).unwrap_or_default();
                wal.histories.extend(history(timeline, &text));
            }
            wal.files.push(file);
        }
    }
    Ok(wal)
}

fn file(entry: &fs::DirEntry) -> Option<WalFile> {
    let (name, _) = WalName::parse(entry.file_name().to_str()?)?;
    // It may be archived elsewhere, and removed, while it is looked at.
    let stand = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    let modified = stand.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(WalFile {
        name,
        bytes: stand.len(),
        modified: Timestamp(i64::try_from(modified.as_millis()).ok()?),
        // Barman compresses a segment under its name.
        is_packed: true,
    })
}

/// A name that leads nowhere else.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn beginning(file: &Path) -> Option<String> {
    if !fs::metadata(file).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs::File::open(file)
        .ok()?
        .take(LONGEST)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::Kind;

    const INFO: &str = "backup_label='START WAL'\nbegin_wal=000000010000000000000003\nbegin_xlog=0/3000028\nend_wal=000000010000000000000004\nend_xlog=0/4000000\nerror=None\nsystemid=7713671941269471687\n";

    #[test]
    fn what_lies_there_completes_what_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("m");
        for (name, text) in [
            ("base/20261129T190700/backup.info", INFO),
            (
                "base/20261129T190800/backup.info",
                "begin_wal=None\nsystemid=None\n",
            ),
            ("secret/backup.info", INFO),
            ("wals/0000000100000000/000000010000000000000003", "x"),
            ("wals/0000000100000000/notes", "x"),
            (
                "wals/00000002.history",
                "1\t0/5000000\tno recovery target specified\n",
            ),
            ("wals/xlog.db", "x"),
        ] {
            let path = home.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let ids = [
            "20261129T190700",
            "20261129T190800",
            "../secret",
            "20261129T190900",
        ];
        let mut sighting = Sighting {
            backups: ids
                .map(|id| Backup::listed(id, Kind::Full, Timestamp(0)))
                .to_vec(),
            ..Sighting::default()
        };
        complete(folder.path(), "m", &mut sighting).unwrap();
        let segment = |number| Segment {
            timeline: 1,
            number,
        };
        let first = &sighting.backups[0];
        assert_eq!(first.wal, Some((segment(3), segment(4))));
        assert_eq!(
            first.origin,
            Some(Origin::Cluster(7_713_671_941_269_471_687))
        );
        assert!(
            sighting.backups[1..]
                .iter()
                .all(|each| each.wal.is_none() && each.origin.is_none())
        );
        let wal = sighting.wal.clone().unwrap();
        let mut names: Vec<String> = wal.files.iter().map(|file| file.name.to_string()).collect();
        names.sort();
        assert_eq!(names, ["000000010000000000000003", "00000002.history"]);
        assert_eq!(
            (wal.histories[0].parent, wal.histories[0].switch),
            (1, 0x0500_0000)
        );
        let refused = complete(folder.path(), "n", &mut sighting).unwrap_err();
        assert!(refused.contains("/n/wals`: No such file"), "{refused}");
    }
}
