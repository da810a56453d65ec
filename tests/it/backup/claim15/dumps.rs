//! Dumps of every form, made bad in every way.

use std::fs::{read, write};
use std::io::Read;
use std::path::Path;

use pgvigil::backup::{Proof, Trouble, report, verify};

use super::tally::{Dice, Tally};
use crate::backup::corpus::{Artefact, copy, dumps};
use crate::harness::Scratch;

pub fn tallies(dice: &mut Dice) -> Vec<Tally> {
    let scratch = Scratch::new();
    let (files, folders): (Vec<_>, Vec<_>) = dumps(&scratch)
        .into_iter()
        .partition(|artefact| artefact.path.is_file());
    let seeds = [dice.roll(1 << 30), dice.roll(1 << 30), dice.roll(1 << 30)];
    let [mut cut, mut flipped, mut bored] = seeds.map(|seed| Dice::new(seed as u64));
    // Each has a victim of its own.
    std::thread::scope(|scope| {
        let each = [
            scope.spawn(|| cuts(&files, &scratch.join("cut"), &mut cut)),
            scope.spawn(|| flips(&files, &scratch.join("flipped"), &mut flipped)),
            scope.spawn(|| holes(&files, &scratch.join("bored"), &mut bored)),
            scope.spawn(|| lacking(&folders, &scratch)),
        ];
        each.into_iter().map(|each| each.join().unwrap()).collect()
    })
}

/// Places at which a file may end and still hold everything, with the reason.
fn may_end_at(artefact: &Artefact, content: &[u8], length: usize) -> bool {
    let rest = &content[length..];
    let name = artefact.name.as_str();
    // Empty lines after the closing lines of a plain dump say nothing.
    let blank = (name.ends_with(".sql")) && rest.iter().all(|byte| *byte == b'\n');
    // A dump to a redirected output has its table of contents twice: without the second it is the dump to a file.
    let repeated = name.ends_with("redirected.dump")
        && content[..rest.len()].ends_with(&rest[..rest.len().min(64)])
        && rest.len() > 1000;
    // tar fills up its last record with more zeros than the two blocks that end an archive.
    let filler = name.ends_with("folder-in.tar")
        && rest.iter().all(|byte| *byte == 0)
        && ends_with_blocks(&content[..length]);
    blank || repeated || filler
}

fn ends_with_blocks(content: &[u8]) -> bool {
    let zeros = content.iter().rev().take_while(|byte| **byte == 0).count();
    zeros >= 1024
}

/// Every file, cut near its ends and anywhere; 0 bytes of it among them.
fn cuts(artefacts: &[Artefact], victim: &Path, dice: &mut Dice) -> Tally {
    let mut tally = Tally::of("dumps that were cut");
    for artefact in artefacts {
        let content = read(&artefact.path).unwrap();
        tally.good(&artefact.name, &artefact.path, artefact.proof);
        let anywhere: Vec<usize> = (0..40).map(|_| dice.roll(content.len())).collect();
        let near_the_end = content.len().saturating_sub(80)..content.len();
        for length in (0..25).chain(anywhere).chain(near_the_end) {
            write(victim, &content[..length]).unwrap();
            let what = format!("{} cut to {length} of {}", artefact.name, content.len());
            if may_end_at(artefact, &content, length) {
                tally.harmless += 1;
                tally.read(&what, victim);
            } else {
                tally.damaged(&what, victim);
            }
        }
    }
    tally
}

/// How many bytes are flipped in each file.
const FLIPS: usize = 60;

fn flips(artefacts: &[Artefact], victim: &Path, dice: &mut Dice) -> Tally {
    let mut tally = Tally::of("flipped bytes in dumps");
    for artefact in artefacts {
        let good = read(&artefact.path).unwrap();
        let Some(before) = tally.good(&artefact.name, &artefact.path, artefact.proof) else {
            continue;
        };
        for flip in 0..FLIPS {
            let mut content = good.clone();
            // Headers are where a byte can do most harm.
            let place = match flip % 2 {
                0 => dice.roll(good.len().min(600)),
                _ => dice.roll(good.len()),
            };
            content[place] ^= 1 + dice.roll(255) as u8;
            write(victim, &content).unwrap();
            tally.damaged += 1;
            let what = format!("{} flipped at {place}", artefact.name);
            let Some(verdict) = tally.read(&what, victim) else {
                continue;
            };
            // What a checksum does not cover, such as the time in a gzip header, may change; the content may not.
            let is_same = (&verdict.tables, &verdict.made, verdict.uncompressed_bytes)
                == (&before.tables, &before.made, before.uncompressed_bytes);
            if verdict.proof < Proof::Whole {
                continue;
            }
            if is_same && artefact.proof == Proof::Summed {
                tally.harmless += 1;
            } else if artefact.proof == Proof::Whole && verdict.proof == Proof::Whole {
                tally.bare += 1;
            } else {
                tally.misses.push(format!("{what}: {}", report(&verdict)));
            }
        }
    }
    tally
}

/// Where the checksum of each kind of compressed file lies, in bytes from its end.
const CHECKSUMS: [(&str, usize); 5] = [
    (".gz", 8),
    (".zst", 4),
    (".lz4", 4),
    (".bz2", 3),
    (".xz", 12),
];

