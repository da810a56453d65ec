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
    let text = "backups:\n  - {name: n, files: /b, every: 1d, keep: 1h}\n  - {name: n, files: 'ftp://b/x'}\n  - {name: a b, files: '/*/x', look: 0, verify_rate: 1kB}\n  - {kep: 1d}\n";
    let (_, problems) = check(text);
    let starts = [
        "x.yml:2:43: backups[0].keep: is shorter than `every`",
        "x.yml:3:12: backups[1].name: `n` is the name of another backup",
        "x.yml:3:22: backups[1].files: `ftp://` is not supported",
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

#[test]
fn a_bucket_is_reached_as_written() {
    let text = "backups:\n  - name: n\n    files: s3://b/daily/*.gz\n    wal: s3://b/wal\n    storage: {endpoint: 'https://s3.example.org', access_key_id: A, secret_access_key: hunter2}\n  - {name: local, files: /b}\n";
    let (settings, problems) = check(text);
    assert_eq!(problems, Vec::<String>::new());
    let Place::Files(files) = &settings[0].place else {
        panic!("no files")
    };
    for files in [files, settings[0].wal.as_ref().unwrap()] {
        let Root::Bucket(address) = &files.root else {
            panic!("{files:?}");
        };
        assert_eq!(address.access.access_key_id.as_deref(), Some("A"));
    }
    assert_eq!(settings[0].place.title(), "s3://b/daily");
    assert_eq!(settings[0].place.url(), "s3://b/daily/*.gz");
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert!(settings[0].is_offsite() && !settings[1].is_offsite());
}

#[test]
fn a_bucket_that_cannot_be_reached_as_written() {
    let text = "backups:\n  - {name: n, files: 's3://b', storage: {access_key_id: A, endpoint: 'http://h', timeout: 0}}\n  - {name: m, files: 's3://b', storage: {endpoint: h}}\n";
    let (_, problems) = check(text);
    let ends = [
        "half a key is no key",
        "must be longer than `0`",
        "is asked without encryption",
        "must begin with `https://` or `http://`",
    ];
    assert_eq!(problems.len(), ends.len(), "{problems:#?}");
    for end in ends {
        assert!(
            problems.iter().any(|problem| problem.contains(end)),
            "{end}: {problems:#?}"
        );
    }
}

#[test]
fn a_copy_is_of_another_backup() {
    let cases = [("a", 0), ("b", 1), ("zzz", 1)];
    for (original, problems) in cases {
        let text = format!(
            "backups: [{{name: a, files: /a}}, {{name: b, files: /b, copy_of: {original}}}]"
        );
        assert_eq!(check(&text).1.len(), problems, "{original}");
    }
}
