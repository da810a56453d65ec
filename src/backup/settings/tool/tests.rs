use super::super::{Place, Settings};
use super::*;
use crate::document::{Problem, Reader, parse};

fn check(text: &str) -> (Vec<Settings>, Vec<String>) {
    let reader = Reader::new(None);
    let text = format!("backups: [{{name: n, {text}}}]");
    let settings = reader.read(&parse("x.yml", &text).unwrap(), Settings::read);
    let problems = reader.problems();
    (settings, problems.iter().map(Problem::to_string).collect())
}

fn tool(text: &str) -> Tool {
    let (settings, problems) = check(text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    match &settings[0].place {
        Place::Tool(tool) => tool.as_ref().clone(),
        place => panic!("{text}: {place:?}"),
    }
}

#[test]
fn each_tool_is_asked_in_its_own_way() {
    let words = |words: &[&str]| Way::Command(words.iter().map(|word| (*word).into()).collect());
    let cases = [
        (
            "pgbackrest: {stanza: main}",
            "main",
            words(&["pgbackrest"]),
            30,
        ),
        ("barman: {server: m}", "m", words(&["barman"]), 60),
        ("walg: {}", "", words(&["wal-g"]), 30),
        (
            "walg: {config: /etc/walg.json}",
            "",
            words(&["wal-g", "--config=/etc/walg.json"]),
            30,
        ),
        (
            "pgbackrest: {stanza: main, command: [sudo, -u, postgres, pgbackrest], config: /c, timeout: 5s}",
            "main",
            words(&["sudo", "-u", "postgres", "pgbackrest", "--config=/c"]),
            5,
        ),
        (
            "barman: {server: m, file: /run/barman.json}",
            "m",
            Way::File("/run/barman.json".into()),
            60,
        ),
        (
            "barman: {server: m, url: 'http://b/x?t=1'}",
            "m",
            Way::Url(Url::parse("http://b/x?t=1").unwrap()),
            60,
        ),
    ];
    for (text, subject, way, timeout) in cases {
        let tool = tool(text);
        assert_eq!((tool.subject.as_str(), tool.way), (subject, way), "{text}");
        assert_eq!(tool.timeout, Duration::from_secs(timeout), "{text}");
    }
    let home = tool("barman: {server: m, home: /var/lib/barman}").home;
    assert_eq!(home, Some("/var/lib/barman".into()));
    let two = tool("pgbackrest: {stanza: main, repository: 2, file: /i, archive_file: /a}");
    assert_eq!(
        (two.repository, two.archive),
        (Some(2), Some(Way::File("/a".into())))
    );
}

#[test]
fn every_mistake_is_named() {
    let cases = [
        (
            "pgbackrest: {}",
            "backups[0].pgbackrest.stanza: `stanza` is missing",
        ),
        (
            "pgbackrest: {stanza: --help}",
            "backups[0].pgbackrest.stanza: `--help` is no name",
        ),
        (
            "pgbackrest: {stanza: ../x}",
            "backups[0].pgbackrest.stanza: `../x` is no name",
        ),
        (
            "pgbackrest: {stanza: m, repository: 0}",
            "backups[0].pgbackrest.repository: `0` is no number of a repository",
        ),
        (
            "barman: {server: m, timeout: 0}",
            "backups[0].barman.timeout: must be longer than `0`",
        ),
        (
            "barman: {server: m, archive_file: /x}",
            "backups[0].barman.archive_file: unknown key",
        ),
        (
            "walg: {archive_file: /x}",
            "backups[0].walg.archive_file: goes with `file` or `url`",
        ),
        (
            "walg: {file: /x, command: [wal-g]}",
            "backups[0].walg.file: only one of `command`, `file` and `url`",
        ),
        (
            "walg: {url: 'http://u:p@h/'}",
            "backups[0].walg.url: must be readable without a password",
        ),
        (
            "walg: {url: 'file:///x'}",
            "backups[0].walg.url: must begin with",
        ),
        (
            "walg: {}, files: /b",
            "backups[0].walg: `files` says already where the backups are",
        ),
        (
            "walg: {}, barman: {server: m}",
            "backups[0].walg: `barman` says already where the backups are",
        ),
        (
            "every: 1d",
            "backups[0].files: one of `files`, `pgbackrest`, `barman` and `walg` is missing",
        ),
    ];
    for (text, expected) in cases {
        let (_, problems) = check(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
        assert!(problems[0].contains(expected), "{text}: {problems:#?}");
        assert!(!problems[0].contains("u:p"), "{problems:#?}");
    }
}

#[test]
fn a_program_that_is_run_has_to_be_there() {
    let reader = Reader::new(None);
    let text =
        "backups: [{name: a, walg: {command: [no-such-wal-g]}}, {name: b, walg: {file: /x}}]";
    reader.read(&parse("x.yml", text).unwrap(), Settings::read);
    let problems: Vec<String> = reader
        .outside()
        .iter()
        .filter_map(|each| each.problem())
        .map(|each| each.to_string())
        .collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("there is no program `no-such-wal-g`"),
        "{problems:?}"
    );
}

#[test]
fn each_tool_has_an_example_of_its_own() {
    let declared = Reader::describe(|root| {
        Settings::read(root);
    });
    for (tool, example) in [
        ("pgbackrest", "`[sudo, -u, postgres, pgbackrest]`"),
        ("barman", "`[sudo, -u, barman, barman]`"),
        ("walg", "`[sudo, -u, postgres, wal-g]`"),
    ] {
        let path = format!("backups[].{tool}.command");
        let key = declared.iter().find(|key| key.path == path).unwrap();
        assert!(key.doc.contains(example), "{}", key.doc);
    }
}
