//! What a document names and the system must have: files of secrets, programs. It may come and go while the document
//! stays as it is, so it is no mistake of the document; whoever wants to know asks.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::{Place, Problem, Secret};

/// Something outside of the document, and the key that names it.
#[derive(Debug, Clone)]
pub struct Outside {
    /// Where it is named.
    pub place: Place,
    /// The key path.
    pub path: String,
    /// What is named.
    pub thing: Thing,
}

/// What a document may name.
#[derive(Debug, Clone)]
pub enum Thing {
    /// A secret that is kept in a file.
    Secret(PathBuf),
    /// A program to run.
    Program(String),
}

impl Outside {
    /// Why it could not be used now, and the way out; never what is in it.
    pub fn problem(&self) -> Option<Problem> {
        let (message, hint) = match &self.thing {
            Thing::Secret(file) => unreadable(file)?,
            Thing::Program(program) => no_program(program)?,
        };
        Some(Problem {
            place: self.place.clone(),
            path: self.path.clone(),
            message,
            hint: Some(hint.into()),
        })
    }
}

fn unreadable(file: &Path) -> Option<(String, &'static str)> {
    // What is no plain file, a pipe say, gives what it has only once, or makes its reader wait.
    let plain = fs::metadata(file).map_or(true, |found| found.is_file() || found.is_dir());
    if !plain {
        return None;
    }
    match Secret::File(file.to_owned()).reveal() {
        Ok(text) if text.trim().is_empty() => {
            let message = format!("`{}` is empty", file.display());
            Some((message, "write the secret into it"))
        }
        Ok(_) => None,
        Err(cause) => {
            let hint =
                "name a file that holds the secret and that the user who runs pgvigil may read";
            Some((cause, hint))
        }
    }
}

/// As the system looks for it: in the folders of `PATH`, unless a folder is written.
fn no_program(program: &str) -> Option<(String, &'static str)> {
    let candidates: Vec<PathBuf> = if program.contains('/') {
        vec![program.into()]
    } else {
        let folders = env::var_os("PATH").unwrap_or_default();
        let each = env::split_paths(&folders);
        each.map(|folder| folder.join(program)).collect()
    };
    let mut there = candidates.iter().filter(|file| file.is_file()).peekable();
    if there.peek().is_none() {
        let message = format!("there is no program `{program}`");
        return Some((message, "write the whole path of a program on this machine"));
    }
    if there.any(|file| access(file, Access::EXEC_OK).is_ok()) {
        return None;
    }
    let message = format!("`{program}` may not be executed");
    Some((message, "`chmod +x` it, for the user who runs pgvigil"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_empty_or_not_to_be_run_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            file
        };
        let secret = |file: PathBuf| unreadable(&file).map(|(message, _)| message);
        let (full, empty) = (file("full", "hunter2\n"), file("empty", "\n"));
        assert_eq!(secret(full.clone()), None);
        assert_eq!(secret("/dev/stdin".into()), None);
        assert!(secret(empty).unwrap().ends_with("empty` is empty"));
        let missing = secret(folder.path().join("missing")).unwrap();
        assert!(missing.contains("missing`: No such file"), "{missing}");
        assert!(secret(folder.path().into()).is_some());

        let program = |name: &str| no_program(name).map(|(message, _)| message);
        assert_eq!(program("sh"), None);
        assert_eq!(program("/bin/sh"), None);
        let nowhere = program("no-such-program").unwrap();
        assert_eq!(nowhere, "there is no program `no-such-program`");
        let plain = program(full.to_str().unwrap()).unwrap();
        assert!(plain.ends_with("full` may not be executed"), "{plain}");
    }
}
