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

/// The beginning of a custom archive or, in the format 3, of the table of contents of others.
fn header(format: u8, dumper: &str) -> Vec<u8> {
    let integer = |value: usize| [&[0][..], &(value as u32).to_le_bytes()].concat();
    let string = |text: &str| [integer(text.len()), text.as_bytes().to_vec()].concat();
    let mut header = [&b"PGDMP"[..], &[1, 14, 0, 4, 8, format]].concat();
    // Its compression, and when it was made: second, minute, hour, day, month, year, and whether in summer.
    for value in [0, 0, 0, 0, 1, 10, 126, 0] {
        header.extend(integer(value));
    }
    for text in ["shop", "15.1", dumper] {
        header.extend(string(text));
    }
    header
}

#[test]
fn before_a_dump_is_read_its_head_says_which_server_a_drill_needs() {
    let scratch = Scratch::new();
    for folder in ["custom", "folder/1", "tape", "plain", "here"] {
        fs::create_dir_all(scratch.join(folder)).unwrap();
    }
    scratch.write("custom/1.dump", header(1, "99.1"));
    scratch.write("here/1.dump", header(1, "15.1"));
    scratch.write("folder/1/toc.dat", header(3, "99.1"));
    let (mut tape, toc) = (tar::Builder::new(Vec::new()), header(3, "99.1"));
    let mut head = tar::Header::new_ustar();
    head.set_size(toc.len() as u64);
    tape.append_data(&mut head, "toc.dat", toc.as_slice())
        .unwrap();
    scratch.write("tape/1.tar", tape.into_inner().unwrap());
    let plain = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.1\n-- Dumped by pg_dump version 99.1\n\n";
    scratch.write("plain/1.sql", plain);
    let (mut backups, mut drills) = (String::new(), String::new());
    for name in ["custom", "folder", "tape", "plain", "here"] {
        backups += &format!("  - {{name: {name}, files: '{{here}}/{name}'}}\n");
        let binaries = binaries().join(", ");
        drills +=
            &format!("  - {{source: {name}, work_dir: '{{here}}/w', binaries: [{binaries}]}}\n");
    }
    let text = format!("backups:\n{backups}drills:\n{drills}");
    let url = "postgresql://nobody@127.0.0.1:1/shop";
    let all = said(&scratch, url, &text, pgvigil());
    for name in ["custom", "folder", "tape", "plain"] {
        let words = format!(
            "bad      drills         `{name}`: no PostgreSQL server of major 99 or newer is installed here"
        );
        assert_says(&all, &[&words]);
    }
    assert_says(&all, &["ok       drills         `here`: PostgreSQL 15 in "]);
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
    for folder in [
        "dumps",
        "closed",
        "empty",
        "base/monday",
        "base/tuesday/global",
        "wal",
        "secret/dump",
    ] {
        fs::create_dir_all(scratch.join(folder)).unwrap();
    }
    for file in [
        "dumps/1.dump",
        "closed.log",
        "good.log",
        "base/monday/backup_label",
        "base/tuesday/backup_label",
        "wal/000000010000000000000001",
        "wal/000000010000000000000002",
        "secret/1.dump",
        "secret/dump/toc.dat",
    ] {
        scratch.write(file, "PGDMP");
    }
    let wal = scratch.join("wal/000000010000000000000001");
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    File::options()
        .append(true)
        .open(wal)
        .unwrap()
        .set_modified(earlier)
        .unwrap();
    for closed in [
        "closed",
        "closed.log",
        "base/monday",
        "base/tuesday/global",
        "wal/000000010000000000000002",
        "secret/1.dump",
        "secret/dump/toc.dat",
    ] {
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
  - {name: empty, files: '{here}/empty'}
  - {name: none, files: '{here}/dumps/*.gz'}
  - {name: monday, files: '{here}/base/mon*'}
  - {name: tuesday, files: '{here}/base/tue*'}
  - {name: archive, files: '{here}/dumps', wal: '{here}/wal'}
  - {name: only, files: '{here}/wal'}
  - {name: secret, files: '{here}/secret/*.dump'}
  - {name: beside, files: '{here}/secret/d*'}
drills:
  - {source: secret, work_dir: '{here}/w'}
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
        format!("ok       backups        `good`: `{here}/dumps`: 1 backup\n"),
        "ok       backups        `here`: `dumps`: 1 backup\n".into(),
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
        format!("warning  backups        `empty`: `{here}/empty` holds no finished backup; "),
        format!(
            "warning  backups        `none`: `{here}/dumps` holds no finished backup whose name is like `*.gz`; "
        ),
        format!(
            "bad      backups        `monday`: folder `{here}/base/monday` may not be read by "
        ),
        format!(
            "bad      backups        `tuesday`: folder `{here}/base/tuesday/global` may not be read by "
        ),
        format!(
            "bad      backups        `archive`: its newest segment of WAL, `{here}/wal/000000010000000000000002`, cannot be read: the user `{user}`, as whom pgvigil runs, may not read it"
        ),
        format!("bad      backups        `only`: its newest segment of WAL, `{here}/wal/"),
        format!(
            "bad      backups        `secret`: its newest backup, `{here}/secret/1.dump`, cannot be read: the user `{user}`"
        ),
        format!(
            "bad      drills         `secret`: its newest backup, `{here}/secret/1.dump`, cannot be read"
        ),
        format!(
            "bad      backups        `beside`: its newest backup, `{here}/secret/dump/toc.dat`, cannot be read"
        ),
    ];
    assert_says(&all, &expected.each_ref().map(String::as_str));
    for silent in [
        "backups        `good`: `log`",
        "ok       backups        `empty`",
        "ok       backups        `secret`",
    ] {
        assert!(!all.contains(silent), "{silent}\nin {all}");
    }
    let mut verify = without_rights();
    verify.args(["backup", "verify"]);
    let output = verify.arg(scratch.join("closed.log")).output().unwrap();
    let words = format!(
        "closed.log: bad: cannot be read: the user `{user}`, as whom pgvigil runs, may not read it (Permission denied); let `{user}` in by its group"
    );
    assert_says(&String::from_utf8_lossy(&output.stdout), &[&words]);
    for folder in ["closed", "base/monday", "base/tuesday/global"] {
        fs::set_permissions(scratch.join(folder), Permissions::from_mode(0o700)).unwrap();
    }
}
