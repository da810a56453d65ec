//! Throw-away PostgreSQL clusters. `initdb` runs once per version; each cluster is a copy of its folder.

mod damage;
mod process;
mod template;

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::Signal;

use super::daemon::send;
use super::scratch::{give_to_server, server_user};
use super::{Scratch, eventually, free_port, lab};
use process::{children, release_memory, run};

pub(super) use process::end_abandoned;

const PATIENCE: Duration = Duration::from_secs(60);

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
fsync = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 40
shared_preload_libraries = 'pg_stat_statements'
track_io_timing = on
# Outside of /dev/shm, so that a killed cluster leaves nothing there.
dynamic_shared_memory_type = mmap
";

/// A real cluster; as root it runs as `nobody`; ended and removed on drop.
pub struct Postgres {
    major: u32,
    home: PathBuf,
    port: u16,
    scratch: Scratch,
    process: Mutex<Option<Child>>,
}

impl Postgres {
    /// With the harness' own settings: pg_stat_statements preloaded, track_io_timing on, 40 connections.
    pub fn start(major: u32) -> Postgres {
        Postgres::with(major, &[])
    }

    /// With extra `name=value` settings, such as `max_connections=20` or `archive_command=false`. They are written to
    /// postgresql.conf, so `ALTER SYSTEM` can change them.
    pub fn with(major: u32, options: &[&str]) -> Postgres {
        let mut postgres = Postgres::prepare(major);
        let template = postgres.template();
        run(Command::new("cp")
            .arg("-a")
            .arg(template)
            .arg(postgres.data()));
        let socket_directory = format!("unix_socket_directories={}", postgres.dir().display());
        postgres.configure(&[&[socket_directory.as_str()], options].concat());
        postgres.launch_on_free_port();
        postgres
    }

