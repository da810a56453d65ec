//! The folder of one drill, the lock that makes it the only one, and what dead drills have left.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::failure::{Failure, refused};
use super::room;
use crate::backup::user::ourselves;

const PREFIX: &str = "drill-";
/// What a folder is named that a person wanted to keep.
pub(super) const KEPT: &str = "kept-";
/// A socket's path has at most so many bytes; `drill-0123456789abcdef/run/.s.PGSQL.5432` comes after the work folder.
const LONGEST_WORK_DIR: usize = 107 - 45;
/// How long what was killed may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who runs the throw-away cluster: a user and a group, when they are not ours.
pub(super) type Owner = Option<(u32, u32)>;

/// The right to be the one drill of a work folder; it ends with the process.
#[derive(Debug)]
pub(super) struct Turn {
    work_dir: PathBuf,
    _lock: File,
}

impl Turn {
    /// Takes the turn, and removes what dead drills have left.
    pub(super) fn take(work_dir: &Path, owner: Owner) -> Result<Turn, Failure> {
        let work_dir = fitting(work_dir)?;
        let title = work_dir.display();
        make_reachable(&work_dir, owner)
            .map_err(refused(format!("cannot use the work folder `{title}`")))?;
        let lock = File::create(work_dir.join("lock"));
        let lock = lock.map_err(|error| unwritable(&work_dir, &error))?;
        leave_to_owner(&work_dir.join("lock")).map_err(refused("cannot lock the work folder"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Impossible(
                    "another drill is running; only one may at a time".into(),
                ));
            }
            Err(TryLockError::Error(error)) => {
                return Err(refused("cannot lock the work folder")(error));
            }
        }
        sweep(&work_dir);
        Ok(Turn {
            work_dir,
            _lock: lock,
        })
    }

    /// Whether there is room for so many bytes more.
    pub(super) fn make_sure_of_room(&self, needed: u64) -> Result<(), Failure> {
        room::make_sure(&self.work_dir, needed)
    }

    /// A new folder for one drill.
    pub(super) fn folder(&self, owner: Owner) -> Result<Folder, Failure> {
        let make = || -> io::Result<PathBuf> {
            let path = self.work_dir.join(format!("{PREFIX}{}", random()?));
            // Whoever runs the cluster must pass through, and finds nothing there but what is its own.
            let builder = |mode| {
                let mut builder = DirBuilder::new();
                builder.mode(mode);
                builder
            };
            builder(if owner.is_some() { 0o711 } else { 0o700 }).create(&path)?;
            for own in ["run", "base"] {
                builder(0o700).create(path.join(own))?;
                give(&path.join(own), owner)?;
            }
            builder(0o750).create(path.join("ours"))?;
            chown(path.join("ours"), None, owner.map(|(_, group)| group))?;
            Ok(path)
        };
        let path = make().map_err(refused("cannot make a folder for the drill"))?;
        Ok(Folder {
            path,
            owner,
            is_kept: false,
        })
    }
}

/// The whole path of a work folder, unless that is too long.
pub(super) fn fitting(work_dir: &Path) -> Result<PathBuf, Failure> {
    let work_dir = std::path::absolute(work_dir).unwrap_or_else(|_| work_dir.into());
    if work_dir.as_os_str().len() > LONGEST_WORK_DIR {
        return Err(Failure::Impossible(format!(
            "the path of the work folder `{}` is longer than {LONGEST_WORK_DIR} bytes, too long for a socket; set `work_dir` to a shorter one",
            work_dir.display()
        )));
    }
    Ok(work_dir)
}

/// The folder of one drill; it and every process in it are gone when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    owner: Owner,
    is_kept: bool,
}

impl Folder {
    /// Where the cluster lies: it belongs to who runs it.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("base/data")
    }

    /// Where the server's socket is.
    pub(super) fn run(&self) -> PathBuf {
        self.path.join("run")
    }

    /// A file or folder that who runs the cluster may read and never write.
    pub(super) fn ours(&self, name: &str) -> PathBuf {
        self.path.join("ours").join(name)
    }

    /// Where the tablespaces lie.
    pub(super) fn tablespaces(&self) -> PathBuf {
        self.path.join("base/tablespaces")
    }

    /// Gives all that is in the cluster's folder to who runs it.
    pub(super) fn hand_over(&self) -> io::Result<()> {
        give_all(&self.path.join("base"), self.owner)
    }

    /// Leaves the folder under a name that no later drill removes.
    pub(super) fn keep(mut self) -> io::Result<PathBuf> {
        end_all(&self.path);
        let name = self
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .replace(PREFIX, KEPT);
        let kept = self.path.with_file_name(name);
        fs::rename(&self.path, &kept)?;
        self.is_kept = true;
        Ok(kept)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_kept {
            remove(&self.path);
        }
    }
}

