//! Dumps of every form, whole and not.

use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Scene, check, connections, succeed};
use crate::harness::Postgres;

const DATABASE: &str = "
    CREATE ROLE \"Shop Owner\"; CREATE ROLE clerk;
    CREATE SCHEMA stock AUTHORIZATION \"Shop Owner\";
    CREATE TABLE users (id int PRIMARY KEY, name text, created_at timestamptz DEFAULT now());
    ALTER TABLE users OWNER TO \"Shop Owner\";
    GRANT SELECT ON users TO clerk;
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON users FOR SELECT TO clerk USING (true);
    INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 40) AS i;
    CREATE TABLE stock.\"Odd \"\"Name\\n\" (id int REFERENCES users, note text);
    INSERT INTO stock.\"Odd \"\"Name\\n\" SELECT 1 + i % 40, md5(i::text) FROM generate_series(1, 200) AS i;
    CREATE TABLE empty (id int);
    SELECT lo_from_bytea(4243, 'a large object');
";

const DRILL: &str = "tables: [users, 'stock.Odd \"Name\\n'], assert: ['SELECT count(*) = 40 FROM users;', 'SELECT count(*) = 200 FROM stock.\"Odd \"\"Name\\n\"'], freshness: SELECT max(created_at) FROM users";

fn live(major: u32) -> Postgres {
    let postgres = Postgres::with(major, &["log_connections=on"]);
    postgres.sql("postgres", "CREATE DATABASE shop;");
    postgres.sql("shop", DATABASE);
    postgres
}

fn dump(postgres: &Postgres, scene: &Scene, name: &str, options: &[&str]) {
    let mut command = postgres.command("pg_dump");
    command
        .args(options)
        .arg("-f")
        .arg(scene.scratch.join("b").join(name))
        .arg("shop");
    succeed(&mut command);
}

fn printed(postgres: &Postgres, tool: &str, options: &[&str]) -> Vec<u8> {
    let output = postgres
        .command(tool)
        .args(options)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_of_dump_is_restored() {
    let scene = Scene::files(DRILL);
    let (old, new) = (live(13), live(17));
    dump(&old, &scene, "old.dump", &["-Fc"]);
    dump(&new, &scene, "folder", &["-Fd", "--compress=zstd"]);
    dump(&new, &scene, "tape.tar", &["-Ft"]);
    scene.put("plain.sql.gz", gzip(&printed(&new, "pg_dump", &["shop"])));
    scene.put(
        "guide.sql.gz",
        gzip(&printed(&new, "pg_dump", &["-Fc", "--compress=9", "shop"])),
    );
    scene.put("cluster.sql", printed(&new, "pg_dumpall", &[]));
    let seen = (connections(&old), connections(&new));
    for (name, major) in [
        ("old.dump", 15),
        ("folder", 17),
        ("tape.tar", 17),
        ("plain.sql.gz", 17),
        ("guide.sql.gz", 17),
        ("cluster.sql", 17),
    ] {
        let report = scene.restored(&["--backup", name]);
        assert_eq!(report["backup"], name);
        assert_eq!(report["major"], major, "{name}");
        assert!(
            report["restored_bytes"].as_u64().unwrap() > 1 << 20,
            "{report:#}"
        );
        assert!(
            report["phases_seconds"]["restore"].as_f64().unwrap() > 0.0,
            "{report:#}"
        );
        if name != "cluster.sql" {
            assert_eq!(
                check(&report, "every table has the rows")["found"],
                "240 rows in 3 tables",
                "{name}"
            );
        }
        if !name.contains("sql") || name == "guide.sql.gz" {
            let found = "3 of 3 tables, 2 of 2 constraints";
            assert_eq!(
                check(&report, "every table and constraint")["found"],
                found,
                "{name}"
            );
        }
        assert_eq!(
            check(&report, "tables and indexes are intact")["holds"],
            true
        );
        assert!(
            report["data_age_seconds"].as_f64().unwrap() < 3600.0,
            "{report:#}"
        );
        scene.assert_tidy();
    }
    assert_eq!(
        (connections(&old), connections(&new)),
        seen,
        "no live server was spoken to"
    );
}

const PLAIN: &str = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version VERSION\n\nCREATE TABLE public.users (id int);\n\nMORE\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

fn plain(version: &str, more: &str) -> String {
    PLAIN.replace("VERSION", version).replace("MORE", more)
}

#[test]
fn what_is_not_good_says_where_it_ended() {
    let scene = Scene::files(
        "assert: ['SELECT count(*) > 0 FROM users', 'SELECT nonsense'], freshness: SELECT now(), tables: [games]",
    );
    scene.put("broken.sql", plain("15.1", "SELECT 1/0;"));
    scene.put("hollow.sql", plain("15.1", ""));
    scene.put("future.sql", plain("99.0", ""));
    scene.put(
        "lacking.sql",
        plain("15.1", "CREATE EXTENSION no_such_extension;"),
    );
    scene.put("half.sql", &plain("15.1", "")[..90]);
    let cases = [
        (
            "broken.sql",
            1,
            "restore: `psql` says: ",
            "division by zero",
        ),
        ("hollow.sql", 1, "assert: table `games` is there: no", ""),
        (
            "future.sql",
            2,
            "no PostgreSQL server of major 99 or newer is installed here",
            "`binaries`",
        ),
        (
            "lacking.sql",
            2,
            "`psql` says: ",
            "is not available; this machine lacks",
        ),
        ("half.sql", 1, "fetch: does not end with pg_dump", ""),
        (
            "../pgvigil.yml",
            2,
            "`../pgvigil.yml` is no name of a backup",
            "",
        ),
        (
            "none.sql",
            2,
            "`nightly` has no finished backup `none.sql`",
            "",
        ),
    ];
    for (name, expected, start, part) in cases {
        let (code, why) = scene.why(&["--backup", name]);
        assert!(
            code == expected && why.starts_with(start) && why.contains(part),
            "{name}: {code} {why}"
        );
        scene.assert_tidy();
    }
    let (_, report) = scene.drill(&["--backup", "hollow.sql"]);
    let holds = |name: &str| check(&report, name)["holds"].clone();
    assert_eq!(
        (holds("SELECT count(*)"), holds("SELECT nonsense")),
        (false.into(), false.into()),
        "{report:#}"
    );
}

#[test]
fn the_newest_that_is_whole_is_chosen() {
    let scene = Scene::files("assert: ['SELECT true']");
    for (name, content, age) in [
        ("1.sql", plain("15.1", ""), 300),
        ("2.sql", plain("15.1", ""), 200),
        ("3.sql", "--\n".into(), 100),
        ("4.sql.part", plain("15.1", ""), 0),
    ] {
        let path = scene.put(name, content);
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age))
            .unwrap();
    }
    assert_eq!(scene.restored(&[])["backup"], "2.sql");
    let words = scene.command(&["backup", "drill"]).output().unwrap();
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(
        words.starts_with(
            "nightly: restored, and all that was asserted holds\n  backup    2.sql (dump)\n"
        ),
        "{words}"
    );
    assert!(
        words.contains("\n  holds     SELECT true: true\n"),
        "{words}"
    );
}

