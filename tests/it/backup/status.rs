//! `pgvigil backup status` and `attest`, as a person and as cron run them, alone and beside a watch.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use pgvigil::backup::{Kind, Outcome, Report};
use pgvigil::sample::Timestamp;
use serde_json::Value;

use crate::harness::{Daemon, Scratch, eventually, free_port, pgvigil};

const PATIENCE: Duration = Duration::from_secs(60);
const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

struct Scene {
    scratch: Scratch,
    config: PathBuf,
}

impl Scene {
    /// Two sources: `nightly` with a log, and `cloud`, the copy of it.
    fn new(port: u16) -> Scene {
        let scratch = Scratch::new();
        for folder in ["dumps", "cloud", "state"] {
            fs::create_dir(scratch.join(folder)).unwrap();
        }
        let path = |name: &str| scratch.join(name).display().to_string();
        let config = format!(
            "listen: 127.0.0.1:{port}\nstate_dir: {state}\n\
             servers: [{{name: shop, url: 'postgresql://nobody@127.0.0.1:1/shop'}}]\n\
             backups:\n\
             - {{name: nightly, server: shop, files: '{dumps}/*.sql', every: 1d, keep: 2d, log: '{log}', look: 1s}}\n\
             - {{name: cloud, server: shop, files: '{cloud}/*.sql', every: 1d, copy_of: nightly, offsite: true, look: 1s}}\n",
            state = path("state"),
            dumps = path("dumps"),
            cloud = path("cloud"),
            log = path("backup.log"),
        );
        let config = scratch.write("pgvigil.yml", config);
        let scene = Scene { scratch, config };
        scene.log("nothing to tell\n");
        for (day, hours) in [(0, 3), (1, 27), (2, 51)] {
            scene.put("dumps", &format!("{day}.sql"), DUMP, hours);
            scene.put("cloud", &format!("{day}.sql"), DUMP, hours);
        }
        scene
    }

    fn put(&self, folder: &str, name: &str, content: &str, hours_ago: u64) {
        let path = self.scratch.join(folder).join(name);
        fs::write(&path, content).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let then = SystemTime::now() - Duration::from_secs(hours_ago * 3600);
        file.set_modified(then).unwrap();
    }

    fn log(&self, content: &str) {
        fs::write(self.scratch.join("backup.log"), content).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = pgvigil();
        command
            .arg("backup")
            .args(arguments)
            .arg("--config")
            .arg(&self.config);
        let mut daemon = Daemon::spawn(command);
        let code = daemon.wait(PATIENCE).expect("it ends");
        (code, daemon.output())
    }

    fn json(&self) -> (i32, Value) {
        let (code, text) = self.run(&["status", "--json"]);
        (
            code,
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")),
        )
    }
}

