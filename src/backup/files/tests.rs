use super::*;
use crate::backup::shelf::Folder;

#[test]
fn only_what_is_meant_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["a.dump", "b.dump.part", "c.dump.sha256", ".d.dump", "e.sql"] {
        std::fs::write(path(name), "four").unwrap();
    }
    for (name, file) in [
        ("dir.dump", "toc.dat"),
        ("torn.dump", "3364.dat.gz"),
        ("other.dump", "readme"),
    ] {
        std::fs::create_dir(path(name)).unwrap();
        std::fs::write(path(name).join(file), "four").unwrap();
    }
    std::os::unix::fs::symlink("a.dump", path("latest.dump")).unwrap();
    std::os::unix::fs::symlink("loop.dump", path("loop.dump")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe.dump"), 0o600.into()).unwrap();
    let listing = list(&Folder(folder.path().into()), "*.dump", &Texts::default()).unwrap();
    let mut seen: Vec<_> = listing
        .found
        .iter()
        .map(|found| (found.name.as_str(), found.bytes, found.is_partial))
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            ("a.dump", 4, false),
            ("b.dump.part", 4, true),
            ("dir.dump", 4, false),
            ("torn.dump", 4, false)
        ]
    );
    assert!(listing.space.unwrap().free > 0);
}

#[test]
fn what_is_hidden_is_found_only_by_a_pattern_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for name in [".a.dump", "b.dump", ".c.dump.sha256"] {
        std::fs::write(folder.path().join(name), "four").unwrap();
    }
    let names = |pattern: &str| -> Vec<String> {
        let listing = list(&Folder(folder.path().into()), pattern, &Texts::default());
        let found = listing.unwrap().found.into_iter();
        found.map(|found| found.name).collect()
    };
    for (pattern, expected) in [("*", "b.dump"), ("*.dump", "b.dump"), (".*", ".a.dump")] {
        assert_eq!(names(pattern), [expected], "{pattern}");
    }
}

/// Also by a link, whose name may be all that stays the same.
#[test]
fn a_single_file_is_meant_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["a.dump", "a.dump.sha256", "b.dump"] {
        std::fs::write(path(name), "four").unwrap();
    }
    std::os::unix::fs::symlink("b.dump", path("latest")).unwrap();
    for (named, expected) in [("a.dump", "a.dump"), ("latest", "b.dump")] {
        let files = Files::read(path(named).to_str().unwrap()).unwrap();
        let listing = list(files.shelf().as_ref(), &files.names(), &Texts::default()).unwrap();
        let names: Vec<&str> = listing
            .found
            .iter()
            .map(|found| found.name.as_str())
            .collect();
        assert_eq!(names, [expected], "{named}");
        assert_eq!(listing.found[0].beside.is_some(), named == "a.dump");
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_not_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| list(&Folder(folder.path().join(name)), "*", &Texts::default());
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(at("none"), Err(Obstacle::Missing(_))));
    assert!(matches!(at("file"), Err(Obstacle::Unreadable(..))));
}

/// Root may enter any folder: there is an obstacle for everybody else only.
#[test]
fn a_folder_that_may_not_be_entered_hides_no_dump_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let shelf = Folder(folder.path().into());
    let inner = folder.path().join("lost+found");
    std::fs::create_dir(&inner).unwrap();
    std::fs::set_permissions(&inner, PermissionsExt::from_mode(0o000)).unwrap();
    let may_enter = std::fs::read_dir(&inner).is_ok();
    assert_eq!(list(&shelf, "*", &Texts::default()).is_ok(), may_enter);
    std::fs::write(folder.path().join("a.dump"), "four").unwrap();
    assert_eq!(list(&shelf, "*", &Texts::default()).unwrap().found.len(), 1);
}

/// Looking and comparing with the look before must not grow faster than the folder.
#[test]
fn a_hundred_thousand_files_are_looked_at_in_bounded_time() {
    use crate::backup::standing::settle;
    let folder = tempfile::tempdir().unwrap();
    for number in 0..100_000 {
        std::fs::File::create(folder.path().join(format!("{number}.dump"))).unwrap();
    }
    let began = std::time::Instant::now();
    let shelf = Folder(folder.path().into());
    let look = || list(&shelf, "*.dump", &Texts::default()).unwrap().found;
    let rhythm = std::time::Duration::from_secs(300);
    let seen = settle(&[], look(), rhythm, Timestamp::now());
    let seen = settle(&seen, look(), rhythm, Timestamp::now());
    assert_eq!(seen.len(), 100_000);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}
