//! Real dumps of one small database, in every form that pg_dump and the common compressors write.

use std::fs::{File, read};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use pgvigil::backup::{Proof, Verdict};

use crate::harness::{Postgres, Scratch};

/// A dump, and how far it can be proved.
pub struct Artefact {
    pub name: String,
    pub path: PathBuf,
    pub proof: Proof,
}

const DATABASE: &str = "
    CREATE TABLE users (id int PRIMARY KEY, name text);
    INSERT INTO users SELECT i, 'user ' || md5(i::text) FROM generate_series(1, 40) AS i;
    CREATE TABLE games (id int PRIMARY KEY, user_id int REFERENCES users, note text);
    INSERT INTO games SELECT i, 1 + i % 40, md5(i::text) FROM generate_series(1, 200) AS i;
    CREATE TABLE empty (id int);
    CREATE TABLE \"Odd Name\" (v text);
    INSERT INTO \"Odd Name\" VALUES (E'line\\nbreak'), ('-- PostgreSQL database dump complete'), (E'tab\\t\\\\.');
    CREATE FUNCTION footer() RETURNS text LANGUAGE sql AS $$
--
-- PostgreSQL database dump complete
--

SELECT 'COPY public.users FROM stdin;' $$;
    SELECT lo_from_bytea(4243, 'a large object');
";

/// The dumps of pg_dump 15 and 18.
pub fn dumps(scratch: &Scratch) -> Vec<Artefact> {
    let mut artefacts = Vec::new();
    for major in [15, 18] {
        let postgres = Postgres::start(major);
        postgres.sql("postgres", "CREATE DATABASE tiny;");
        postgres.sql("tiny", DATABASE);
        let mut dump = Dumper {
            postgres: &postgres,
            major,
            scratch,
            artefacts: &mut artefacts,
        };
        dump.all();
    }
    artefacts
}

struct Dumper<'a> {
    postgres: &'a Postgres,
    major: u32,
    scratch: &'a Scratch,
    artefacts: &'a mut Vec<Artefact>,
}

impl Dumper<'_> {
    fn all(&mut self) {
        let whole = Proof::Whole;
        let plain = self.file("plain.sql", &["-Fp"]);
        let custom = self.file("custom.dump", &["-Fc"]);
        let tape = self.file("tape.tar", &["-Ft"]);
        self.file("custom-none.dump", &["-Fc", "-Z0"]);
        self.file("folder", &["-Fd"]);
        self.file("folder-none", &["-Fd", "-Z0"]);
        if self.major >= 16 {
            for method in ["lz4", "zstd"] {
                self.file(
                    &format!("custom-{method}.dump"),
                    &["-Fc", &format!("--compress={method}")],
                );
                self.file(
                    &format!("folder-{method}"),
                    &["-Fd", &format!("--compress={method}")],
                );
            }
        }
        self.redirected("redirected.dump", "pg_dump -Fc tiny", whole);
        self.redirected("piped.dump", "pg_dump -Fc tiny | cat", whole);
        self.redirected(
            "guide.sql.gz",
            "pg_dump -Fc --compress=9 tiny | gzip",
            Proof::Summed,
        );
        self.redirected("cluster.sql", "pg_dumpall", whole);
        self.redirected("folder-in.tar", "tar c -C \"$FOLDER\" folder", whole);
        for (ending, wrap) in WRAPPERS {
            for path in [&plain, &custom, &tape] {
                let name = format!("{}.{ending}", path.file_name().unwrap().to_string_lossy());
                let path = self
                    .scratch
                    .write(format!("{}/{name}", self.major), wrap(&read(path).unwrap()));
                self.add(&name, path, Proof::Summed);
            }
        }
    }

    fn file(&mut self, name: &str, options: &[&str]) -> PathBuf {
        let path = self.folder().join(name);
        let mut command = self.postgres.command("pg_dump");
        run(command.args(options).arg("-f").arg(&path).arg("tiny"));
        self.add(name, path.clone(), Proof::Whole);
        path
    }

    /// The output of a shell's pipeline, as scripts write it.
    fn redirected(&mut self, name: &str, pipeline: &str, proof: Proof) {
        let path = self.folder().join(name);
        let pg_dump = self.postgres.command("pg_dump");
        let home = self.postgres.bin("pg_dump");
        let mut shell = Command::new("bash");
        for (variable, value) in pg_dump.get_envs() {
            shell.env(variable, value.unwrap_or_default());
        }
        let search = format!(
            "{}:{}",
            home.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        shell.env("PATH", search).env("FOLDER", self.folder());
        shell
            .args(["-o", "pipefail", "-c", pipeline])
            .stdout(File::create(&path).unwrap());
        run(&mut shell);
        self.add(name, path, proof);
    }

    fn folder(&self) -> PathBuf {
        let folder = self.scratch.join(self.major.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn add(&mut self, name: &str, path: PathBuf, proof: Proof) {
        let name = format!("{}/{name}", self.major);
        self.artefacts.push(Artefact { name, path, proof });
    }
}

type Wrap = fn(&[u8]) -> Vec<u8>;

/// In-process, so that no compressor has to be installed.
const WRAPPERS: [(&str, Wrap); 5] = [
    ("gz", |content| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(content).unwrap();
        out.finish().unwrap()
    }),
    ("bz2", |content| {
        let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
        out.write_all(content).unwrap();
        out.finish().unwrap()
    }),
    ("xz", |content| {
        let mut out =
            lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
        out.write_all(content).unwrap();
        out.finish().unwrap()
    }),
    ("zst", |content| {
        let mut out = zstd::Encoder::new(Vec::new(), 1).unwrap();
        out.include_checksum(true).unwrap();
        out.write_all(content).unwrap();
        out.finish().unwrap()
    }),
    ("lz4", |content| {
        let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
        let mut out = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        out.write_all(content).unwrap();
        out.finish().unwrap()
    }),
];

fn run(command: &mut Command) {
    let output = command.output().expect("a command that starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The rows of each table, on one line.
pub fn rows(verdict: &Verdict) -> String {
    let each = verdict
        .tables
        .iter()
        .map(|table| format!("{}.{}={}", table.schema, table.name, table.rows));
    each.collect::<Vec<_>>().join(" ")
}

/// A copy of a file or folder.
pub fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

/// Copies a folder with all that is below it.
pub fn copy_tree(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.unwrap().success());
}
