//! `pgvigil check`: what it says of sources and of drills before anything is restored.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::claim15::unreadable::without_rights;
use super::drill::binaries;
use crate::harness::{Postgres, Scratch, is_root, pgvigil};

/// What `pgvigil check` says of backups that are configured so; `{here}` is the scratch folder.
fn said(scratch: &Scratch, url: &str, text: &str, mut command: Command) -> String {
    let text = text.replace("{here}", &scratch.path().display().to_string());
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "state_dir: '{}'\nservers: [{{name: shop, url: '{url}'}}]\n{text}",
            scratch.join("state").display()
        ),
    );
    command.current_dir(scratch.path());
    let output = command.args(["check", "--config"]).arg(config).output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

fn assert_says(said: &str, expected: &[&str]) {
    for words in expected {
        assert!(said.contains(words), "{words}\nin {said}");
    }
}

#[test]
fn what_stands_in_the_way_of_a_drill_is_told_before_it() {
    let (postgres, scratch) = (Postgres::start(15), Scratch::new());
    for folder in ["dumps", "base/a/base/1", "old/a"] {
        fs::create_dir_all(scratch.join(folder)).unwrap();
    }
    scratch.write("dumps/1.dump", "PGDMP");
    for (place, version) in [("base", "15"), ("old", "9.6")] {
        scratch.write(format!("{place}/a/PG_VERSION"), version);
        scratch.write(format!("{place}/a/backup_label"), "");
    }
    let huge = File::create(scratch.join("base/a/base/1/1")).unwrap();
    huge.set_len(4 << 40).unwrap();
    scratch.write("file", "");
    let common = format!("binaries: [{}]", binaries().join(", "));
    let text = format!(
        "backups:
  - {{name: dumps, files: '{{here}}/dumps'}}
  - {{name: lent, files: '{{here}}/dumps'}}
  - {{name: base, files: '{{here}}/base'}}
  - {{name: old, files: '{{here}}/old'}}
  - {{name: told, pgbackrest: {{stanza: main, file: '{{here}}/none'}}}}
  - {{name: m, barman: {{server: m, command: [sh]}}}}
  - {{name: own, barman: {{server: m, command: [sh]}}}}
drills:
  - {{source: dumps, work_dir: '{{here}}/w', {common}}}
  - {{source: lent, work_dir: '{{here}}/file', user: no-such-user, fetch_wal: [no-such-program, '{{path}}'], {common}}}
  - {{source: base, work_dir: '{{here}}/w', {common}}}
  - {{source: old, work_dir: '{{here}}/w', {common}}}
  - {{source: told, work_dir: '{{here}}/w', restore: ['{{here}}/file', '{{folder}}'], {common}}}
  - {{source: m, work_dir: '{{here}}/w', {common}}}
  - {{source: own, work_dir: '{{here}}/w', restore: [sh, '{{folder}}'], {common}}}
"
    );
    let url = postgres.url("postgres", "postgres");
    let all = said(&scratch, &url, &text, pgvigil());
    let here = scratch.path().display();
    let expected = [
        format!("ok       drills         `dumps`: PostgreSQL 15 in `{here}/w`"),
        format!(
            "bad      drills         `lent`: cannot write into the work folder `{here}/file`: "
        ),
        "bad      drills         `base`: no room: a drill of this backup may need 8193.0 GiB"
            .into(),
        "bad      drills         `old`: no PostgreSQL server of major 9 is installed here".into(),
        "drills[1].fetch_wal: there is no program `no-such-program`".into(),
        format!("drills[4].restore: `{here}/file` may not be executed"),
    ];
    assert_says(&all, &expected.each_ref().map(String::as_str));
    assert!(
        !all.contains("drills         `base`: no PostgreSQL"),
        "{all}"
    );
    if is_root() {
        let words =
            "bad      drills         `lent`: there is no user `no-such-user` other than root";
        let barman = "bad      drills         `m`: Barman does not stay root but becomes the user";
        assert_says(&all, &[words, "run by `nobody`", barman]);
        assert!(!all.contains("`own`: Barman does not"), "{all}");
    }
    assert!(!scratch.join("w").exists(), "to check is not to make");

    let told = text.replace("restore: ['{here}/file', '{folder}'], ", "");
    let words = "bad      drills         `told`: no program is known that restores such a backup; name one in `restore` of the drill";
    assert_says(&said(&scratch, &url, &told, pgvigil()), &[words]);
}

