//! A throw-away PostgreSQL in a demo's folder, reached through a socket that only its user and root can open.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::task::AbortOnDropHandle;

use super::folder::Folder;
use super::installation::{Installation, server_user};

/// How many connections it takes, superusers' included.
pub(super) const MAX_CONNECTIONS: usize = 30;

/// The application's database.
pub(super) const DATABASE: &str = "rachel_prod";

const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub(super) struct Cluster {
    installation: Installation,
    socket_folder: PathBuf,
    backups: PathBuf,
    process: Child,
}

/// A connection that closes when it is dropped.
pub(super) struct Session {
    pub(super) client: Client,
    _driver: AbortOnDropHandle<()>,
}

impl Cluster {
    /// Makes and starts one; it is reached when this returns.
    pub(super) async fn start(folder: &Folder) -> anyhow::Result<Cluster> {
        let installation = Installation::find()?;
        let owner = server_user();
        let data = folder.subfolder("data", owner)?;
        let socket_folder = folder.subfolder("run", owner)?;
        let backups = folder.subfolder("backups", owner)?;

        let mut initdb = installation.command("initdb");
        initdb
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(&data);
        succeed(&mut initdb).await?;
        let process = spawn(
            &installation,
            &data,
            &socket_folder,
            &folder.path().join("postgresql.log"),
        )?;
        let mut cluster = Cluster {
            installation,
            socket_folder,
            backups,
            process,
        };
        cluster.wait_until_ready(folder.path()).await?;
        Ok(cluster)
    }

    /// The connection string of a user, in libpq's form.
    pub(super) fn url(&self, user: &str) -> String {
        format!(
            "postgresql://{user}@/{DATABASE}?host={}",
            self.socket_folder.display()
        )
    }

    /// The folder of the dumps.
    pub(super) fn backups(&self) -> &Path {
        &self.backups
    }

    pub(super) async fn connect(
        &self,
        user: &str,
        database: &str,
    ) -> Result<Session, tokio_postgres::Error> {
        let mut config = Config::new();
        config
            .host_path(&self.socket_folder)
            .user(user)
            .dbname(database)
            .application_name("rachel");
        let (client, connection) = config.connect(NoTls).await?;
        let driver = tokio::spawn(async move {
            // Its end is seen by whoever uses the client.
            let _ = connection.await;
        });
        Ok(Session {
            client,
            _driver: AbortOnDropHandle::new(driver),
        })
    }

    /// Takes a dump as a cron job would: custom format, compressed once more, under its name when it is whole.
    pub(super) async fn dump(&self) -> anyhow::Result<PathBuf> {
        let stamp = jiff::Timestamp::now().strftime("%Y%m%d_%H%M%S").to_string();
        let dump = self.backups.join(format!("rachel_{stamp}.sql.gz"));
        let part = dump.with_extension("part");
        let mut pg_dump = self.installation.command("pg_dump");
        pg_dump
            .args(["-Fc", "-U", "postgres", "-h"])
            .arg(&self.socket_folder)
            .arg(DATABASE);
        let archive = succeed(&mut pg_dump).await?;

        let mut gzip = Command::new("gzip");
        gzip.arg("-c")
            .stdin(Stdio::piped())
            .stdout(File::create(&part)?)
            .kill_on_drop(true);
        let mut gzip = gzip.spawn().context("cannot run `gzip`")?;
        if let Some(mut input) = gzip.stdin.take() {
            input.write_all(&archive).await?;
        }
        if !gzip.wait().await?.success() {
            bail!("`gzip` failed on the dump");
        }
        std::fs::rename(&part, &dump)?;
        Ok(dump)
    }

    /// An immediate shutdown: nothing in it is worth keeping.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.process.id().and_then(|id| Pid::from_raw(id as i32)) {
            kill_process(pid, Signal::QUIT).context("cannot stop the demo's PostgreSQL")?;
        }
        self.process.wait().await?;
        Ok(())
    }

    async fn wait_until_ready(&mut self, folder: &Path) -> anyhow::Result<()> {
        let start = tokio::time::Instant::now();
        loop {
            let Err(error) = self.connect("postgres", "postgres").await else {
                return Ok(());
            };
            let ended = self.process.try_wait()?;
            if ended.is_some() || start.elapsed() > PATIENCE {
                let log =
                    std::fs::read_to_string(folder.join("postgresql.log")).unwrap_or_default();
                return Err(error).context(format!(
                    "the demo's PostgreSQL does not start; its log:\n{log}"
                ));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn spawn(
    installation: &Installation,
    data: &Path,
    sockets: &Path,
    log: &Path,
) -> anyhow::Result<Child> {
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={}", sockets.display()),
        format!("max_connections={MAX_CONNECTIONS}"),
        "shared_buffers=32MB".into(),
        "synchronous_commit=off".into(),
        "track_io_timing=on".into(),
    ];
    if installation.has_module("pg_stat_statements") {
        settings.push("shared_preload_libraries=pg_stat_statements".into());
    }
    let mut server = installation.command("postgres");
    server.arg("-D").arg(data);
    for setting in settings {
        server.args(["-c", &setting]);
    }
    // A group of its own: the terminal's Ctrl-C is for us, and we stop the server last.
    server
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log)?)
        .kill_on_drop(true);
    server.spawn().context("cannot run `postgres`")
}

/// Runs a program to its end; gives what it printed.
async fn succeed(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let name = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run `{name}`"))?;
    if !output.status.success() {
        bail!(
            "`{name}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}
