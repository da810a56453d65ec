//! Base backups of real servers, whole and damaged, held against the real pg_verifybackup.

use std::fs::{self, read, write};
use std::path::{Path, PathBuf};

use pgvigil::backup::{Kind, Proof, Trouble, Verdict, report, verify};
use pgvigil::sample::Timestamp;

use super::corpus::copy_tree;
use crate::harness::{Postgres, Scratch, majors};

/// Takes a base backup into a new folder.
pub fn take(postgres: &Postgres, folder: &Path, options: &[&str]) {
    let mut command = postgres.command("pg_basebackup");
    command.args(["-c", "fast", "--no-sync", "-D"]).arg(folder);
    let output = command.args(options).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Whether the real tool finds nothing against it.
fn verifies(postgres: &Postgres, folder: &Path, options: &[&str]) -> bool {
    let mut command = postgres.command("pg_verifybackup");
    command
        .args(options)
        .arg(folder)
        .output()
        .unwrap()
        .status
        .success()
}

/// Something done to a data directory, by the file it is done to.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Nothing,
    Flip(&'static str, usize),
    Cut(&'static str, usize),
    Grow(&'static str),
    Remove(&'static str),
    Add(&'static str),
    RemoveWal,
    CutWal,
}

use Damage::{Add, Cut, CutWal, Flip, Grow, Nothing, Remove, RemoveWal};

const DAMAGES: [Damage; 24] = [
    Nothing,
    Flip("base/1/1259", 100),
    Flip("global/pg_control", 300),
    Flip("PG_VERSION", 0),
    Flip("backup_label", 3),
    Flip("backup_manifest", 700),
    Cut("base/1/1259", 8192),
    Cut("base/1/1249", 1),
    Cut("backup_manifest", 1),
    Cut("backup_manifest", 60),
    Grow("base/1/1259"),
    Grow("backup_manifest"),
    Remove("base/1/1259"),
    Remove("global/pg_control"),
    Remove("PG_VERSION"),
    Remove("backup_label"),
    Remove("backup_manifest"),
    Add("base/1/99999"),
    Add("pg_wal/leftover"),
    Add("standby.signal"),
    Add("recovery.signal"),
    Grow("postgresql.auto.conf"),
    RemoveWal,
    CutWal,
];

impl Damage {
    fn path(self, folder: &Path) -> PathBuf {
        match self {
            Nothing => folder.join("PG_VERSION"),
            Flip(path, _) | Cut(path, _) | Grow(path) | Remove(path) | Add(path) => {
                folder.join(path)
            }
            RemoveWal | CutWal => segment(folder),
        }
    }

    fn concerns_wal(self) -> bool {
        matches!(self, RemoveWal | CutWal)
    }

    /// Does it, lets somebody look, and undoes it.
    fn done<T>(self, folder: &Path, look: impl FnOnce() -> T) -> T {
        let path = self.path(folder);
        let before = read(&path).ok();
        let content = before.clone().unwrap_or_default();
        match self {
            Nothing => {}
            Flip(_, place) => {
                let mut content = content;
                content[place] ^= 1;
                write(&path, content).unwrap();
            }
            Cut(_, bytes) => write(&path, &content[..content.len() - bytes]).unwrap(),
            CutWal => write(&path, &content[..content.len() / 2]).unwrap(),
            Grow(_) => write(&path, [content.as_slice(), b"\n"].concat()).unwrap(),
            Remove(_) | RemoveWal => fs::remove_file(&path).unwrap(),
            Add(_) => write(&path, "more").unwrap(),
        }
        let seen = look();
        match before {
            Some(before) => write(&path, before).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        seen
    }
}

/// The one segment in which a small backup begins and ends.
fn segment(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder.join("pg_wal")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.is_file() && path.file_name().unwrap().len() == 24)
        .unwrap()
}

fn system_identifier(postgres: &Postgres) -> Option<u64> {
    let said = postgres.sql(
        "postgres",
        "SELECT system_identifier FROM pg_control_system()",
    );
    said.parse().ok()
}

fn is_whole(verdict: &Verdict, postgres: &Postgres, proof: Proof, kind: Kind, name: &str) {
    let said = report(verdict);
    assert!(verdict.is_good(), "{name}: {said}");
    assert_eq!(
        (verdict.proof, verdict.kind),
        (proof, kind),
        "{name}: {said}"
    );
    assert_eq!(
        verdict.system_identifier,
        system_identifier(postgres),
        "{name}"
    );
    let needed = verdict.wal.unwrap();
    assert!(
        needed.timeline == 1 && needed.start < needed.end,
        "{name}: {needed:?}"
    );
    assert!(verdict.began.is_some(), "{name}");
    let (oldest, newest) = verdict.written.unwrap();
    assert!(oldest <= newest && newest <= Timestamp::now(), "{name}");
}

#[test]
fn a_data_directory_is_judged_as_the_real_tool_judges_it() {
    let scratch = Scratch::new();
    let mut judged = 0;
    // The oldest, the newest, and one between.
    for major in majors()
        .into_iter()
        .filter(|major| [13, 15, 18].contains(major))
    {
        let postgres = Postgres::start(major);
        let folder = scratch.join(format!("tree-{major}"));
        take(&postgres, &folder, &[]);
        is_whole(
            &verify(&folder),
            &postgres,
            Proof::Summed,
            Kind::Full,
            &major.to_string(),
        );
        // There is no pg_waldump of 13 to ask.
        let own = format!("/{major}/");
        let has_waldump = postgres.bin("pg_waldump").to_string_lossy().contains(&own);
        let options: &[&str] = if has_waldump {
            &[]
        } else {
            &["--no-parse-wal"]
        };
        for damage in DAMAGES
            .iter()
            .filter(|damage| has_waldump || !damage.concerns_wal())
        {
            let (theirs, ours) = damage.done(&folder, || {
                (verifies(&postgres, &folder, options), verify(&folder))
            });
            // The tool reads a segment as far as it has to; one that is short is not what was written.
            let is_right = ours.is_good() == theirs || (damage.concerns_wal() && !ours.is_good());
            assert!(is_right, "{major} {damage:?}: {}", report(&ours));
            assert!(
                ours.is_good() || ours.proof < Proof::Whole,
                "{major} {damage:?}"
            );
            judged += 1;
        }
        fs::remove_dir_all(&folder).unwrap();
    }
    println!("{judged} data directories judged as pg_verifybackup does");
}

#[test]
fn every_form_and_every_checksum_is_read() {
    let scratch = Scratch::new();
    let postgres = Postgres::start(17);
    let (summed, whole) = (Proof::Summed, Proof::Whole);
    let cases: [(&str, &[&str], Proof); 8] = [
        ("tape", &["-Ft"], summed),
        ("gzip", &["-Ft", "-z"], summed),
        (
            "zstd",
            &["-Ft", "--compress=server-zstd", "-Xfetch"],
            summed,
        ),
        ("fetched", &["-Ft", "-Xfetch"], summed),
        ("sha224", &["--manifest-checksums=SHA224"], summed),
        ("sha512", &["-Ft", "--manifest-checksums=SHA512"], summed),
        ("none", &["--manifest-checksums=NONE"], whole),
        // What it needs lies in an archive that is not shown here.
        ("without-wal", &["-Xnone", "--no-manifest"], Proof::Listed),
    ];
    for (name, options, proof) in cases {
        let folder = scratch.join(name);
        take(&postgres, &folder, options);
        let verdict = verify(&folder);
        if proof == Proof::Listed {
            assert!(!verdict.is_good(), "{name}: {}", report(&verdict));
        } else {
            is_whole(&verdict, &postgres, proof, Kind::Full, name);
        }
        fs::remove_dir_all(&folder).unwrap();
    }
    let piped = scratch.join("piped.tar");
    let mut command = postgres.command("pg_basebackup");
    command.args(["-Ft", "-Xfetch", "-c", "fast", "-D", "-"]);
    let output = command.output().unwrap();
    write(&piped, &output.stdout).unwrap();
    is_whole(
        &verify(&piped),
        &postgres,
        Proof::Summed,
        Kind::Full,
        "piped",
    );
    let cut = scratch.join("cut.tar");
    write(&cut, &output.stdout[..output.stdout.len() - 2048]).unwrap();
    assert!(!verify(&cut).is_good(), "{}", report(&verify(&cut)));
}

#[test]
fn changes_alone_are_told_from_a_whole_backup() {
    let scratch = Scratch::new();
    let postgres = Postgres::with(18, &["summarize_wal=on"]);
    let (full, changes) = (scratch.join("full"), scratch.join("changes"));
    take(&postgres, &full, &[]);
    postgres.sql(
        "postgres",
        "CREATE TABLE t AS SELECT generate_series(1, 1000) AS i",
    );
    let manifest = full.join("backup_manifest");
    take(
        &postgres,
        &changes,
        &["--incremental", manifest.to_str().unwrap()],
    );
    let (first, second) = (verify(&full), verify(&changes));
    is_whole(&first, &postgres, Proof::Summed, Kind::Full, "full");
    is_whole(
        &second,
        &postgres,
        Proof::Summed,
        Kind::Incremental,
        "changes",
    );
    assert_eq!(second.since, first.wal.map(|wal| wal.start));
    assert!(report(&second).contains("nothing without the backup before it"));
}

#[test]
fn tar_files_are_judged_as_the_real_tool_judges_them() {
    let scratch = Scratch::new();
    let postgres = Postgres::start(18);
    let (tape, gzip) = (scratch.join("tape"), scratch.join("gzip"));
    take(&postgres, &tape, &["-Ft"]);
    take(&postgres, &gzip, &["-Ft", "-z"]);
    for (folder, file) in [(&tape, "base.tar"), (&gzip, "base.tar.gz")] {
        let path = folder.join(file);
        let whole = read(&path).unwrap();
        let length = whole.len();
        let mut damaged: Vec<(String, Option<Vec<u8>>)> = vec![
            ("whole".into(), Some(whole.clone())),
            ("missing".into(), None),
            ("empty".into(), Some(Vec::new())),
        ];
        for place in [length / 7, length / 3, length / 2, length - length / 9] {
            let mut flipped = whole.clone();
            flipped[place] ^= 8;
            damaged.push((format!("flipped at {place}"), Some(flipped)));
            damaged.push((format!("cut to {place}"), Some(whole[..place].to_vec())));
        }
        for (damage, content) in damaged {
            match content {
                Some(content) => write(&path, content).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let ours = verify(folder);
            let theirs = verifies(&postgres, folder, &["--no-parse-wal"]);
            assert_eq!(ours.is_good(), theirs, "{file} {damage}: {}", report(&ours));
        }
        write(&path, &whole).unwrap();
        for member in ["backup_manifest", "pg_wal.tar", "pg_wal.tar.gz"] {
            let path = folder.join(member);
            let Ok(content) = read(&path) else { continue };
            fs::remove_file(&path).unwrap();
            let ours = verify(folder);
            assert!(!ours.is_good(), "{member}: {}", report(&ours));
            write(&path, content).unwrap();
        }
        assert_eq!(verify(folder).proof, Proof::Summed);
    }
}

#[test]
fn links_and_strange_names_do_no_harm() {
    use std::os::unix::ffi::OsStringExt;
    let scratch = Scratch::new();
    let whole = scratch.join("whole");
    take(&Postgres::start(15), &whole, &[]);
    let name = |bytes: &[u8]| std::ffi::OsString::from_vec(bytes.to_vec());
    let strange: [&[u8]; 4] = [b"new\nline", b"not \xff utf8", b"..a", &[b'x'; 250]];
    for bytes in strange {
        let victim = scratch.join("victim");
        copy_tree(&whole, &victim);
        write(victim.join("base").join(name(bytes)), "x").unwrap();
        let verdict = verify(&victim);
        assert!(!verdict.is_good());
        assert_eq!(
            report(&verdict)
                .lines()
                .next()
                .unwrap()
                .matches('\n')
                .count(),
            0
        );
        fs::remove_dir_all(&victim).unwrap();
    }
    std::os::unix::fs::symlink("..", whole.join("base/loop")).unwrap();
    std::os::unix::fs::symlink("/etc", whole.join("pg_wal/etc")).unwrap();
    assert_eq!(verify(&whole).proof, Proof::Summed);
    // A tablespace behind a link is not read: it cannot be called whole.
    std::os::unix::fs::symlink("/", whole.join("pg_tblspc/16384")).unwrap();
    let verdict = verify(&whole);
    assert_eq!((verdict.is_good(), verdict.proof), (true, Proof::Opened));
}

/// The words of a verdict.
fn words(verdict: &Verdict) -> &str {
    let words = verdict.problem.as_ref().or(verdict.remark.as_ref());
    words.map_or("", String::as_str)
}

#[test]
fn a_copied_data_directory_is_a_backup_only_of_a_server_that_was_shut_down() {
    let scratch = Scratch::new();
    let postgres = Postgres::start(15);
    postgres.sql("postgres", "CREATE TABLE t AS SELECT 1 AS i");
    let (hot, cold) = (scratch.join("hot"), scratch.join("cold"));
    copy_tree(&postgres.dir().join("data"), &hot);
    let verdict = verify(&hot);
    assert_eq!(
        verdict.trouble,
        Some(Trouble::Corrupt),
        "{}",
        report(&verdict)
    );
    let running = "is a copy of a data directory whose server was running";
    assert!(words(&verdict).starts_with(running), "{}", words(&verdict));

    postgres.stop();
    copy_tree(&postgres.dir().join("data"), &cold);
    let verdict = verify(&cold);
    let shut = "is a data directory of a server that was shut down";
    assert!(words(&verdict).starts_with(shut), "{}", words(&verdict));
    assert_eq!((verdict.is_good(), verdict.proof), (true, Proof::Listed));
    let mut control = postgres.command("pg_controldata");
    let output = control.arg(&cold).env("TZ", "UTC").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, written) = verdict.written.unwrap();
    let clock = &written.rfc3339()[11..19];
    let line = "pg_control last modified: ";
    let modified = told.lines().find(|told| told.starts_with(line)).unwrap();
    assert!(modified.contains(clock), "{modified}: {clock}");

    fs::remove_file(cold.join("global/pg_control")).unwrap();
    assert_eq!(verify(&cold).trouble, Some(Trouble::HalfWritten));
}

#[test]
fn of_a_cut_file_the_cut_is_the_reason() {
    let scratch = Scratch::new();
    let folder = scratch.join("base");
    take(&Postgres::start(15), &folder, &[]);
    Cut("base/1/1259", 8192).done(&folder, || {
        let said = report(&verify(&folder));
        assert!(
            said.contains("bad: is not whole: its file `base/1/1259`"),
            "{said}"
        );
        assert!(
            said.contains("needs WAL") && !said.contains("inside"),
            "{said}"
        );
    });
}
