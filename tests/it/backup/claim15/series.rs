//! How many series a source has: by what was promised, not by how many backups there are.

use std::collections::BTreeMap;
use std::fs::{create_dir, write};
use std::path::Path;
use std::time::Duration;

use super::base;
use super::places::PLAIN;
use crate::backup::watch::Watched;
use crate::harness::{Scratch, eventually_async};

const DEADLINE: Duration = Duration::from_secs(60);

/// The series of a source by metric, once it has judged so many backups.
async fn series(place: &str, judged: usize, state_dir: &Path) -> BTreeMap<String, usize> {
    let text = format!(
        "backups: [{{name: n, server: s, look: 200ms, verify_rate: 1GiB, {place}}}, {{name: other, server: s, files: /nowhere}}]"
    );
    let watched = Watched::over(&text, state_dir);
    let is_judged = || async {
        let record = watched.records.of("n")?;
        let backups = &record.facts.sighting.as_ref()?.backups;
        let done = backups
            .iter()
            .filter(|backup| backup.state.is_judged())
            .count();
        (done == judged && backups.len() == judged).then_some(())
    };
    eventually_async("all are judged", DEADLINE, is_judged).await;
    // Those that come with the second look are there, too.
    let looked = watched.records.of("n").unwrap().facts.looked;
    eventually_async("it is looked at again", DEADLINE, || async {
        (watched.records.of("n")?.facts.looked > looked).then_some(())
    })
    .await;
    let mut series = BTreeMap::new();
    for (_, samples) in watched.board.current() {
        let of_source = |sample: &&pgvigil::sample::Sample| {
            sample.labels.iter().any(|label| label == ("source", "n"))
        };
        for sample in samples.iter().filter(of_source) {
            *series.entry(sample.family.name.to_string()).or_default() += 1;
        }
    }
    watched.stop().await;
    series
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_backups_have_as_many_series_as_ten() {
    let scratch = Scratch::new();
    let mut counts = Vec::new();
    for backups in [10, 1000] {
        let folder = scratch.join(backups.to_string());
        create_dir(&folder).unwrap();
        for number in 0..backups {
            // One of them is damaged.
            let content = if number == 3 { "" } else { PLAIN };
            write(folder.join(format!("{number}.sql")), content).unwrap();
        }
        let place = format!("files: '{}'", folder.display());
        let state_dir = scratch.join(format!("state-{backups}"));
        create_dir(&state_dir).unwrap();
        counts.push(series(&place, backups, &state_dir).await);
    }
    assert_eq!(counts[0], counts[1]);
    let sum: usize = counts[0].values().sum();
    assert!((20..=45).contains(&sum), "{sum}: {:#?}", counts[0]);
}

/// Of three kinds of backups with WAL, and with every promise made: each kind has its own series.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_everything_has_few_series() {
    let scratch = Scratch::new();
    let (folder, log) = (scratch.join("all"), scratch.write("log", ""));
    create_dir(&folder).unwrap();
    base::lay(&folder.join("base"), &base::content(false));
    base::lay(&folder.join("changes"), &base::content(true));
    for number in 0..5 {
        write(folder.join(format!("{number}.sql")), PLAIN).unwrap();
    }
    for number in 3..8 {
        let name = format!("0000000100000000{number:08X}");
        std::fs::File::create(folder.join(name))
            .unwrap()
            .set_len(1 << 20)
            .unwrap();
    }
    let place = format!(
        "files: '{}', database: shop, full_every: 7d, keep: 30d, rpo: 5m, copy_of: other, offsite: true, media: tape, log: '{}', expect_rows: {{public.users: 1}}",
        folder.display(),
        log.display()
    );
    let series = series(&place, 7, scratch.path()).await;
    let sum: usize = series.values().sum();
    println!("{sum} series of a source with everything: {series:#?}");
    assert!(sum <= 90, "{sum}: {series:#?}");
}
