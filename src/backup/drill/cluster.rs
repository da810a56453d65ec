//! A throw-away cluster: made or taken over, started as our own child, asked, and ended.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::binaries::Installation;
use super::failure::{Failure, refused};
use super::folder::{Folder, Owner};
use super::program::{Limits, Program, Running, first_error};

/// What each drill works with.
#[derive(Debug)]
pub(super) struct Bench<'d> {
    pub(super) installation: &'d Installation,
    pub(super) folder: &'d Folder,
    pub(super) owner: Owner,
    pub(super) limits: &'d Limits,
    /// Whether nothing that runs here has a network: a backup is code, and could speak to the server that it is of.
    pub(super) is_alone: bool,
}

impl<'d> Bench<'d> {
    /// Finds out whether this machine lets programs have no network.
    pub(super) fn new(
        installation: &'d Installation,
        folder: &'d Folder,
        owner: Owner,
        limits: &'d Limits,
    ) -> Result<Bench<'d>, Failure> {
        let mut bench = Bench {
            installation,
            folder,
            owner,
            limits,
            is_alone: true,
        };
        let trial = bench.program("postgres").arg("--version");
        let (status, _) = trial.run(limits, &bench.log("trial"))?;
        bench.is_alone = status.success();
        Ok(bench)
    }

    /// A program of PostgreSQL.
    pub(super) fn program(&self, name: &str) -> Program {
        let path = self.installation.program(name);
        // What a dump lets loose is found by the folder it works in.
        let program = Program::new(&path, self.owner)
            .folder(&self.folder.run())
            .alone(self.is_alone);
        match self.installation.libraries(&path) {
            Some(libraries) => program.env("LD_LIBRARY_PATH", libraries),
            None => program,
        }
    }

    /// Runs a program of PostgreSQL to its end.
    pub(super) fn succeed(&self, name: &str, program: Program) -> Result<String, Failure> {
        program.succeed(self.limits, &self.log(name))
    }

    /// The file for what a program says.
    pub(super) fn log(&self, name: &str) -> std::path::PathBuf {
        self.folder.ours(&format!("{name}.log"))
    }

    /// Writes a file that who runs the cluster can read.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<std::path::PathBuf, Failure> {
        let path = self.folder.ours(name);
        let write = || {
            let mut file = fs::File::create(&path)?;
            file.set_permissions(fs::Permissions::from_mode(0o640))?;
            self.share(&path)?;
            file.write_all(content.as_bytes())
        };
        write().map_err(refused(format!("cannot write `{name}` for the drill")))?;
        Ok(path)
    }

    /// Lets the group of who runs the cluster read a file of ours.
    pub(super) fn share(&self, path: &std::path::Path) -> std::io::Result<()> {
        let group = self.owner.map(|(_, group)| group);
        std::os::unix::fs::chown(path, None, group)
    }

    /// Makes an empty cluster.
    pub(super) fn initdb(&self) -> Result<(), Failure> {
        let initdb = self.program("initdb").arg("-D").arg(self.folder.data());
        let initdb = initdb.args([
            "--no-sync",
            "-A",
            "trust",
            "-U",
            SUPERUSER,
            "-E",
            "UTF8",
            "--locale=C",
        ]);
        // Without a cluster nothing was tried.
        self.succeed("initdb", initdb)
            .map_err(|failure| match failure {
                Failure::Bad(words) if self.limits.check().is_ok() => {
                    Failure::Impossible(format!("an empty cluster cannot be made: {words}"))
                }
                other => other,
            })
            .map(|_| ())
    }

    /// Starts the server over the cluster's folder and returns when it takes connections, be it after long recovery.
    pub(super) fn start(
        &self,
        superuser: &str,
        options: &[(&str, String)],
    ) -> Result<Cluster<'_>, Failure> {
        let run = self.folder.run();
        let hba = self.write("pg_hba.conf", "local all all trust\n")?;
        let ident = self.write("pg_ident.conf", "")?;
        let mut server = self
            .program("postgres")
            .serving()
            .arg("-D")
            .arg(self.folder.data());
        let own = [
            ("hba_file", hba.display().to_string()),
            ("ident_file", ident.display().to_string()),
            (
                "unix_socket_directories",
                quoted(&run.display().to_string()),
            ),
        ];
        let fixed = ALONE
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        for (name, value) in fixed.chain(own).chain(options.iter().cloned()) {
            server = server.arg("-c").arg(format!("{name}={value}"));
        }
        let running = server.start(&self.log("postgres"))?;
        let mut cluster = Cluster {
            bench: self,
            running,
            superuser: superuser.into(),
        };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }
}