fn random() -> io::Result<String> {
    let mut bytes = [0; 8];
    let source = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&source, &mut bytes)
        .map_err(|_| io::Error::other("no randomness"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Leaves what root has made to whoever owns the folder it lies in: pgvigil may run as that user next time.
pub(super) fn leave_to_owner(path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let above = fs::metadata(path.parent().unwrap_or(path))?;
    std::os::unix::fs::lchown(path, Some(above.uid()), Some(above.gid()))
}

/// Why nothing can be written into a work folder, and the way out.
pub(super) fn unwritable(work_dir: &Path, error: &io::Error) -> Failure {
    Failure::Impossible(format!(
        "cannot write into the work folder `{}`: {error}; let the user `{}`, as whom pgvigil runs, write there and into the file `lock` in it, or set `work_dir` to another folder",
        work_dir.display(),
        ourselves()
    ))
}

/// Whether there is a folder to make the work folder in: a path that is mistyped is not made true.
pub(super) fn has_place(work_dir: &Path) -> io::Result<()> {
    let above = work_dir.parent().filter(|above| !above.is_dir());
    above.map_or(Ok(()), |above| {
        let above = above.display();
        Err(io::Error::other(format!(
            "there is no folder `{above}`; make it, or set `work_dir` to another folder"
        )))
    })
}

/// Makes the work folder, and makes sure that who runs the cluster can get there.
fn make_reachable(work_dir: &Path, owner: Owner) -> io::Result<()> {
    if !work_dir.exists() {
        has_place(work_dir)?;
        fs::create_dir(work_dir)?;
        leave_to_owner(work_dir)?;
    }
    if owner.is_none() {
        return Ok(());
    }
    if fs::metadata(work_dir)?.permissions().mode() & 0o001 == 0 {
        fs::set_permissions(work_dir, fs::Permissions::from_mode(0o711))?;
    }
    pass_through(work_dir, owner)
}

/// Whether who runs the cluster may enter every folder above a work folder, those that are yet to be made aside.
pub(super) fn pass_through(work_dir: &Path, owner: Owner) -> io::Result<()> {
    let above = work_dir.ancestors().skip(1);
    for above in above.filter(|above| owner.is_some() && above.exists()) {
        if fs::metadata(above)?.permissions().mode() & 0o001 == 0 {
            let words = format!(
                "the cluster does not run as root, and its user may not enter `{}`; set `work_dir` to a folder it can reach",
                above.display()
            );
            return Err(io::Error::other(words));
        }
    }
    Ok(())
}

/// Gives one file or folder to who runs the cluster.
pub(super) fn give(path: &Path, owner: Owner) -> io::Result<()> {
    match owner {
        Some((user, group)) => std::os::unix::fs::lchown(path, Some(user), Some(group)),
        None => Ok(()),
    }
}

fn give_all(path: &Path, owner: Owner) -> io::Result<()> {
    if owner.is_none() {
        return Ok(());
    }
    give(path, owner)?;
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give_all(&entry?.path(), owner)?;
        }
    }
    Ok(())
}

/// Removes the folders of drills that are dead: whoever holds the turn is the only one alive.
fn sweep(work_dir: &Path) {
    for entry in fs::read_dir(work_dir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            remove(&entry.path());
        }
    }
}

/// Removes what earlier drills left in a work folder, unless one is running there now.
pub(super) fn tidy(work_dir: &Path) {
    if let Ok(lock) = File::open(work_dir.join("lock"))
        && lock.try_lock().is_ok()
    {
        sweep(work_dir);
    }
}

fn remove(folder: &Path) {
    end_all(folder);
    // A process that was ended a moment ago may still have been writing.
    for _ in 0..3 {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => end_all(folder),
            _ => return,
        }
    }
    tracing::warn!(drill.folder = %folder.display(), "the folder of a drill cannot be removed");
}

/// Ends every process that works in a folder, until none is left.
fn end_all(folder: &Path) {
    let began = Instant::now();
    loop {
        let processes = working_in(folder);
        if processes.is_empty() || began.elapsed() > PATIENCE {
            return;
        }
        for process in processes {
            let _ = kill_process(process, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn working_in(folder: &Path) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let works = processes.filter_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        // A zombie has no working directory any more.
        let works = fs::read_link(entry.path().join("cwd")).ok()?;
        works
            .starts_with(folder)
            .then(|| Pid::from_raw(id))
            .flatten()
    });
    works.collect()
}
