//! Good dumps made bad: whatever is done to them, nothing panics, nothing hangs and nothing bad is called good.

use std::fs::{read, write};

use pgvigil::backup::{Proof, Trouble, Verdict, report, verify};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::corpus::{Artefact, copy, dumps};
use crate::harness::Scratch;

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

#[test]
fn no_dump_that_was_cut_is_whole() {
    let scratch = Scratch::new();
    let victim = scratch.join("victim");
    for artefact in dumps(&scratch)
        .iter()
        .filter(|artefact| artefact.path.is_file())
    {
        let content = read(&artefact.path).unwrap();
        let near_the_end = content.len().saturating_sub(80)..content.len();
        let lengths = (0..40)
            .chain((40..content.len()).step_by(content.len() / 60))
            .chain(near_the_end);
        for length in lengths {
            write(&victim, &content[..length]).unwrap();
            let verdict = verify(&victim);
            let is_good = verdict.is_good();
            assert!(
                !is_good || may_end_at(artefact, &content, length),
                "{} cut to {length} of {}: {}",
                artefact.name,
                content.len(),
                report(&verdict)
            );
            assert!(
                is_good == (verdict.proof >= Proof::Whole),
                "{}: {}",
                artefact.name,
                report(&verdict)
            );
        }
    }
}

#[test]
fn no_flipped_byte_passes_a_checksum() {
    let scratch = Scratch::new();
    let victim = scratch.join("victim");
    let artefacts: Vec<Artefact> = dumps(&scratch)
        .into_iter()
        .filter(|artefact| artefact.path.is_file())
        .collect();
    let contents: Vec<Vec<u8>> = artefacts
        .iter()
        .map(|artefact| read(&artefact.path).unwrap())
        .collect();
    let verdicts: Vec<Verdict> = artefacts
        .iter()
        .map(|artefact| verify(&artefact.path))
        .collect();
    let strategy = (
        0..artefacts.len(),
        any::<prop::sample::Index>(),
        1..=255u8,
        any::<bool>(),
    );
    let mut runner = TestRunner::new(Config {
        cases: 4000,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&strategy, |(which, place, flip, is_early)| {
        let mut content = contents[which].clone();
        // Headers are where a byte can do most harm.
        let place = if is_early {
            place.index(content.len().min(600))
        } else {
            place.index(content.len())
        };
        content[place] ^= flip;
        write(&victim, &content).unwrap();
        let verdict = verify(&victim);
        // What a checksum does not cover, such as the time in a gzip header, may change; the content may not.
        let good = &verdicts[which];
        let is_same = (&verdict.tables, &verdict.made, verdict.uncompressed_bytes)
            == (&good.tables, &good.made, good.uncompressed_bytes);
        prop_assert!(
            verdict.proof < Proof::Summed || is_same,
            "{} at {place}: {}",
            artefacts[which].name,
            report(&verdict)
        );
        prop_assert!(
            artefacts[which].proof < Proof::Summed || verdict.proof != Proof::Whole || is_same
        );
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_hole_of_zeros_is_seen() {
    let scratch = Scratch::new();
    let victim = scratch.join("victim");
    for artefact in dumps(&scratch)
        .iter()
        .filter(|artefact| artefact.path.is_file())
    {
        // pg_dump's own lz4 and zstd have no checksum: a hole there may decode to other text.
        if artefact.name.ends_with("custom-lz4.dump") || artefact.name.ends_with("custom-zstd.dump")
        {
            continue;
        }
        let mut content = read(&artefact.path).unwrap();
        let middle = content.len() / 2;
        content[middle..middle + 1024].fill(0);
        write(&victim, &content).unwrap();
        let verdict = verify(&victim);
        assert!(
            !verdict.is_good(),
            "{}: {}",
            artefact.name,
            report(&verdict)
        );
    }
}

#[test]
fn a_folder_lacks_none_of_its_files() {
    let scratch = Scratch::new();
    for (place, artefact) in dumps(&scratch)
        .iter()
        .filter(|artefact| artefact.path.is_dir())
        .enumerate()
    {
        let victim = scratch.join(format!("victim-{place}"));
        for entry in std::fs::read_dir(&artefact.path).unwrap() {
            let name = entry.unwrap().file_name();
            let file = victim.join(&name);
            let content = read(artefact.path.join(&name)).unwrap();
            for damage in ["gone", "empty", "cut", "longer"] {
                copy(&artefact.path, &victim);
                match damage {
                    "gone" => std::fs::remove_file(&file).unwrap(),
                    "empty" => write(&file, "").unwrap(),
                    "cut" => write(&file, &content[..content.len() - 1]).unwrap(),
                    _ => write(&file, [content.as_slice(), b"x"].concat()).unwrap(),
                }
                let verdict = verify(&victim);
                // An uncompressed large object has neither an end nor a checksum, and a list may lack its last newline.
                let name = name.to_string_lossy();
                let is_bare =
                    name.starts_with("blob_") && name.ends_with(".dat") && damage != "gone";
                let is_newline = name.starts_with("blobs") && damage == "cut";
                assert_eq!(
                    verdict.is_good(),
                    is_bare || is_newline,
                    "{} {name} {damage}: {}",
                    artefact.name,
                    report(&verdict)
                );
                copy(&artefact.path, &victim);
            }
        }
    }
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
