//! Links in messages by which a person without a password may silence one incident, for a day.
//! Takes an incident's id and the time; hands on an address that nobody else can write, and the check of one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::sample::Timestamp;

/// How long a link holds from the message it is in.
pub const HOLDS: Duration = Duration::from_secs(24 * 3600);

/// Bytes in a key.
const KEY: usize = 32;

/// Writes links, and knows its own.
#[derive(Debug, Clone)]
pub struct Links {
    /// `None` where there is no randomness to make one of: then no link is written, and none is known.
    key: Option<hmac::Key>,
    external_url: String,
}

/// Why a link does not open anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkError {
    /// It was not written here, or somebody has changed it.
    Forged,
    /// Its time is over.
    Expired,
}

impl Links {
    /// Signs with the key in the state directory, which is made if there is none; the second part is a warning for a
    /// person. Where it can be neither read nor written the key lives as long as the process.
    pub fn open(state_dir: &Path, external_url: &str) -> (Links, Option<String>) {
        let path = state_dir.join("links.key");
        let (key, warning) = match kept(&path) {
            Ok(key) => (Some(key), None),
            Err(error) => {
                let warning = format!(
                    "cannot keep `{}`: {error}; links in messages hold until pgvigil stops",
                    path.display()
                );
                (fresh(), Some(warning))
            }
        };
        (Links::signing(key, external_url), warning)
    }

    /// Signs with a key that nobody keeps.
    pub fn in_memory(external_url: &str) -> Links {
        Links::signing(fresh(), external_url)
    }

    fn signing(key: Option<Vec<u8>>, external_url: &str) -> Links {
        Links {
            key: key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, &key)),
            external_url: external_url.to_owned(),
        }
    }

    /// The address at which whoever has the message may silence the incident; empty where none can be written.
    pub fn to(&self, incident: &str, now: Timestamp) -> String {
        let Some(key) = self.key.as_ref().filter(|_| !self.external_url.is_empty()) else {
            return String::new();
        };
        let expires = (now + HOLDS).0 / 1000;
        let tag = hmac::sign(key, signed(incident, expires).as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(tag);
        let base = &self.external_url;
        format!("{base}/silence?incident={incident}&expires={expires}&signature={signature}")
    }

    /// Whether a link with these parts was written here and still holds.
    ///
    /// # Errors
    /// It was not, or it does no longer.
    pub fn check(
        &self,
        incident: &str,
        expires: &str,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        let expires: i64 = expires.parse().map_err(|_| LinkError::Forged)?;
        let tag = BASE64_URL_SAFE_NO_PAD.decode(signature);
        let tag = tag.map_err(|_| LinkError::Forged)?;
        let key = self.key.as_ref().ok_or(LinkError::Forged)?;
        // Compares in constant time.
        hmac::verify(key, signed(incident, expires).as_bytes(), &tag)
            .map_err(|_| LinkError::Forged)?;
        if now.0 / 1000 >= expires {
            return Err(LinkError::Expired);
        }
        Ok(())
    }
}

/// What is signed. An id has no line breaks.
fn signed(incident: &str, expires: i64) -> String {
    format!("silence\n{incident}\n{expires}")
}

fn fresh() -> Option<Vec<u8>> {
    let mut key = vec![0; KEY];
    SystemRandom::new().fill(&mut key).ok()?;
    Some(key)
}

/// The key in a file, made and written first where there is none. What is no key is replaced: a process that was killed
/// while it wrote one leaves less than that.
fn kept(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(key) if key.len() == KEY => return Ok(key),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let key = fresh().ok_or_else(|| io::Error::other("the system gives no random numbers"))?;
    let aside = path.with_extension("key.new");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&aside)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_438_800_000);

    /// The parts of a link.
    fn parts(link: &str) -> [String; 3] {
        let (_, query) = link.split_once('?').unwrap();
        let values = query.split('&').map(|pair| pair.split_once('=').unwrap().1);
        let values: Vec<String> = values.map(str::to_owned).collect();
        values.try_into().unwrap()
    }

    fn opens(links: &Links, [incident, expires, signature]: &[String; 3]) -> Result<(), LinkError> {
        links.check(incident, expires, signature, NOW)
    }

    #[test]
    fn only_what_was_signed_opens_and_only_for_a_day() {
        let links = Links::in_memory("https://x.example");
        let link = links.to("00ff-1", NOW);
        assert!(link.starts_with(
            "https://x.example/silence?incident=00ff-1&expires=1795525200&signature="
        ));
        let good = parts(&link);
        assert_eq!(opens(&links, &good), Ok(()));
        for (place, other) in [
            (0, "00ff-2"),
            (1, "1795525201"),
            (1, "x"),
            (2, ""),
            (2, "AAAA"),
            (2, "%"),
        ] {
            let mut forged = good.clone();
            forged[place] = other.to_owned();
            assert_eq!(opens(&links, &forged), Err(LinkError::Forged), "{other}");
        }
        let [incident, expires, signature] = &good;
        let late = links.check(incident, expires, signature, NOW + HOLDS);
        assert_eq!(late, Err(LinkError::Expired));
        let other = Links::in_memory("https://x.example");
        assert_eq!(opens(&other, &good), Err(LinkError::Forged));
    }

    #[test]
    fn a_restart_keeps_the_key_and_nobody_else_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let (links, warning) = Links::open(dir.path(), "https://x.example");
        assert_eq!(warning, None);
        let good = parts(&links.to("00ff-1", NOW));
        let path = dir.path().join("links.key");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (again, _) = Links::open(dir.path(), "https://x.example");
        assert_eq!(opens(&again, &good), Ok(()));

        fs::write(&path, "torn").unwrap();
        let (anew, warning) = Links::open(dir.path(), "https://x.example");
        assert_eq!(
            (opens(&anew, &good), warning),
            (Err(LinkError::Forged), None)
        );
    }

    #[test]
    fn without_a_place_for_the_key_it_lives_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let (links, warning) = Links::open(&file, "https://x.example");
        assert_eq!(opens(&links, &parts(&links.to("00ff-1", NOW))), Ok(()));
        assert!(
            warning
                .unwrap()
                .contains("links in messages hold until pgvigil stops")
        );
        assert_eq!(
            Links::in_memory("").to("00ff-1", NOW),
            "",
            "nowhere to lead to"
        );
    }
}
