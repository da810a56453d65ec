//! Why a state directory cannot be used, and the way out.

use std::io;
use std::path::PathBuf;

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("`{}` is in use by process {owner}", dir.display())]
    InUse {
        /// The state directory.
        dir: PathBuf,
        /// The other's process id.
        owner: String,
    },
    /// A line cannot be right, and lines after it are.
    #[error("`{}` is damaged in line {line}: {cause}", path.display())]
    Damaged {
        /// The log.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// A later version wrote it, in a format that this one would misread.
    #[error("`{}` was written by pgvigil {version}, in a format that this version does not know", path.display())]
    Newer {
        /// The log.
        path: PathBuf,
        /// The version that wrote it.
        version: String,
    },
    /// The log is there but cannot be read.
    #[error("cannot read `{}`: {cause}", path.display())]
    Unreadable {
        /// The log.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// What is lost by beginning anew.
const ANEW: &str =
    "then what is firing is announced anew, and what ended meanwhile is not announced at all";

impl OpenError {
    /// The way out.
    pub fn hint(&self) -> String {
        match self {
            OpenError::InUse { .. } => {
                "stop the other process, or set another `state_dir` for this one".into()
            }
            OpenError::Damaged { path, .. } => format!(
                "put back a copy of it, or move it away with `mv {0} {0}.damaged`: {ANEW}",
                path.display()
            ),
            OpenError::Newer { path, version } => format!(
                "start pgvigil {version} or a later one, or move it away with `mv {0} {0}.newer`: {ANEW}",
                path.display()
            ),
            OpenError::Unreadable { .. } => {
                "make it readable for the user that pgvigil runs as".into()
            }
        }
    }
}