/// Holes of zeros, wrong checksums and missing members.
fn holes(artefacts: &[Artefact], victim: &Path, dice: &mut Dice) -> Tally {
    let mut tally = Tally::of("holes, sums, members");
    for artefact in artefacts {
        let (name, good) = (&artefact.name, read(&artefact.path).unwrap());
        tally.good(name, &artefact.path, artefact.proof);
        // pg_dump's own lz4 and zstd have no checksum: a hole there may decode to other text.
        if !name.ends_with("custom-lz4.dump") && !name.ends_with("custom-zstd.dump") {
            let mut content = good.clone();
            let middle = content.len() / 2;
            content[middle..middle + 1024].fill(0);
            write(victim, &content).unwrap();
            tally.damaged(&format!("{name} with a hole"), victim);
        }
        if let Some((_, from_end)) = CHECKSUMS.iter().find(|(ending, _)| name.ends_with(ending)) {
            let mut content = good.clone();
            let place = content.len() - from_end;
            content[place] ^= 1 << dice.roll(8);
            write(victim, &content).unwrap();
            tally.damaged(&format!("{name} with a wrong checksum"), victim);
        }
        if name.ends_with(".tar") {
            for (lacking, content) in without_members(&good) {
                write(victim, content).unwrap();
                tally.damaged(&format!("{name} without {lacking}"), victim);
            }
        }
    }
    tally
}

/// A tar archive without each of its members that count: pg_restore itself has no use for the script beside them.
fn without_members(content: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(content);
    let members = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let (name, header) = (
            entry.path().unwrap().display().to_string(),
            entry.header().clone(),
        );
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (name, header, content)
    });
    let members: Vec<_> = members.collect();
    let counts = |name: &str| !name.ends_with('/') && !name.ends_with("restore.sql");
    let without = |lacking: &str| {
        let mut tape = tar::Builder::new(Vec::new());
        for (name, header, content) in members.iter().filter(|(name, ..)| name != lacking) {
            tape.append_data(&mut header.clone(), name, content.as_slice())
                .unwrap();
        }
        tape.into_inner().unwrap()
    };
    let lacking = members.iter().filter(|(name, ..)| counts(name));
    lacking
        .map(|(name, ..)| (name.clone(), without(name)))
        .collect()
}

/// Directory dumps, one of whose files is not as it was.
fn lacking(artefacts: &[Artefact], scratch: &Scratch) -> Tally {
    let mut tally = Tally::of("directory dumps");
    for (place, artefact) in artefacts.iter().enumerate() {
        let victim = scratch.join(format!("victim-{place}"));
        tally.good(&artefact.name, &artefact.path, artefact.proof);
        for entry in std::fs::read_dir(&artefact.path).unwrap() {
            let name = entry.unwrap().file_name();
            let file = victim.join(&name);
            let content = read(artefact.path.join(&name)).unwrap();
            let name = name.to_string_lossy();
            for damage in ["gone", "empty", "cut", "longer"] {
                copy(&artefact.path, &victim);
                match damage {
                    "gone" => std::fs::remove_file(&file).unwrap(),
                    "empty" => write(&file, "").unwrap(),
                    "cut" => write(&file, &content[..content.len() - 1]).unwrap(),
                    _ => write(&file, [content.as_slice(), b"x"].concat()).unwrap(),
                }
                let what = format!("{} with {name} {damage}", artefact.name);
                // An uncompressed large object has neither an end nor a checksum, and a list may lack its last newline.
                let is_bare =
                    name.starts_with("blob_") && name.ends_with(".dat") && damage != "gone";
                let is_newline = name.starts_with("blobs") && damage == "cut";
                if is_bare || is_newline {
                    tally.bare += usize::from(is_bare);
                    tally.harmless += usize::from(is_newline);
                    tally.read(&what, &victim);
                } else {
                    tally.damaged(&what, &victim);
                }
            }
        }
    }
    tally
}

#[test]
fn claimed_lengths_take_no_memory() {
    let scratch = Scratch::new();
    let integer = |value: u32| [[0u8].as_slice(), &value.to_le_bytes()].concat();
    let head: Vec<u8> = [b"PGDMP\x01\x0e\x00\x04\x08\x01".to_vec(), integer(0)]
        .into_iter()
        .chain([0, 0, 0, 1, 0, 126, 0].map(integer))
        .flatten()
        .collect();
    let cases: [(&str, Vec<u8>, Trouble); 3] = [
        ("a name of 1 GiB", integer(1 << 30), Trouble::HalfWritten),
        ("a name of 4 GiB", integer(u32::MAX), Trouble::Corrupt),
        (
            "fifty million entries",
            [integer(0), integer(0), integer(0), integer(50_000_000)].concat(),
            Trouble::HalfWritten,
        ),
    ];
    for (what, tail, trouble) in cases {
        let verdict = verify(&scratch.write("victim", [head.clone(), tail].concat()));
        assert_eq!(
            verdict.trouble,
            Some(trouble),
            "{what}: {}",
            report(&verdict)
        );
    }
}

#[test]
fn a_pipe_is_not_waited_for() {
    let scratch = Scratch::new();
    let pipe = scratch.join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
    let verdict = verify(&pipe);
    assert_eq!((verdict.proof, verdict.is_good()), (Proof::Listed, true));
}