fn get(url: &str) -> String {
    let output = Command::new("curl").args(["-s", "-m", "5", url]).output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

fn line<'v>(account: &'v Value, key: &str) -> &'v Value {
    let lines = account["checklist"].as_array().unwrap();
    lines.iter().find(|line| line["line"] == key).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn status_is_a_table_with_an_exit_code_for_cron() {
    let scene = Scene::new(free_port());
    let (code, table) = scene.run(&["status"]);
    assert_eq!(code, 0, "{table}");
    let shown = [
        "nightly           3 h         1 d",
        "  newest: 0.sql",
        "all is well with the backups",
        "  proved    The newest backup was read to its end and is whole",
        "-> pgvigil backup drill nightly",
        "-> pgvigil backup attest contacts-current --by NAME",
    ];
    for words in shown {
        assert!(table.contains(words), "{words}: {table}");
    }
    let wide = table.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
    assert!(
        !table.contains('\u{1b}'),
        "no colours without a terminal: {table}"
    );
    assert_eq!(
        files(&scene.scratch.join("state")),
        Vec::<PathBuf>::new(),
        "nothing is written"
    );
    let (code, _) = scene.run(&["status", "--strict"]);
    assert_eq!(code, 1, "an unticked line is bad where that is asked for");
    let (code, table) = scene.run(&["status", "--no-read"]);
    assert_eq!(code, 2, "what was not read cannot be told: {table}");
    assert!(
        table.contains("cannot tell: the newest, `0.sql`, has not been read yet"),
        "{table}"
    );

    // Half of a dump, under a name that a terminal would obey.
    scene.put("dumps", "\u{1b}[31m9.sql", &DUMP[..60], 1);
    let (code, table) = scene.run(&["status"]);
    assert_eq!(code, 1, "{table}");
    assert!(
        table.contains("bad: the newest,") && table.contains("something is bad"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'), "{table}");

    fs::remove_dir_all(scene.scratch.join("dumps")).unwrap();
    let (code, table) = scene.run(&["status"]);
    assert_eq!(code, 2, "{table}");
    assert!(
        table.contains("cannot tell:") && table.contains("does not exist"),
        "{table}"
    );

    // What is seen to be otherwise is not attested; what cannot be seen is a person's word.
    fs::create_dir(scene.scratch.join("dumps")).unwrap();
    let (code, said) = scene.run(&["attest", "backup-ran", "--by", "Monica"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("error: `backup-ran` is seen to be otherwise: nightly: ")
            && said.contains("hint: mend that first: run the backup job by hand"),
        "{said}"
    );
    assert_eq!(
        files(&scene.scratch.join("state")),
        Vec::<PathBuf>::new(),
        "it is not written down"
    );
    let (code, said) = scene.run(&["attest", "access-audited", "--by", "Monica"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn nobody_attests_a_restore_while_the_newest_drill_failed() {
    let scene = Scene::new(free_port());
    let attest = || scene.run(&["attest", "restored-in-drill", "--by", "Monica"]);
    let then = Timestamp::now().before(Duration::from_secs(3600));
    let report = Report {
        source: "nightly".into(),
        backup: "0.sql".into(),
        kind: Some(Kind::Dump),
        started: then,
        finished: then,
        recovery_point: None,
        target: None,
        phases: BTreeMap::new(),
        outcome: Outcome::Failed("it was cut".into()),
        restored_bytes: 0,
        data_age: None,
        checks: Vec::new(),
        major: Some(15),
        is_alone: None,
    };
    let drills = scene.scratch.join("state/drills");
    fs::create_dir(&drills).unwrap();
    let file = drills.join("1.json");
    fs::write(&file, serde_json::to_vec(&report).unwrap()).unwrap();
    let (code, said) = attest();
    let words =
        "error: `restored-in-drill` is seen to be otherwise: nightly: the restore of `0.sql`";
    assert!(code == 2 && said.contains(words), "{code} {said}");
    fs::remove_file(&file).unwrap();
    let (code, said) = attest();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn what_a_drill_was_told_to_keep_is_told() {
    let scene = Scene::new(free_port());
    let kept = scene.scratch.join("state/drill/kept-0123");
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join("data"), [0; 2048]).unwrap();
    let (code, table) = scene.run(&["status"]);
    let words = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 0 && words.contains("kept-0123`"), "{code}: {table}");
    assert!(
        words.contains("2.00 KiB; nothing removes it but `rm -r`"),
        "{table}"
    );
    let (_, account) = scene.json();
    assert_eq!(account["kept"][0]["bytes"], 2048);
    let mut check = pgvigil();
    check.arg("check").arg("--config").arg(&scene.config);
    let output = check.output().unwrap();
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.contains("kept-0123` was kept by a drill "),
        "{output}"
    );
    assert!(kept.exists());
}

#[test]
fn what_is_attested_is_shown_by_the_watch_and_can_be_withdrawn() {
    let port = free_port();
    let scene = Scene::new(port);
    let mut command = pgvigil();
    command.arg("--config").arg(&scene.config);
    let _watch = Daemon::spawn(command);
    let account = || {
        let answer = get(&format!("http://127.0.0.1:{port}/api/backups"));
        serde_json::from_str::<Value>(&answer).ok()
    };
    let until = |what: &str, holds: &dyn Fn(&Value) -> bool| {
        eventually(what, PATIENCE, || {
            account().filter(|account| holds(account))
        })
    };
    let judged = until("the sources are judged", &|account| {
        account["standing"] == "good"
    });
    assert_eq!(line(&judged, "integrity-verified")["standing"], "proved");
    assert_eq!(line(&judged, "backup-offsite")["standing"], "proved");
    assert_eq!(line(&judged, "logs-reviewed")["standing"], "observed");
    assert_eq!(judged["sources"][1]["backups"][0]["proof"], "whole");
    assert_eq!(judged["sources"][1]["promises"]["keep_seconds"], 172_800.0);

    let (code, said) = scene.run(&[
        "attest",
        "contacts-current",
        "--by",
        "Monica",
        "--note",
        "on the fridge",
    ]);
    assert_eq!(code, 0, "{said}");
    let ticked = until("the watch has heard", &|account| {
        line(account, "contacts-current")["by"] == "Monica"
    });
    let evidence = line(&ticked, "contacts-current")["evidence"][0]
        .as_str()
        .unwrap();
    assert!(
        evidence.contains("`Monica`") && evidence.contains("`on the fridge`"),
        "{evidence}"
    );
    let (code, beside) = scene.json();
    assert_eq!(
        (code, &line(&beside, "contacts-current")["standing"]),
        (0, &"attested".into())
    );

    let (code, said) = scene.run(&["attest", "contacts-curent", "--by", "Monica"]);
    assert_eq!(code, 2);
    assert!(said.contains("did you mean `contacts-current`?"), "{said}");
    let (code, said) = scene.run(&["attest", "contacts-current"]);
    assert!(code == 2 && said.contains("--by"), "{said}");
    let (code, said) = scene.run(&["attest", "contacts-current", "--withdraw"]);
    assert_eq!(code, 0, "{said}");
    until("it is withdrawn", &|account| {
        line(account, "contacts-current")["standing"] == "unticked"
    });

    scene.log("nothing to tell\npg_dump: error: query failed: <b>no</b>\n");
    let bad = until("the error is seen", &|account| account["standing"] == "bad");
    let said = line(&bad, "logs-reviewed")["missing"][0].as_str().unwrap();
    assert_eq!(
        said,
        "nightly: its log has an error: `pg_dump: error: query failed: <b>no</b>`"
    );
    let page = get(&format!("http://127.0.0.1:{port}/"));
    assert!(
        page.contains("The backup logs are free of errors"),
        "{page}"
    );
    assert!(
        page.contains("query failed: &lt;b&gt;no&lt;/b&gt;"),
        "{page}"
    );
    // A person has looked at it.
    let (code, said) = scene.run(&["attest", "logs-reviewed", "--by", "Monica"]);
    assert_eq!(code, 0, "{said}");
    until("the review counts", &|account| {
        line(account, "logs-reviewed")["standing"] == "attested"
    });
}
