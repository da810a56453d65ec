//! Small base backups of every form, made bad in every way.

use std::fs::{create_dir_all, read, remove_dir_all, write};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pgvigil::backup::{Proof, report, verify};

use super::tally::{Dice, Tally};
use crate::harness::Scratch;

pub type Content = Vec<(String, Vec<u8>)>;

pub const WAL: &str = "pg_wal/000000010000000000000004";

/// What a data directory holds, the manifest last.
pub fn content(is_incremental: bool) -> Content {
    begun_in(4, is_incremental)
}

/// The same, begun in the second segment: what the incremental one holds is changed since then.
pub fn parent() -> Content {
    begun_in(2, false)
}

fn begun_in(segment: u32, is_incremental: bool) -> Content {
    let wal = format!("00000001000000000000000{segment}");
    let label = format!(
        "START WAL LOCATION: 0/{segment}00028 (file {wal})\nSTART TIME: 2026-11-23 08:08:15 UTC\nLABEL: x\nSTART TIMELINE: 1\n"
    );
    let since = if is_incremental {
        "INCREMENTAL FROM LSN: 0/200028\n"
    } else {
        ""
    };
    let noise = |seed: u64, length| {
        let mut dice = Dice::new(seed);
        (0..length)
            .map(|_| dice.roll(256) as u8)
            .collect::<Vec<u8>>()
    };
    let relation = if is_incremental {
        "base/1/INCREMENTAL.1259"
    } else {
        "base/1/1259"
    };
    let mut files: Content = vec![
        (
            "backup_label".into(),
            format!("{label}{since}").into_bytes(),
        ),
        ("PG_VERSION".into(), b"18\n".to_vec()),
        (relation.into(), noise(1, 8192)),
        ("base/1/1249".into(), noise(2, 16384)),
        ("base/1/empty".into(), Vec::new()),
        ("pg_xact/0000".into(), noise(3, 700)),
        ("postgresql.auto.conf".into(), b"# none\n".to_vec()),
        ("global/pg_control".into(), noise(4, 8192)),
    ];
    let manifest = manifest(&files, segment);
    // A segment is mostly empty when a small backup is taken.
    let mut content = noise(5, 64 << 10);
    content.resize(1 << 20, 0);
    files.push((format!("pg_wal/{wal}"), content));
    files.push(("backup_manifest".into(), manifest.into_bytes()));
    files
}

fn manifest(files: &Content, segment: u32) -> String {
    let lines = files.iter().map(|(path, content)| {
        let sum: String = crc32c::crc32c(content).to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let size = content.len();
        format!("{{ \"Path\": \"{path}\", \"Size\": {size}, \"Last-Modified\": \"2026-11-23 08:08:12 GMT\", \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"{sum}\" }}")
    });
    let lines = lines.collect::<Vec<_>>().join(",\n");
    let body = format!(
        "{{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": 7711275711161325020,\n\"Files\": [\n{lines}\n],\n\"WAL-Ranges\": [\n{{ \"Timeline\": 1, \"Start-LSN\": \"0/{segment}00028\", \"End-LSN\": \"0/{segment}00120\" }}\n],\n"
    );
    let sum = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
    let sum: String = sum
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{body}\"Manifest-Checksum\": \"{sum}\"}}\n")
}

fn tape(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tape = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        tape.append_data(&mut header, path, content.as_slice())
            .unwrap();
    }
    tape.into_inner().unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The files that lie there, for each form of backup.
fn forms() -> Vec<(&'static str, Content)> {
    let whole = content(false);
    let (inside, wal): (Content, Content) =
        whole.iter().cloned().partition(|(path, _)| path != WAL);
    let wal: Content = wal
        .into_iter()
        .map(|(path, content)| (path.replace("pg_wal/", ""), content))
        .collect();
    let (manifest, base): (Content, Content) = inside
        .into_iter()
        .partition(|(path, _)| path == "backup_manifest");
    let manifest = manifest[0].clone();
    let tapes = |ending: &str, pack: fn(&[u8]) -> Vec<u8>| -> Content {
        vec![
            (format!("base.tar{ending}"), pack(&tape(&base))),
            (format!("pg_wal.tar{ending}"), pack(&tape(&wal))),
            manifest.clone(),
        ]
    };
    vec![
        ("tree", whole.clone()),
        ("incremental tree", content(true)),
        ("tape", tapes("", |bytes| bytes.to_vec())),
        ("tape in gzip", tapes(".gz", gzip)),
        ("piped", vec![("piped.tar".into(), tape(&whole))]),
        (
            "piped in gzip",
            vec![("piped.tar.gz".into(), gzip(&tape(&whole)))],
        ),
    ]
}