#[test]
fn what_stands_in_the_way_of_a_look_is_told_with_the_way_out() {
    let scratch = Scratch::new();
    for folder in ["dumps", "closed", "empty", "shut"] {
        fs::create_dir_all(scratch.join(folder)).unwrap();
    }
    for file in ["dumps/1.dump", "closed.log", "good.log"] {
        scratch.write(file, "PGDMP");
    }
    for closed in ["closed", "closed.log"] {
        fs::set_permissions(scratch.join(closed), Permissions::from_mode(0o000)).unwrap();
    }
    let text = "backups:
  - {name: good, files: '{here}/dumps/1.dump', log: '{here}/good.log'}
  - {name: here, files: dumps/*, log: good.log, wal: empty}
  - {name: nolog, files: '{here}/dumps', log: '{here}/none.log'}
  - {name: closed, files: '{here}/closed', log: '{here}/closed.log'}
  - {name: nowal, files: '{here}/dumps', wal: '{here}/none'}
  - {name: tool, pgbackrest: {stanza: main, config: '{here}/none.conf'}}
  - {name: typo, barman: {server: main, file: none.json}}
";
    let all = said(
        &scratch,
        "postgresql://nobody@127.0.0.1:1/shop",
        text,
        without_rights(),
    );
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8_lossy(&user).trim().to_owned();
    let here = scratch.path().canonicalize().unwrap();
    let here = here.display();
    let relative = |name: &str, key: &str, path: &str| {
        format!(
            "warning  backups        `{name}`: `{key}` is the relative path `{path}`: it begins where pgvigil is started, which is `{here}` now and `/` under systemd"
        )
    };
    let expected = [
        format!("ok       backups        `good`: `{here}/dumps`\n"),
        "ok       backups        `here`: `dumps`\n".into(),
        relative("here", "files", "dumps"),
        format!("hint: write the whole path, such as `{here}/dumps`\n"),
        relative("here", "log", "good.log"),
        relative("here", "wal", "empty"),
        "warning  backups        `here`: `wal`: `empty` holds no WAL\n".into(),
        format!(
            "bad      backups        `nolog`: the log `{here}/none.log` does not exist; does the job write one, and there?\n"
        ),
        format!(
            "bad      backups        `closed`: folder `{here}/closed` may not be read by the user `{user}`, as whom pgvigil runs (Permission denied); let `{user}` list it"
        ),
        format!(
            "bad      backups        `closed`: the log `{here}/closed.log` cannot be read: the user `{user}`, as whom pgvigil runs, may not read it (Permission denied); let `{user}` in by its group, or with `setfacl -m u:{user}:r`\n"
        ),
        format!("bad      backups        `nowal`: `wal`: folder `{here}/none` does not exist\n"),
        "`tool`: pgBackRest (stanza main) cannot tell of its backups: it ended with 55".into(),
        "; say with `config` where its configuration is\n".into(),
        relative("typo", "file", "none.json"),
    ];
    assert_says(&all, &expected.each_ref().map(String::as_str));
    assert!(!all.contains("backups        `good`: `log`"), "{all}");
    let mut verify = without_rights();
    verify.args(["backup", "verify"]);
    let output = verify.arg(scratch.join("closed.log")).output().unwrap();
    let words = format!(
        "closed.log: bad: cannot be read: the user `{user}`, as whom pgvigil runs, may not read it (Permission denied); let `{user}` in by its group"
    );
    assert_says(&String::from_utf8_lossy(&output.stdout), &[&words]);
    fs::set_permissions(scratch.join("closed"), Permissions::from_mode(0o700)).unwrap();
}
