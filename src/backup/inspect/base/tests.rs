//! Reading that is broken off, and goes on where it was.

use std::io;
use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::backup::Obstacle;
use crate::backup::inspect::sum::{Algorithm, Sum};
use crate::backup::inspect::{Pace, Progress, inspect};
use crate::backup::shelf::Folder;
use crate::backup::sighting::Space;

/// A folder that is stopped after so many files were opened.
#[derive(Debug)]
struct Stopped {
    folder: Folder,
    opened: Mutex<Vec<String>>,
    most: usize,
    stop: CancellationToken,
}

impl Shelf for Stopped {
    fn title(&self) -> String {
        self.folder.title()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Item>> {
        self.folder.list(folder)
    }

    fn stand(&self, name: &str) -> io::Result<Item> {
        self.folder.stand(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn io::Read + Send>> {
        let mut opened = self.opened.lock().unwrap();
        opened.push(name.into());
        if opened.len() > self.most {
            self.stop.cancel();
        }
        self.folder.open(name)
    }

    fn space(&self) -> Option<Space> {
        None
    }

    fn obstacle(&self, error: &io::Error) -> Obstacle {
        self.folder.obstacle(error)
    }
}

fn write_backup(folder: &std::path::Path) {
    let paths: Vec<String> = (0..20)
        .map(|number| format!("base/1/{number:02}"))
        .collect();
    let fixed = ["PG_VERSION", "global/pg_control"].map(String::from);
    let mut lines = Vec::new();
    for path in paths.iter().chain(&fixed) {
        let (content, mut sum) = (path.repeat(50), Sum::begin(Algorithm::Sha512));
        sum.add(content.as_bytes());
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, &content).unwrap();
        lines.push(format!("{{ \"Path\": \"{path}\", \"Size\": {}, \"Checksum-Algorithm\": \"SHA512\", \"Checksum\": \"{}\" }}", content.len(), sum.hex()));
    }
    let body = format!(
        "{{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n{}\n],\n\"WAL-Ranges\": [],\n",
        lines.join(",\n")
    );
    let mut sum = Sum::begin(Algorithm::Sha256);
    sum.add(body.as_bytes());
    std::fs::write(
        folder.join(MANIFEST),
        format!("{body}\"Manifest-Checksum\": \"{}\"}}\n", sum.hex()),
    )
    .unwrap();
}

#[test]
fn what_was_read_before_a_stop_is_not_read_again() {
    let place = tempfile::tempdir().unwrap();
    write_backup(&place.path().join("monday"));
    let kept = place.path().join("progress");
    let read = |most| {
        let stop = CancellationToken::new();
        let shelf = Stopped {
            folder: Folder(place.path().into()),
            opened: Mutex::default(),
            most,
            stop: stop.clone(),
        };
        let pace = Pace::unlimited(stop);
        let progress = Progress::resume(&kept, "monday");
        let reading = Reading {
            pace: &pace,
            progress: &progress,
            beside: None,
            is_compared: false,
        };
        let verdict = inspect(&shelf, "monday", &reading);
        (verdict, shelf.opened.into_inner().unwrap())
    };
    let (verdict, first) = read(12);
    assert_eq!((verdict, first.len()), (None, 13));
    let (verdict, second) = read(100);
    assert_eq!(verdict.unwrap().proof, Proof::Summed);
    // The manifest and `pg_control` are looked into again; of the others only the one that was not read to its end.
    let again = first.iter().filter(|name| second.contains(name)).count();
    assert_eq!((again, second.len()), (3, 22 - 10 + 2));
}