pub fn lay(folder: &Path, files: &Content) -> PathBuf {
    if folder.exists() {
        remove_dir_all(folder).unwrap();
    }
    for (path, content) in files {
        let path = folder.join(path);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(path, content).unwrap();
    }
    match files.as_slice() {
        [(only, _)] => folder.join(only),
        _ => folder.into(),
    }
}

/// What of a file's content counts: of tar files the members, of anything else all. Nothing when it cannot be read.
fn essence(path: &str, content: &[u8]) -> Option<Content> {
    let mut plain = Vec::new();
    if path.ends_with(".gz") {
        flate2::read::MultiGzDecoder::new(content)
            .read_to_end(&mut plain)
            .ok()?;
    } else {
        plain = content.to_vec();
    }
    if !path.contains(".tar") {
        return Some(vec![(path.into(), plain)]);
    }
    let mut members = Vec::new();
    for entry in tar::Archive::new(plain.as_slice()).entries().ok()? {
        let mut entry = entry.ok()?;
        let name = entry.path().ok()?.to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).ok()?;
        members.push((name, content));
    }
    Some(members)
}

/// What has no checksum anywhere: WAL, of which the manifest knows nothing, and what may be written after the backup.
fn has_no_sum(path: &str) -> bool {
    path.contains("00000001") || path == "postgresql.auto.conf"
}

/// Whether two contents differ in nothing but what has no checksum.
fn differ_only_without_sum(one: &Content, other: &Content) -> bool {
    let named = |content: &Content| {
        content
            .iter()
            .map(|(path, content)| (path.clone(), content.len()))
            .collect::<Vec<_>>()
    };
    named(one) == named(other)
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| one == other || has_no_sum(&one.0))
}

fn damaged(content: &[u8], path: &str, dice: &mut Dice) -> (&'static str, Option<Vec<u8>>) {
    let length = content.len();
    let place = dice.roll(length);
    match dice.roll(6) {
        0 => ("gone", None),
        1 => ("empty", Some(Vec::new())),
        2 => ("cut", Some(content[..place].to_vec())),
        3 => ("grown", Some([content, b"\n"].concat())),
        4 if length > 600 && path != "backup_manifest" => {
            let mut content = content.to_vec();
            let start = place.min(length - 512);
            content[start..start + 512].fill(0);
            ("a hole", Some(content))
        }
        _ => {
            let mut content = content.to_vec();
            // The manifest's last line may be written in other ways that mean the same.
            let end = if path == "backup_manifest" {
                length - 90
            } else {
                length
            };
            if let Some(byte) = content.get_mut(place.min(end.saturating_sub(1))) {
                *byte ^= 1 << dice.roll(8);
            }
            ("a flipped bit", Some(content))
        }
    }
}

/// How often each form is damaged.
const DAMAGES: usize = 110;

pub fn tallies(dice: &mut Dice) -> Vec<Tally> {
    let scratch = Scratch::new();
    let folder = scratch.join("victim");
    let mut tally = Tally::of("base backups");
    for (form, files) in forms() {
        let path = lay(&folder, &files);
        let verdict = tally.good(form, &path, Proof::Summed).unwrap();
        let identifier = verdict.system_identifier;
        assert_eq!(identifier, Some(7_711_275_711_161_325_020), "{form}");
        for _ in 0..DAMAGES {
            let (name, content) = &files[dice.roll(files.len())];
            let (damage, changed) = damaged(content, name, dice);
            let victim = folder.join(name);
            let what = format!("{form}: {damage} in {name}");
            match &changed {
                Some(changed) => write(&victim, changed).unwrap(),
                None => std::fs::remove_file(&victim).unwrap(),
            }
            if changed.as_ref() == Some(content) {
                tally.good(&what, &path, Proof::Summed);
            } else {
                judge(
                    &mut tally,
                    &what,
                    &path,
                    (name, content),
                    changed.as_deref(),
                );
            }
            write(&victim, content).unwrap();
        }
    }
    vec![tally]
}