    /// A streaming standby of this primary that has replayed all there was when it was made.
    pub fn standby(&self) -> Postgres {
        let mut standby = Postgres::prepare(self.major);
        let mut copy = standby.as_server("pg_basebackup");
        copy.args(["-X", "stream", "-c", "fast", "--no-sync", "-D"])
            .arg(standby.data());
        run(copy.args([
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-p",
            &self.port.to_string(),
        ]));
        standby.configure(&[
            &format!("unix_socket_directories={}", standby.dir().display()),
            &format!(
                "primary_conninfo=host=127.0.0.1 port={} user=postgres",
                self.port
            ),
            "archive_mode=off",
        ]);
        let signal = standby.data().join("standby.signal");
        fs::write(&signal, "").unwrap();
        give_to_server(&signal);
        standby.launch_on_free_port();
        let written = self.sql("postgres", "SELECT pg_current_wal_lsn()");
        eventually("the standby catches up", PATIENCE, || {
            let caught_up = format!(
                "SELECT coalesce(pg_last_wal_replay_lsn() >= '{written}', false) AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')"
            );
            (standby.sql("postgres", &caught_up) == "t").then_some(())
        });
        standby
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the socket, the log (`log`) and the data directory (`data`).
    pub fn dir(&self) -> &Path {
        self.scratch.path()
    }

    /// A program of this major; of 15 where this major was installed without its clients.
    pub fn bin(&self, tool: &str) -> PathBuf {
        let own = self.home.join("bin").join(tool);
        if own.exists() {
            own
        } else {
            lab::postgresql(15).join("bin").join(tool)
        }
    }

    pub fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgresql://{user}@127.0.0.1:{}/{database}?sslmode=disable",
            self.port
        )
    }

    /// Runs statements, each in a transaction of its own, as the superuser; gives the rows as `psql -At` prints them.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut command = self.command("psql");
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut psql = command.spawn().expect("psql");
        psql.stdin
            .take()
            .unwrap()
            .write_all(sql.as_bytes())
            .unwrap();
        let output = psql.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{sql}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// A client program (`pg_dump`, `pgbench` …) of this major, set to reach this cluster as the superuser.
    pub fn command(&self, tool: &str) -> Command {
        let mut command = self.bare(tool);
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", "postgres")
            .env("PGSSLMODE", "disable");
        command
    }

    /// Any program, run by the user who runs the server.
    pub fn beside(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        command.current_dir("/").env("HOME", self.dir());
        command
    }

    /// Stops time for the postmaster and all its children (SIGSTOP); connections are accepted and never answered.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets time go on after [`Postgres::freeze`].
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// A fast shutdown.
    pub fn stop(&self) {
        self.end(Signal::INT);
    }

    /// Starts it after [`Postgres::stop`] or [`Postgres::kill`], on the same port.
    pub fn start_again(&self) {
        let mut process = self.process.lock().unwrap();
        assert!(process.is_none(), "it runs already");
        let child = self
            .launch(self.port)
            .unwrap_or_else(|log| panic!("it does not start again:\n{log}"));
        *process = Some(child);
    }

    /// Starts it after [`Postgres::stop`] without waiting until it takes connections.
    pub fn start_unready(&self) {
        *self.process.lock().unwrap() = Some(self.spawn(self.port));
    }

    /// A smart shutdown: it takes nobody new and waits until the last session has ended.
    pub fn close(&self) {
        if let Some(postmaster) = self.process.lock().unwrap().as_ref() {
            send(postmaster.id(), Signal::TERM);
        }
    }

    /// SIGKILL to all of it, as a crash of the machine would.
    pub fn kill(&self) {
        self.signal_all(Signal::KILL);
        self.end(Signal::KILL);
    }

    fn prepare(major: u32) -> Postgres {
        let scratch = Scratch::new();
        give_to_server(scratch.path());
        Postgres {
            major,
            home: lab::postgresql(major),
            port: 0,
            scratch,
            process: Mutex::default(),
        }
    }

    fn log(&self) -> PathBuf {
        self.scratch.join("log")
    }

    fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }

    fn bare(&self, tool: &str) -> Command {
        let program = self.bin(tool);
        let mut command = Command::new(&program);
        for (name, _) in std::env::vars_os() {
            if name
                .to_str()
                .is_some_and(|name| name.starts_with("PG") && !name.starts_with("PGVIGIL"))
            {
                command.env_remove(name);
            }
        }
        // Without it the walreceiver of the newer ones loads the system's older libpq.
        let libraries = program.parent().unwrap().with_file_name("lib");
        if libraries.join("libpq.so.5").exists() {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    fn as_server(&self, tool: &str) -> Command {
        let mut command = self.bare(tool);
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        command.current_dir("/");
        command
    }

    fn configure(&self, options: &[&str]) {
        let mut text = SETTINGS.to_owned();
        for option in options {
            let (name, value) = option.split_once('=').expect("name=value");
            text += &format!("{name} = '{}'\n", value.replace('\'', "''"));
        }
        let path = self.data().join("postgresql.conf");
        // A standby's copy holds its primary's settings, which must come last but for its own.
        let earlier = fs::read_to_string(&path).unwrap();
        if earlier.contains(SETTINGS) {
            text = text.replace(SETTINGS, "");
        }
        fs::write(&path, earlier + &text).unwrap();
    }

    fn launch_on_free_port(&mut self) {
        for _ in 0..10 {
            let port = free_port();
            match self.launch(port) {
                Ok(child) => {
                    self.port = port;
                    *self.process.lock().unwrap() = Some(child);
                    return;
                }
                Err(log) if log.contains("Address already in use") => {}
                Err(log) => panic!("PostgreSQL {} does not start:\n{log}", self.major),
            }
        }
        panic!("no port stays free long enough");
    }

    /// Starts the server and waits until it takes connections; gives its log when it ends instead.
    fn launch(&self, port: u16) -> Result<Child, String> {
        let mut child = self.spawn(port);
        let id = child.id().to_string();
        eventually("PostgreSQL starts", PATIENCE, || {
            if child.try_wait().unwrap().is_some() {
                return Some(Err(fs::read_to_string(self.log()).unwrap_or_default()));
            }
            let status = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
            let lines: Vec<&str> = status.lines().map(str::trim).collect();
            (lines.first() == Some(&id.as_str()) && lines.get(7) == Some(&"ready"))
                .then_some(Ok(()))
        })
        .map(|()| child)
    }

    fn spawn(&self, port: u16) -> Child {
        let mut server = self.as_server("postgres");
        server
            .arg("-D")
            .arg(self.data())
            .args(["-p", &port.to_string()]);
        server
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.log()).unwrap());
        server.spawn().expect("postgres")
    }

    fn signal_all(&self, signal: Signal) {
        if let Some(postmaster) = self.process.lock().unwrap().as_ref().map(Child::id) {
            send(postmaster, signal);
            for child in children(postmaster) {
                send(child, signal);
            }
        }
    }

    fn end(&self, signal: Signal) {
        if let Some(mut child) = self.process.lock().unwrap().take() {
            send(child.id(), signal);
            eventually("PostgreSQL ends", PATIENCE, || child.try_wait().unwrap());
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.thaw();
        if let Some(mut child) = self.process.lock().unwrap().take() {
            // An immediate shutdown.
            send(child.id(), Signal::QUIT);
            let _ = child.wait();
        }
        release_memory(&self.data());
    }
}
