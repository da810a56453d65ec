use super::super::super::answer::json;
use super::super::super::tests::{answered, words};
use super::*;

const NOW: Timestamp = Timestamp(1_795_420_000_000);
const SYSTEM: &str = "of 7711263572317271532";

fn answer(name: &str, only: Option<u64>) -> Result<Info, Refusal> {
    let text = answered(&format!("pgbackrest/{name}.json"));
    read(&json(&text).unwrap(), "main", only, NOW)
}

#[test]
fn each_state_is_read() {
    let three = format!(
        "full 20261123-072947F done 1795418991-4 102738387B in 1 wal 1:15-15 {SYSTEM}\n\
         diff 20261123-072947F_20261123-072951D done 1795418993-2 25937B in 1 wal 1:17-17 on 20261123-072947F {SYSTEM}\n\
         incr 20261123-072947F_20261123-072954I done 1795418995-1 25988B in 1 wal 1:19-19 on 20261123-072947F_20261123-072951D {SYSTEM}"
    );
    let two = format!(
        "full 20261123-072956F done 1795419239-243 53333415B in 1 wal 1:1a-1b {SYSTEM}\n\
         full 20261123-073614F done 1795419377-3 102738540B in 1 wal 1:1d-1d {SYSTEM}"
    );
    let bad = format!(
        "incr 20261123-073614F_20261123-073825I damaged 1795419506-1 1757100B in 1 wal 1:27-27 on 20261123-073614F {SYSTEM}: \
         holds pages whose checksum is wrong: the database was damaged when it was taken"
    );
    let other =
        format!("full 20261123-073751F done 1795419475-4 102738595B in 2 wal 1:24-25 {SYSTEM}");
    let running = "full running running 1795420000 0B";
    let cases = [
        ("ok-full-diff-incr", three.clone()),
        ("backup-in-progress", format!("{three}\n{running}")),
        ("orphan-lock-held", format!("{two}\n{running}")),
        ("after-killed-backup", two.clone()),
        ("after-expire", two.clone()),
        (
            "archiving-broken-but-status-ok",
            format!("{two}\n{running}"),
        ),
        (
            "mixed-repo2-missing",
            format!("{two}\n! repository 2: missing stanza path"),
        ),
        ("two-repos-ok", format!("{two}\n{other}")),
        ("page-checksum-error", format!("{two}\n{other}\n{bad}")),
        (
            "repo2-permission-denied",
            format!(
                "{two}\n! repository 2: [PathOpenError] unable to list file info for path '/srv/lab/pgbr/repo2/backup': [13] Permission denied"
            ),
        ),
        (
            "no-valid-backups",
            "! repository 1: no valid backups".into(),
        ),
        (
            "no-backup-wal-ok",
            "! repository 1: no valid backups".into(),
        ),
        (
            "missing-stanza-path",
            "! repository 1: missing stanza path; was `stanza-create` run, and does `config` say where its configuration is?".into(),
        ),
        ("no-stanza-all", "! there is no stanza `main`".into()),
    ];
    for (name, expected) in cases {
        assert_eq!(
            words(&answer(name, None).unwrap().sighting),
            expected,
            "{name}"
        );
    }
    let corrupt = words(&answer("corrupt-info", None).unwrap().sighting);
    let begin = format!("{two}\n{bad}\n! repository 2: [FormatError] unable to load info file");
    assert!(corrupt.starts_with(&begin), "{corrupt}");
}

#[test]
fn one_repository_of_several() {
    let second = words(&answer("page-checksum-error", Some(2)).unwrap().sighting);
    assert!(
        second.starts_with("full 20261123-073751F done") && !second.contains('\n'),
        "{second}"
    );
    let denied = answer("repo2-permission-denied", Some(2));
    let Err(Refusal::Failed(said)) = denied else {
        panic!("{denied:?}")
    };
    assert!(said.contains("Permission denied"), "{said}");
}

#[test]
fn another_stanza_is_none_of_ours() {
    let text = answered("pgbackrest/ok-full-diff-incr.json");
    let info = read(&json(&text).unwrap(), "mian", None, NOW).unwrap();
    assert_eq!(
        words(&info.sighting),
        "! there is no stanza `mian`; there is `main`"
    );
}

#[test]
fn what_has_another_form_is_no_empty_repository() {
    for text in [
        "{}",
        "[{\"name\": \"main\"}]",
        "[{\"name\": \"main\", \"backup\": {}}]",
        "7",
    ] {
        let whole = read(&serde_json::from_str(text).unwrap(), "main", None, NOW);
        assert!(
            matches!(whole, Err(Refusal::Unreadable(_))),
            "{text}: {whole:?}"
        );
    }
}

#[test]
fn an_upgraded_stanza_keeps_its_archives_apart() {
    let text = r#"[{"name": "main", "repo": [{"key": 1, "status": {"code": 0}, "cipher": "aes-256-cbc"}],
        "archive": [{"id": "15-1", "database": {"id": 1, "repo-key": 1}}, {"id": "16-2", "database": {"id": 2, "repo-key": 1}}],
        "db": [{"id": 1, "repo-key": 1, "system-id": 5}, {"id": 2, "repo-key": 1, "system-id": 6}],
        "backup": [
            {"label": "A", "type": "full", "timestamp": {"stop": 10}, "database": {"id": 1, "repo-key": 1}, "archive": {"start": "000000010000000000000003", "stop": "000000010000000000000004"}, "lsn": {"start": "0/0C000028"}},
            {"label": "B", "type": "full", "timestamp": {"stop": 20}, "database": {"id": 2, "repo-key": 1}, "archive": {"start": "000000010000000100000002", "stop": "000000010000000100000003"}, "lsn": {"start": "1/08000028"}},
            {"label": "C", "type": "full"}
        ]}]"#;
    let info = read(&json(text).unwrap(), "main", None, NOW).unwrap();
    // Segments of 64 MiB, for so lie the positions in them.
    assert_eq!(
        words(&info.sighting),
        "full A done 10 0B in 1 of 5\nfull B done 20 0B in 1 wal 1:42-43 of 6\n! it lists a backup without a name or a time"
    );
    assert_eq!(info.repositories[0].archive.as_deref(), Some("16-2"));
    assert_eq!(info.sighting.backups[0].storage.is_encrypted, Some(true));
}