/// Counts what is said of a backup one of whose files was changed.
fn judge(
    tally: &mut Tally,
    what: &str,
    path: &Path,
    (name, content): (&str, &[u8]),
    changed: Option<&[u8]>,
) {
    tally.damaged += 1;
    let Some(verdict) = tally.read(what, path) else {
        return;
    };
    if verdict.proof < Proof::Whole {
        return;
    }
    let before = essence(name, content).unwrap();
    match changed.and_then(|changed| essence(name, changed)) {
        _ if name == "postgresql.auto.conf" => tally.bare += 1,
        Some(after) if after == before => tally.harmless += 1,
        Some(after) if differ_only_without_sum(&before, &after) => tally.bare += 1,
        _ => tally.misses.push(format!("{what}: {}", report(&verdict))),
    }
}

#[test]
fn what_may_differ_is_no_damage() {
    let scratch = Scratch::new();
    let folder = scratch.join("good");
    let path = lay(&folder, &content(false));
    for name in ["standby.signal", "recovery.signal", "pg_wal/more"] {
        write(folder.join(name), "x").unwrap();
    }
    write(folder.join("postgresql.auto.conf"), "port = 1\n").unwrap();
    let label = folder.join("backup_label");
    let file = std::fs::File::options().write(true).open(&label).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(86_400))
        .unwrap();
    assert_eq!(
        verify(&path).proof,
        Proof::Summed,
        "{}",
        report(&verify(&path))
    );
    // More than is promised is not what was written.
    write(folder.join("base/1/more"), "x").unwrap();
    assert!(!verify(&path).is_good());
    assert!(read(label).is_ok());
}

#[test]
fn a_base_backup_that_was_killed_has_no_manifest() {
    let scratch = Scratch::new();
    let mut files = content(false);
    files.retain(|(path, _)| path != "backup_manifest");
    let killed = verify(&lay(&scratch.join("killed"), &files));
    assert!(
        report(&killed).starts_with("bad: has no `backup_manifest`"),
        "{}",
        report(&killed)
    );
    files.retain(|(path, _)| path != "backup_label");
    // What its `pg_control` says here is no state of a server that was shut down.
    let copied = verify(&lay(&scratch.join("copied"), &files));
    assert_eq!((copied.is_good(), copied.proof), (false, Proof::Listed));
}

#[test]
fn a_checksum_beside_a_file_is_believed() {
    let scratch = Scratch::new();
    let dump =
        "--\n-- PostgreSQL database dump\n--\n\n--\n-- PostgreSQL database dump complete\n--\n\n";
    let path = scratch.write("a.sql", dump.as_bytes());
    assert_eq!(verify(&path).proof, Proof::Whole);
    let sum = ring::digest::digest(&ring::digest::SHA256, dump.as_bytes());
    let hex: String = sum
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for (beside, text, proof, is_good) in [
        (
            "a.sql.sha256",
            format!("{hex}  a.sql\n"),
            Proof::Summed,
            true,
        ),
        (
            "SHA256SUMS",
            format!("{}  b.sql\n{hex} *./a.sql\n", "0".repeat(64)),
            Proof::Summed,
            true,
        ),
        (
            "SHA256SUMS",
            "no sum at all\u{0}\n".repeat(1000),
            Proof::Whole,
            true,
        ),
        (
            "a.sql.md5",
            format!("{}  a.sql", "0".repeat(32)),
            Proof::Listed,
            false,
        ),
    ] {
        let beside = scratch.write(beside, text.as_bytes());
        let verdict = verify(&path);
        assert_eq!(
            verdict.is_good(),
            is_good,
            "{beside:?}: {}",
            report(&verdict)
        );
        assert!(
            verdict.proof == proof || !is_good,
            "{beside:?}: {}",
            report(&verdict)
        );
        std::fs::remove_file(beside).unwrap();
    }
}
