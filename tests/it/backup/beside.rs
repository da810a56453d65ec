//! `pgvigil backup status` beside a pgvigil that runs: what only that one sees, cron is told as well.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Authority, Daemon, Postgres, Scratch, eventually, free_port, pgvigil};

const PATIENCE: Duration = Duration::from_secs(90);
const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 15.18\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

fn run(config: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = pgvigil();
    command.arg("backup").args(arguments);
    command.arg("--config").arg(config);
    let mut daemon = Daemon::spawn(command);
    let code = daemon.wait(PATIENCE).expect("it ends");
    (code, daemon.output())
}

fn json(config: &Path) -> (i32, Value) {
    let (code, text) = run(config, &["status", "--json", "--no-read"]);
    let account = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    (code, account)
}

fn watch(config: &Path) -> Daemon {
    let mut command = pgvigil();
    command.arg("--config").arg(config);
    Daemon::spawn(command)
}

#[test]
fn wal_that_is_swallowed_is_no_good_news_for_cron() {
    let scratch = Scratch::new();
    let [base, wal] = ["base", "wal"].map(|name| scratch.join(name));
    for folder in [&base, &wal] {
        fs::create_dir(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let settings = ["archive_mode=on", "archive_command=/bin/true"];
    let postgres = Postgres::with(17, &settings);
    let mut backup = postgres.command("pg_basebackup");
    backup.args(["-c", "fast", "--no-sync", "-D"]);
    assert!(backup.arg(base.join("1")).status().unwrap().success());
    let port = free_port();
    let config = scratch.write(
        "pgvigil.yml",
        format!(
            "listen: 0.0.0.0:{port}\nstate_dir: {state}\n\
             servers: [{{name: shop, url: '{url}'}}]\n\
             backups: [{{name: repo, server: shop, files: '{base}', wal: '{wal}', every: 7d, rpo: 2s, look: 1s}}]\n\
             collect: {{interval: 1s}}\nrules: {{interval: 1s}}\n",
            state = scratch.join("state").display(),
            url = postgres.url("postgres", "postgres"),
            base = base.display(),
            wal = wal.display(),
        ),
    );
    let running = watch(&config);
    let mut wrote = 0;
    let bad = eventually("it is told", PATIENCE, || {
        postgres.sql("postgres", "SELECT pg_create_restore_point('x'); SELECT pg_switch_wal(); CREATE TABLE IF NOT EXISTS t (i int); INSERT INTO t VALUES (1)");
        wrote += 1;
        let (code, account) = json(&config);
        let problems = account["sources"][0]["problems"].to_string();
        let said = [
            "WAL that the server has archived is not here",
            "the newest moment that could be restored is at least",
        ];
        let alerts = account["alerts"].to_string();
        let all =
            said.iter().all(|words| problems.contains(words)) && alerts.contains("RpoExceeded");
        (all && code == 1).then_some(account)
    });
    assert_eq!(
        (&bad["seen_by"], &bad["standing"]),
        (&"watch".into(), &"bad".into())
    );
    assert_eq!(bad["unjudged"], Value::Null);
    assert!(bad["sources"][0]["recovery"]["wal_behind_segments"].as_u64() > Some(1));
    let (code, table) = run(&config, &["status"]);
    assert_eq!(code, 1, "{table}");
    for words in [
        "bad: WAL that the server has archived",
        "fires: RpoExceeded, critical",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let page = page_of(&format!("http://127.0.0.1:{port}/"));
    assert!(
        page.contains("more would be lost than was promised"),
        "{page}"
    );

    // What cannot be seen by hand is not passed over in silence.
    let (code, table) = run(&config, &["status", "--here"]);
    let said = "looked at from here alone: swallowed WAL, gaps in an archive that";
    assert!(code == 0 && table.contains(said), "{code}: {table}");
    drop(running);
    let (code, account) = json(&config);
    let why = format!("no pgvigil answers at `127.0.0.1:{port}` (");
    let unjudged = account["unjudged"].as_str().unwrap();
    assert!(unjudged.starts_with(&why), "{unjudged}");
    assert!(
        code != 1 && account["seen_by"] == "hand",
        "{code}: {account}"
    );
}

fn page_of(url: &str) -> String {
    let output = std::process::Command::new("curl")
        .args(["-s", "-m", "10", url])
        .output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

/// One dump of yesterday under a name, and a configuration over it.
fn dumps(scratch: &Scratch, name: &str, port: u16, web: &str) -> std::path::PathBuf {
    let folder = scratch.join("dumps");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("1.sql");
    fs::write(&file, DUMP).unwrap();
    let written = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(written)
        .unwrap();
    let config = format!(
        "listen: 127.0.0.1:{port}\nstate_dir: {state}\nweb: {web}\n\
         servers: [{{name: shop, url: 'postgresql://nobody@127.0.0.1:1/shop'}}]\n\
         backups: [{{name: {name}, server: shop, files: '{folder}/*.sql', every: 1d, look: 1s}}]\n",
        state = scratch.join("state").display(),
        folder = folder.display(),
    );
    scratch.write(format!("{name}.yml"), config)
}

#[test]
fn it_is_asked_as_its_configuration_says_and_nobody_else() {
    let (scratch, port) = (Scratch::new(), free_port());
    // Another name than that by which it is asked.
    let (cert, key) = Authority::new().issue(&["db.example"]);
    let (cert, key) = (
        scratch.write("cert.pem", cert),
        scratch.write("key.pem", key),
    );
    let hash = bcrypt::hash("secret", 4).unwrap();
    let shut = format!(
        "tls: {{cert: {}, key: {}}}, auth: {{users: {{ops: '{hash}'}}}}",
        cert.display(),
        key.display()
    );
    let config = dumps(
        &scratch,
        "nightly",
        port,
        &format!("{{{shut}, token: letmein}}"),
    );
    let _running = watch(&config);
    eventually("it answers", PATIENCE, || {
        let (code, account) = json(&config);
        (code == 0 && account["seen_by"] == "watch").then_some(())
    });
    // Each is looked at by hand, with the reason.
    let other = Authority::new().issue(&["db.example"]);
    let forged = format!(
        "tls: {{cert: {}, key: {}}}, token: letmein",
        scratch.write("other.pem", other.0).display(),
        scratch.write("otherkey.pem", other.1).display()
    );
    let cases = [
        (
            "other",
            format!("{{{shut}, token: letmein}}"),
            "watches other backups than are configured here",
        ),
        (
            "nightly2",
            format!("{{{shut}}}"),
            "asks for another password than it is given, or for one at all: set `web.token`",
        ),
        ("nightly3", format!("{{{forged}}}"), "no pgvigil answers at"),
    ];
    for (name, web, why) in cases {
        let config = dumps(&scratch, name, port, &web);
        let (_, account) = json(&config);
        let unjudged = account["unjudged"].as_str().unwrap_or_default();
        assert!(
            unjudged.contains(why) && unjudged.contains(": swallowed WAL"),
            "{name}: {unjudged}"
        );
        assert!(!unjudged.contains("letmein"), "{unjudged}");
    }
}