/// The superuser of clusters that we make; no dump has a role of this name.
pub(super) const SUPERUSER: &str = "pgvigil_drill";

/// The server speaks to nobody, keeps nothing safe, and starts nothing by itself.
const ALONE: [(&str, &str); 20] = [
    ("listen_addresses", ""),
    ("port", "5432"),
    ("unix_socket_permissions", "0700"),
    ("external_pid_file", ""),
    ("ssl", "off"),
    ("logging_collector", "off"),
    ("log_destination", "stderr"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("synchronous_standby_names", ""),
    ("autovacuum", "off"),
    ("archive_mode", "off"),
    ("archive_command", ""),
    ("max_logical_replication_workers", "0"),
    ("shared_preload_libraries", ""),
    ("session_preload_libraries", ""),
    ("dynamic_shared_memory_type", "mmap"),
    ("huge_pages", "off"),
    ("restart_after_crash", "off"),
];

/// A value that is a list of names, for a setting.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A running throw-away cluster; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Cluster<'b> {
    bench: &'b Bench<'b>,
    running: Running,
    superuser: String,
}

impl Cluster<'_> {
    fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let status = self.bench.folder.data().join("postmaster.pid");
        loop {
            let said = fs::read_to_string(&status).unwrap_or_default();
            if said
                .lines()
                .nth(7)
                .is_some_and(|line| line.trim() == "ready")
            {
                return Ok(());
            }
            if self.running.ended()?.is_some() {
                return Err(Failure::Bad(self.last_words()));
            }
            self.bench.limits.nap()?;
        }
    }

    fn last_words(&self) -> String {
        match first_error(&self.running.said()) {
            Some(line) => format!("the server ended and says: {line}"),
            None => "the server ended without a word".into(),
        }
    }

    /// A client of this cluster, set to reach it and nothing else.
    pub(super) fn client(&self, name: &str, database: &str) -> Program {
        let client = self.bench.program(name);
        let run = self.bench.folder.run();
        let client = client
            .env("PGHOST", run)
            .env("PGPORT", "5432")
            .env("PGUSER", &self.superuser);
        client
            .env("PGDATABASE", database)
            .env("PGCONNECT_TIMEOUT", "30")
            .env("PGAPPNAME", "pgvigil drill")
    }

    /// What a statement gives, as rows of texts divided by `|`; it may read and nothing more.
    pub(super) fn ask(&self, database: &str, sql: &str) -> Result<String, Failure> {
        let options = format!(
            "-c client_min_messages=error -c default_transaction_read_only=on -c statement_timeout={}",
            STATEMENT.as_millis()
        );
        let psql = self.client("psql", database).env("PGOPTIONS", options);
        let psql = psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        let psql = if sql.len() < LONGEST_ARGUMENT {
            psql.arg("-c").arg(sql)
        } else {
            psql.arg("-f").arg(self.bench.write("question.sql", sql)?)
        };
        let said = self.bench.succeed("psql", psql)?;
        Ok(said.trim_end().to_owned())
    }

    /// Runs a file of SQL; the first error ends it.
    pub(super) fn run(&self, database: &str, file: &std::path::Path) -> Result<(), Failure> {
        let psql = self
            .client("psql", database)
            .env("PGOPTIONS", "-c client_min_messages=error");
        let psql = psql
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
            .arg(file);
        self.bench.succeed("psql", psql).map(|_| ())
    }

    /// The databases that hold anything of somebody's.
    pub(super) fn databases(&self) -> Result<Vec<String>, Failure> {
        let all = self.ask(
            "template1",
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1",
        )?;
        Ok(all.lines().map(str::to_owned).collect())
    }

    /// The size of all databases, in bytes.
    pub(super) fn bytes(&self) -> Result<u64, Failure> {
        let sum = self.ask(
            "template1",
            "SELECT sum(pg_database_size(oid)) FROM pg_database",
        )?;
        Ok(sum.trim().parse().unwrap_or_default())
    }

    /// Ends it at once: nothing of it is worth being written.
    pub(super) fn quit(mut self) {
        self.running.quit();
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        if matches!(self.running.ended(), Ok(None)) {
            self.running.quit();
        }
    }
}

/// The longest that one assertion may take.
const STATEMENT: Duration = Duration::from_secs(600);
const LONGEST_ARGUMENT: usize = 64 << 10;
