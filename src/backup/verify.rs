//! Judges one backup that a person names, wherever it lies, by reading it from end to end.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::inspect::{self, Pace, Progress, Reading};
use super::shelf::{Bucket, Folder, Shelf};
use super::{Files, Root, Verdict};

/// Reads one backup from end to end, as fast as it can be read.
pub fn verify(path: &Path) -> Verdict {
    // A link that a person names is followed; one that merely lies about is not.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(&path);
    let has = |name: &str| folder.join(name).is_file();
    let beside = inspect::beside::own(&name, has).or_else(|| inspect::beside::shared(has));
    read(&Folder(folder.to_owned()), &name, beside.as_deref())
}

/// The same for one in a bucket, such as `s3://bucket/daily/rachel.dump`; keys come from the environment.
///
/// # Errors
/// The address is none, in words for the user.
pub fn verify_in_bucket(address: &str) -> Result<Verdict, String> {
    let mut files = Files::read(address)?;
    let Root::Bucket(place) = &mut files.root else {
        return Err(format!("`{address}` is no address of a bucket"));
    };
    let whole = std::mem::take(&mut place.prefix);
    let (folder, name) = whole.rsplit_once('/').unwrap_or(("", &whole));
    if address.contains(['*', '?']) || name.is_empty() {
        return Err(format!("`{address}` does not name one backup"));
    }
    place.prefix = folder.into();
    Ok(read(&Bucket::new(place, name), name, None))
}

fn read(shelf: &dyn Shelf, name: &str, beside: Option<&str>) -> Verdict {
    let reading = Reading {
        pace: &Pace::unlimited(CancellationToken::new()),
        progress: &Progress::default(),
        beside,
        is_compared: false,
    };
    let verdict = inspect::inspect(shelf, name, &reading);
    verdict
        .unwrap_or_else(|| Verdict::listed("unknown"))
        .alone()
}