/// What the source promises of each dump holds in a drill as it does at a look.
#[test]
fn a_dump_that_is_not_as_promised_is_not_restored() {
    let postgres = live(15);
    let of = |promise: &str| {
        let scene = Scene::new(&format!("files: '{{here}}/b/*', {promise}"), "timeout: 10m");
        dump(&postgres, &scene, "1.dump", &["-Fc"]);
        scene
    };
    let few = "holds 40 rows of `users`, at least 41 were promised";
    let other = "is of the database `shop`, and `database` promises `blog`";
    for (promise, words) in [("expect_rows: {users: 41}", few), ("database: blog", other)] {
        let scene = of(promise);
        assert_eq!(
            scene.why(&["--backup", "1.dump"]),
            (1, format!("fetch: {words}"))
        );
        let whole = format!("no backup of `nightly` is whole and as promised: `1.dump` {words}");
        assert_eq!(scene.why(&[]), (2, whole));
        scene.assert_tidy();
    }
    of("expect_rows: {public.users: 40}, database: shop").restored(&[]);
}

#[test]
fn a_dump_is_of_no_moment_that_is_asked_for() {
    let scene = Scene::files("target: 1h");
    scene.put("a.sql", plain("16.4", ""));
    for arguments in [
        &["--target=-1h"][..],
        &["--backup=a.sql", "--target=-1h"],
        &[],
    ] {
        let (code, why) = scene.why(arguments);
        assert!(
            code == 2 && why.contains("a dump holds the one moment"),
            "{why}"
        );
    }
    scene.assert_tidy();
}

#[test]
fn a_name_that_no_backup_has_is_answered_with_those_that_are_there() {
    let scene = Scene::files("timeout: 10m");
    let (code, why) = scene.why(&["--backup", "nosuch"]);
    assert_eq!(
        (code, why.as_str()),
        (
            2,
            "`nightly` has no finished backup `nosuch`, nor any other"
        )
    );
    for name in ["1", "2", "3", "4", "5", "6"] {
        let file = std::fs::File::create(scene.put(&format!("{name}.dump"), "")).unwrap();
        let day = std::time::Duration::from_secs(86400 * name.parse::<u64>().unwrap());
        file.set_modified(std::time::UNIX_EPOCH + day).unwrap();
    }
    let output = scene
        .command(&["backup", "drill", "--backup", "nosuch"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = "its newest are `6.dump`, `5.dump`, `4.dump`, `3.dump`, `2.dump`\n";
    assert!(said.contains(names), "{said}");
    assert!(said.contains("  backup    nosuch\n"), "{said}");
}
