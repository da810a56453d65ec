//! Backups that come and are whole, and still are not what was promised: kept too short or too long, of an odd size, not
//! copied, not offsite, proved by nobody, and soon without room.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::backups::{dump, put};
use super::watch::Watch;
use super::{Case, lowered, real};
use crate::harness::Scratch;

pub(super) const CASES: &[Case] = &[
    real("BackupShrunk/info"),
    real("BackupGrown/info"),
    real("BackupUnproven/warning"),
    real("BackupUnproven/info"),
    real("BackupRetentionShort/warning"),
    real("BackupRetentionOverdue/info"),
    real("BackupNotCopied/warning"),
    real("BackupNoOffsiteCopy/warning"),
    real("BackupNoOffsiteCopy/info"),
    // The file system of the tests has room for more than a week.
    lowered("BackupFullIn/warning", 1e15),
];

pub(super) const TOOL_CASES: &[Case] = &[
    real("BackupFailed/warning"),
    real("BackupToolComplains/warning"),
    real("BackupFullTooOld/warning"),
];

/// A dump of four million bytes.
const USUAL: usize = 400_000;

#[test]
fn backups_that_are_not_what_was_promised() {
    let scratch = Scratch::new();
    let [nightly, away, sealed] = ["nightly", "away", "sealed"].map(|name| scratch.join(name));
    for folder in [&nightly, &away, &sealed] {
        fs::create_dir(folder).unwrap();
    }
    let source = |name: &str, folder: &Path, more: &str| {
        let folder = folder.display();
        format!("{{name: {name}, server: shop, files: {folder}, every: 1d, look: 1s{more}}}")
    };
    let config = format!(
        "servers: [{{name: shop, url: 'postgresql://nobody@127.0.0.1:1/shop'}}]\nbackups:\n  - {}\n  - {}\n  - {}",
        source("nightly", &nightly, ", keep: 2d"),
        source(
            "away",
            &away,
            ", copy_of: nightly, grace: 0s, keep: 9d, offsite: false, media: nas"
        ),
        source("sealed", &sealed, ""),
    );
    remember_growth(&scratch);
    let usual = dump("shop", USUAL);
    for hours in [17, 18, 19, 20] {
        put(&nightly, &format!("{hours}.sql"), &usual, hours);
    }
    let watch = Watch::in_folder(scratch, CASES, &config, "", &[]);
    watch.fires(&[
        "BackupNotCopied/warning",
        "BackupNoOffsiteCopy/info",
        "BackupFullIn/warning",
    ]);

    let written = fs::read_to_string(watch.scratch.join("pgvigil.yml")).unwrap();
    let declared = written.replace("offsite: false", "offsite: true");
    watch.scratch.write("pgvigil.yml", declared);
    watch.daemon.signal("HUP");
    watch.fires(&["BackupNoOffsiteCopy/warning"]);
    watch.clears(&["BackupNoOffsiteCopy/info"]);
    for hours in [17, 18, 19, 20] {
        let name = format!("{hours}.sql");
        fs::copy(nightly.join(&name), away.join(&name)).unwrap();
    }
    watch.clears(&["BackupNoOffsiteCopy/warning", "BackupNotCopied/warning"]);

    put(&nightly, "240.sql", &usual, 240);
    watch.fires(&["BackupRetentionOverdue/info"]);
    fs::remove_file(nightly.join("240.sql")).unwrap();
    watch.clears(&["BackupRetentionOverdue/info"]);
    let hidden = watch.folder().join("17.sql");
    fs::rename(nightly.join("17.sql"), &hidden).unwrap();
    watch.fires(&["BackupRetentionShort/warning"]);
    fs::rename(&hidden, nightly.join("17.sql")).unwrap();
    watch.clears(&["BackupRetentionShort/warning"]);

    put(&nightly, "2.sql", &dump("shop", USUAL * 7 / 10), 2);
    watch.fires(&["BackupShrunk/info"]);
    put(&nightly, "1.sql", &dump("shop", USUAL * 17 / 10), 1);
    watch.fires(&["BackupGrown/info"]);
    watch.clears(&["BackupShrunk/info"]);
    fs::remove_file(nightly.join("1.sql")).unwrap();
    put(&nightly, "0.sql", &usual, 0);
    watch.clears(&["BackupGrown/info"]);

    put(&sealed, "1.gpg", "-----BEGIN PGP MESSAGE-----\n\n", 2);
    put(&sealed, "1.tar", &tape(), 1);
    watch.fires(&["BackupUnproven/info"]);
    put(&sealed, "60.sql", &dump("shop", 10), 60);
    watch.fires(&["BackupUnproven/warning"]);
    watch.clears(&["BackupUnproven/info"]);
    for name in ["1.gpg", "1.tar"] {
        fs::remove_file(sealed.join(name)).unwrap();
    }
    watch.clears(&["BackupUnproven/warning"]);

    // After so many days nothing of the growth is remembered.
    watch.clock("+40d");
    watch.clears(&["BackupFullIn/warning"]);
    watch.finish();
}

