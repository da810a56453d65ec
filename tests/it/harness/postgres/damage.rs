//! What is done to a cluster from outside of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::process::run;
use super::{Postgres, give_to_server};

/// Transaction ids in a file of pg_xact, and multixact ids in one of pg_multixact/offsets.
const XIDS_PER_FILE: u32 = 1 << 20;
const MULTIXACTS_PER_FILE: u32 = 1 << 16;
const FILE_BYTES: usize = 1 << 18;

impl Postgres {
    /// What a file of the data directory holds.
    pub fn read_file(&self, name: &str) -> String {
        fs::read_to_string(self.data().join(name)).unwrap()
    }

    /// Writes a file of the data directory, as the server's own and for nobody else.
    pub fn write_file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.data().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        give_to_server(&path);
    }

    /// While it is stopped: lets it go on with these transaction and multixact ids, as if all before were used up.
    pub fn use_up(&self, xid: u32, multixact: u32) {
        self.write_file(
            &format!("pg_xact/{:04X}", xid / XIDS_PER_FILE),
            vec![0; FILE_BYTES],
        );
        let offsets = format!(
            "pg_multixact/offsets/{:04X}",
            multixact / MULTIXACTS_PER_FILE
        );
        self.write_file(&offsets, vec![0; FILE_BYTES]);
        let mut command = self.as_server("pg_resetwal");
        command.args([
            "-x",
            &xid.to_string(),
            "-m",
            &format!("{multixact},1"),
            "-D",
        ]);
        run(command.arg(self.data()));
    }

    /// While it is stopped: overwrites a few bytes in the first page of a file of the data directory.
    pub fn damage(&self, name: &str) {
        let mut content = fs::read(self.data().join(name)).unwrap();
        content[4000..4016].fill(0x5a);
        self.write_file(name, content);
    }
}
