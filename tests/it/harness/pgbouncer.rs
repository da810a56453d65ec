//! Throw-away PgBouncers.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::scratch::server_user;
use super::{Daemon, Postgres, Scratch, eventually, free_port, tool};

const PATIENCE: Duration = Duration::from_secs(20);

/// A real PgBouncer in front of a cluster, whose databases `app` (a pool of one) and `postgres` it offers. `mon` may see
/// its console, `stranger` may only connect.
pub struct PgBouncer {
    port: u16,
    daemon: Daemon,
    _scratch: Scratch,
}

impl PgBouncer {
    pub fn before(postgres: &Postgres) -> PgBouncer {
        let (scratch, port) = (Scratch::new(), free_port());
        let users = scratch.write(
            "users.txt",
            "\"postgres\" \"\"\n\"mon\" \"\"\n\"stranger\" \"\"\n",
        );
        let server = format!("host=127.0.0.1 port={}", postgres.port());
        let settings = scratch.write(
            "pgbouncer.ini",
            format!(
                "[databases]\n\
                 app = {server} dbname=postgres pool_size=1\n\
                 postgres = {server}\n\
                 [pgbouncer]\n\
                 listen_addr = 127.0.0.1\n\
                 listen_port = {port}\n\
                 unix_socket_dir =\n\
                 auth_type = trust\n\
                 auth_file = {users}\n\
                 stats_users = mon\n\
                 admin_users = postgres\n\
                 max_client_conn = 30\n",
                users = users.display(),
            ),
        );
        let mut command = Command::new(tool("pgbouncer"));
        command.arg(settings);
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        let pgbouncer = PgBouncer {
            port,
            daemon: Daemon::spawn(command),
            _scratch: scratch,
        };
        eventually("PgBouncer listens", PATIENCE, || {
            pgbouncer
                .daemon
                .output()
                .contains("process up")
                .then_some(())
        });
        pgbouncer
    }

    pub fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgresql://{user}@127.0.0.1:{}/{database}?sslmode=disable",
            self.port
        )
    }

    /// A client that asks one thing and stays until it is answered.
    pub fn client(&self, postgres: &Postgres, database: &str, sql: &str) -> Daemon {
        let mut command = Command::new(postgres.bin("psql"));
        command.stderr(Stdio::piped());
        command.args(["-X", "-c", sql, &self.url("postgres", database)]);
        Daemon::spawn(command)
    }

    /// Stops answering, as a process that hangs.
    pub fn freeze(&self) {
        self.daemon.signal("STOP");
    }

    pub fn thaw(&self) {
        self.daemon.signal("CONT");
    }
}