#[test]
fn a_tool_that_tells_of_trouble() {
    let scratch = Scratch::new();
    let answer = scratch.join("barman.json");
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
    };
    let done = |days: u64| {
        let end = now() - days * 86_400;
        format!(
            "{{\"backup_id\": \"20200101T00000{days}\", \"status\": \"DONE\", \"end_time_timestamp\": \"{end}\", \"size_bytes\": 1000}}"
        )
    };
    let tell = |backups: &[String], warnings: &str| {
        let aside = answer.with_extension("new");
        let list = backups.join(", ");
        fs::write(
            &aside,
            format!("{{\"main\": [{list}], \"_WARNING\": [{warnings}]}}"),
        )
        .unwrap();
        fs::rename(&aside, &answer).unwrap();
    };
    let failed = "{\"backup_id\": \"20990101T000000\", \"status\": \"FAILED\"}".to_owned();
    tell(&[done(9)], "");
    let config = format!(
        "servers: [{{name: shop, url: 'postgresql://nobody@127.0.0.1:1/shop'}}]\n\
         backups: [{{name: repo, server: shop, barman: {{server: main, file: '{}'}}, every: 30d, full_every: 7d, look: 1s}}]",
        answer.display()
    );
    let watch = Watch::in_folder(scratch, TOOL_CASES, &config, "", &[]);
    watch.fires(&["BackupFullTooOld/warning"]);
    tell(&[done(9), failed], "");
    watch.fires(&["BackupFailed/warning"]);
    tell(&[done(9)], "\"the retention policy cannot be kept\"");
    watch.fires(&["BackupToolComplains/warning"]);
    watch.clears(&["BackupFailed/warning"]);
    tell(&[done(9), done(0)], "");
    watch.clears(&["BackupToolComplains/warning", "BackupFullTooOld/warning"]);
    watch.finish();
}

/// What an earlier run has seen: ten days on which a megabyte more was stored each day.
fn remember_growth(scratch: &Scratch) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let today = now.as_secs() / Duration::from_secs(86_400).as_secs();
    let mut days = String::new();
    for ago in (1..=10).rev() {
        let separator = if ago == 1 { "" } else { "," };
        let _ = write!(
            days,
            "\"{}\":{}{separator}",
            today - ago,
            (20 - ago) * 1_000_000
        );
    }
    fs::create_dir(scratch.join("state")).unwrap();
    let past =
        format!("{{\"version\":1,\"past\":{{\"since\":0,\"days\":{{{days}}},\"backups\":{{}}}}}}");
    fs::write(scratch.join("state/backup_past-nightly.json"), past).unwrap();
}

/// A sound archive that is none of PostgreSQL's.
fn tape() -> String {
    let mut tape = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    header.set_mode(0o600);
    tape.append_data(&mut header, "notes.txt", &b"notes"[..])
        .unwrap();
    String::from_utf8(tape.into_inner().unwrap()).unwrap()
}
