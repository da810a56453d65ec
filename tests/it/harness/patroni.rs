//! Throw-away nodes of Patroni.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::scratch::{give_to_server, server_user};
use super::{Authority, Daemon, Scratch, eventually, free_port, lab, tool};

const PATIENCE: Duration = Duration::from_secs(60);

/// A real Patroni, the only node of the cluster `demo`, with a PostgreSQL 15 of its own. Its API speaks TLS.
pub struct Patroni {
    port: u16,
    daemon: Daemon,
    scratch: Scratch,
}

impl Patroni {
    /// Waits until it leads.
    pub fn start() -> Patroni {
        let (scratch, port) = (Scratch::new(), free_port());
        let authority = Authority::new();
        let (cert, key) = authority.issue(&["127.0.0.1"]);
        let cert = scratch.write("cert.pem", cert);
        let key = scratch.write("key.pem", key);
        scratch.write("ca.pem", authority.pem());
        let folder = scratch.path().display();
        let settings = scratch.write(
            "patroni.yml",
            format!(
                "scope: demo\n\
                 name: node1\n\
                 restapi: {{listen: '127.0.0.1:{port}', connect_address: '127.0.0.1:{port}', certfile: {cert}, keyfile: {key}}}\n\
                 raft: {{data_dir: {folder}/raft, self_addr: '127.0.0.1:{raft}'}}\n\
                 bootstrap:\n\
                 \x20 dcs: {{ttl: 20, loop_wait: 1, retry_timeout: 3}}\n\
                 \x20 initdb: [{{locale: C}}, no-sync]\n\
                 postgresql:\n\
                 \x20 listen: '127.0.0.1:{postgres}'\n\
                 \x20 connect_address: '127.0.0.1:{postgres}'\n\
                 \x20 data_dir: {folder}/data\n\
                 \x20 bin_dir: {binaries}\n\
                 \x20 authentication: {{superuser: {{username: postgres}}, replication: {{username: replica}}}}\n\
                 \x20 parameters: {{unix_socket_directories: {folder}, fsync: 'off', shared_buffers: 16MB, dynamic_shared_memory_type: mmap}}\n\
                 \x20 pg_hba: ['host all all 127.0.0.1/32 trust', 'local all all trust']\n",
                cert = cert.display(),
                key = key.display(),
                raft = free_port(),
                postgres = free_port(),
                binaries = lab::postgresql(15).join("bin").display(),
            ),
        );
        give_to_server(scratch.path());
        let mut command = Command::new(tool("patroni"));
        command.arg(settings).env("HOME", scratch.path());
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        let patroni = Patroni {
            port,
            daemon: Daemon::spawn(command),
            scratch,
        };
        eventually("Patroni leads", PATIENCE, || {
            patroni.get("/primary").map(drop)
        });
        patroni
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The authority that its certificate is of.
    pub fn ca(&self) -> PathBuf {
        self.scratch.join("ca.pem")
    }

    /// What a path answers, when with success.
    pub fn get(&self, path: &str) -> Option<String> {
        self.curl(path, &[])
    }

    /// Changes the cluster's configuration.
    pub fn configure(&self, json: &str) {
        let sent = self.curl("/config", &["-X", "PATCH", "-d", json]);
        assert!(sent.is_some(), "{}", self.daemon.output());
    }

    pub fn freeze(&self) {
        self.daemon.signal("STOP");
    }

    pub fn thaw(&self) {
        self.daemon.signal("CONT");
    }

    fn curl(&self, path: &str, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("curl");
        command.args(["-sf", "-m", "2", "--cacert"]).arg(self.ca());
        command.args(arguments);
        let answer = command.arg(self.url() + path).output().unwrap();
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        answer.status.success().then_some(text)
    }
}
