//! Restore drills: one that fails for real, and what reports of others in the state directory tell.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::backups::put;
use super::watch::Watch;
use super::{Case, PATIENCE, real};
use crate::harness::{Scratch, eventually, folder, pgvigil};

pub(super) const CASES: &[Case] = &[
    real("DrillFailed/critical"),
    real("DrillOverRto/warning"),
    real("DrillStaleData/warning"),
    real("DrillMissing/warning"),
    real("DrillOverdue/warning"),
];

const HOUR: u64 = 3600;

#[test]
fn drills_that_fail_take_long_and_do_not_come() {
    let scratch = Scratch::new();
    let [nightly, sealed] = ["nightly", "sealed"].map(|name| scratch.join(name));
    for folder in [&nightly, &sealed] {
        fs::create_dir(folder).unwrap();
    }
    let state = scratch.join("state");
    fs::create_dir(&state).unwrap();
    // It has been watched for years, and never drilled: nothing can be read that is encrypted.
    let past = "{\"version\":1,\"past\":{\"since\":0,\"days\":{},\"backups\":{}}}";
    fs::write(state.join("backup_past-sealed.json"), past).unwrap();
    put(&sealed, "1.gpg", "-----BEGIN PGP MESSAGE-----\n\n", 1);
    put(&nightly, "1.sql", &dump(&[1]), 3);
    let config = format!(
        "servers: [{{name: shop, url: 'postgresql://nobody@127.0.0.1:1/shop'}}]\n\
         backups:\n\
         - {{name: nightly, server: shop, files: '{}', every: 1d, look: 1s}}\n\
         - {{name: sealed, server: shop, files: '{}', every: 1d, look: 1s}}\n\
         drills:\n\
         - {{source: nightly, every: 7d, rto: 1ms, binaries: ['{bin}'], assert: ['SELECT count(*) = 2 FROM users'], freshness: 'SELECT to_timestamp(max(at)) FROM users'}}\n\
         - {{source: sealed, every: 7d, binaries: ['{bin}']}}",
        nightly.display(),
        sealed.display(),
        bin = folder().join("postgresql/15/bin").display(),
    );
    let watch = Watch::in_folder(scratch, CASES, &config, "", &[]);
    watch.fires(&[
        "DrillFailed/critical",
        "DrillOverRto/warning",
        "DrillStaleData/warning",
        "DrillMissing/warning",
    ]);

    put(
        &nightly,
        "2.sql",
        &dump(&[seconds() - 3 * HOUR, seconds() - 2 * HOUR]),
        1,
    );
    eventually("a drill by hand ends well", PATIENCE, || drill(&watch));
    watch.clears(&["DrillFailed/critical", "DrillStaleData/warning"]);
    let written = fs::read_to_string(watch.scratch.join("pgvigil.yml")).unwrap();
    watch
        .scratch
        .write("pgvigil.yml", written.replace("rto: 1ms", "rto: 1d"));
    watch.daemon.signal("HUP");
    watch.clears(&["DrillOverRto/warning"]);

    // What could not be tried comes again, newer, and is no news.
    let good = report(&state, "nightly");
    for impossible in reports(&state, "sealed") {
        fs::remove_file(impossible).unwrap();
    }
    tell(&state, &good, Duration::from_secs(20 * 24 * HOUR));
    watch.fires(&["DrillOverdue/warning"]);
    watch.clears(&["DrillMissing/warning"]);
    tell(&state, &good, Duration::ZERO);
    watch.clears(&["DrillOverdue/warning"]);
    watch.finish();
}

/// A dump of rows that were written at these seconds.
fn dump(rows: &[u64]) -> String {
    let rows: String = rows.iter().map(|at| format!("{at}\n")).collect();
    format!(
        "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.1\n\n\
         CREATE TABLE public.users (at bigint);\n\nCOPY public.users (at) FROM stdin;\n{rows}\\.\n\n\
         --\n-- PostgreSQL database dump complete\n--\n\n"
    )
}

fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// Drills by hand, where the watch does not at that moment.
fn drill(watch: &Watch) -> Option<()> {
    let mut command = pgvigil();
    command
        .arg("--config")
        .arg(watch.scratch.join("pgvigil.yml"));
    let output = command
        .args(["backup", "drill", "nightly"])
        .output()
        .unwrap();
    assert_ne!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    output.status.success().then_some(())
}

/// The newest report of a source.
fn report(state: &Path, source: &str) -> Value {
    let path = reports(state, source).pop().unwrap();
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn reports(state: &Path, source: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(state.join("drills")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let is_of = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(source) && name.ends_with(".json")
    };
    let mut found: Vec<PathBuf> = files.filter(is_of).collect();
    found.sort();
    found
}

/// Leaves a report of `sealed`, as of a drill that ended so long ago.
fn tell(state: &Path, report: &Value, ago: Duration) {
    let ended = SystemTime::now() - ago;
    let ended = ended.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let ended = u64::try_from(ended).unwrap();
    let mut report = report.clone();
    report["source"] = "sealed".into();
    report["started"] = ended.into();
    report["finished"] = ended.into();
    let path = state.join(format!("drills/sealed-{ended}.json"));
    let aside = path.with_extension("tmp");
    fs::write(&aside, report.to_string()).unwrap();
    fs::rename(aside, path).unwrap();
}
