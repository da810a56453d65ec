//! The folder that clusters of a version are copied from.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::process::run;
use super::{Postgres, give_to_server, lab};

impl Postgres {
    /// The folder that `initdb` made for this version, by us or by whichever process came first.
    pub(super) fn template(&self) -> PathBuf {
        static ATTEMPT: AtomicU32 = AtomicU32::new(0);
        let version = run(self.bare("postgres").arg("--version"));
        let version = version.split_whitespace().nth(2).unwrap().to_owned();
        let folder = lab::folder().join("templates");
        let template = folder.join(&version);
        if template.exists() {
            return template;
        }
        let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
        let aside = folder.join(format!("{version}.new.{}.{attempt}", std::process::id()));
        fs::create_dir_all(&aside).unwrap();
        give_to_server(&aside);
        let mut initdb = self.as_server("initdb");
        initdb.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
            "-D",
        ]);
        run(initdb.arg(&aside));
        if fs::rename(&aside, &template).is_err() {
            assert!(
                template.exists(),
                "cannot rename {} to its place",
                aside.display()
            );
            fs::remove_dir_all(&aside).unwrap();
        }
        template
    }
}
