use super::*;
use crate::document::{Problem, Reader, parse};

fn check(text: &str) -> (Vec<Settings>, Vec<String>) {
    let reader = Reader::new(None);
    let settings = reader.read(&parse("x.yml", text).unwrap(), Settings::read);
    let problems = reader.problems();
    (settings, problems.iter().map(Problem::to_string).collect())
}

#[test]
fn every_mistake_at_once() {
    let text = "backups:\n  - {name: n, files: /b, every: 1d, keep: 1h}\n  - {name: n, files: 's3://b/x'}\n  - {name: a b, files: '/*/x', look: 0, verify_rate: 1kB}\n  - {kep: 1d}\n";
    let (_, problems) = check(text);
    let starts = [
        "x.yml:2:43: backups[0].keep: is shorter than `every`",
        "x.yml:3:12: backups[1].name: `n` is the name of another backup",
        "x.yml:3:22: backups[1].files: `s3://` is not supported",
        "x.yml:4:12: backups[2].name: `a b` is no name",
        "x.yml:4:24: backups[2].files: `/*/x`: `*` and `?` match in the file name only",
        "x.yml:4:38: backups[2].look: must be longer than `0`",
        "x.yml:4:54: backups[2].verify_rate: is too slow",
        "x.yml:5:5: backups[3].name: `name` is missing",
        "x.yml:5:5: backups[3].files: one of `files`, `pgbackrest`, `barman` and `walg` is missing",
        "x.yml:5:6: backups[3].kep: unknown key",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:#?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(
            problem.starts_with(start),
            "{problem} does not start with {start}"
        );
    }
}
