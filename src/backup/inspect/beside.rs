//! Checksum files that scripts put beside a backup: `FILE.sha256` and the like, or one `SHA256SUMS` for a folder. What
//! they hold may be anything: only a line that is a checksum of the file counts.

use std::io;

use super::input::{Input, Pace, head};
use super::sum::Algorithm;
use crate::backup::shelf::Shelf;

/// Endings of a file that is of one backup alone; the strongest first.
pub(crate) const ENDINGS: [&str; 9] = [
    ".sha512",
    ".sha512sum",
    ".sha384",
    ".sha256",
    ".sha256sum",
    ".sha1",
    ".sha1sum",
    ".md5",
    ".md5sum",
];
/// Files that are of all backups in a folder.
const SHARED: [&str; 4] = ["SHA512SUMS", "SHA256SUMS", "SHA1SUMS", "MD5SUMS"];
/// More of such a file is not read.
const LONGEST: usize = 4 << 20;

/// What one of these files says of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    /// The file that says so.
    pub(super) file: String,
    pub(super) algorithm: Algorithm,
    pub(super) hex: String,
}

/// The checksum file of a backup that is its own, by what lies beside it.
pub(crate) fn own(name: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    let mut names = ENDINGS.iter().map(|ending| format!("{name}{ending}"));
    names.find(|name| has(name))
}

/// The checksum file for a whole folder, by what lies in it.
pub(crate) fn shared(has: impl Fn(&str) -> bool) -> Option<String> {
    SHARED
        .iter()
        .find(|name| has(name))
        .map(|name| (*name).into())
}

/// What the checksum file says of the backup; nothing when it says nothing of it.
pub(super) fn expected(
    shelf: &dyn Shelf,
    file: &str,
    name: &str,
    pace: &Pace,
) -> io::Result<Option<Expected>> {
    let Ok(mut input) = Input::open(shelf, file, pace) else {
        return Ok(None);
    };
    let text = match head(&mut input, LONGEST) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => return pace.check().map(|()| None).map_err(|_| error),
    };
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let found = sum(
        &text,
        &last(name),
        ENDINGS.iter().any(|ending| file.ends_with(ending)),
    );
    Ok(found.map(|(algorithm, hex)| Expected {
        file: last(file),
        algorithm,
        hex,
    }))
}

/// The sum of the file with this name. A text of one line alone is its sum whatever name stands there: scripts sum a
/// file, then rename it.
fn sum(text: &str, name: &str, is_own: bool) -> Option<(Algorithm, String)> {
    let lines: Vec<_> = text.lines().filter_map(line).take(1_000_000).collect();
    let named = lines
        .iter()
        .find(|(_, _, of)| of.rsplit('/').next() == Some(name));
    let only = lines.first().filter(|_| is_own && lines.len() == 1);
    let (algorithm, hex, _) = named.or(only)?;
    Some((*algorithm, hex.to_ascii_lowercase()))
}

/// A line of sha256sum (`HEX  NAME`, `HEX *NAME`), of BSD's (`SHA256 (NAME) = HEX`), or a sum alone.
fn line(text: &str) -> Option<(Algorithm, &str, &str)> {
    let text = text.trim_end().trim_start_matches('\\');
    if let Some((start, hex)) = text.rsplit_once(") = ") {
        let (_, name) = start.split_once(" (")?;
        return Some((algorithm(hex)?, hex, name));
    }
    let (hex, name) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let name = name.trim_start().trim_start_matches('*');
    Some((algorithm(hex)?, hex, name))
}

fn algorithm(hex: &str) -> Option<Algorithm> {
    const KNOWN: [Algorithm; 6] = [
        Algorithm::Md5,
        Algorithm::Sha1,
        Algorithm::Sha224,
        Algorithm::Sha256,
        Algorithm::Sha384,
        Algorithm::Sha512,
    ];
    let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = KNOWN
        .into_iter()
        .find(|algorithm| algorithm.digits() == hex.len());
    found.filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_as_tools_write_them() {
        let md5 = "25f9e794323b453885f5181f1b624d0b";
        let other = "00f9e794323b453885f5181f1b624d0b";
        let cases = [
            (format!("{md5}\n"), true, true),
            (format!("{md5}  a.dump\n"), true, true),
            (format!("{md5} *./in/a.dump"), false, true),
            (format!("MD5 (a.dump) = {md5}"), false, true),
            (format!("{}  a.dump.part\n", md5.to_uppercase()), true, true),
            (format!("{md5}  a.dump.part\n"), false, false),
            (format!("{other}  b.dump\n{md5}  a.dump\n"), false, true),
            (format!("{other}  b.dump\n{md5}  c.dump\n"), true, false),
            (format!("# sums\n\n\\{md5}  a.dump\n"), true, true),
            (format!("{md5}0  a.dump"), true, false),
            ("../../etc/passwd (x) = y".into(), true, false),
            ("\u{fffd}\0\u{202e}".into(), true, false),
            (String::new(), true, false),
        ];
        for (text, is_own, is_found) in cases {
            let seen = sum(&text, "a.dump", is_own);
            let expected = is_found.then(|| (Algorithm::Md5, md5.to_owned()));
            assert_eq!(seen, expected, "{text:?}");
        }
    }

    #[test]
    fn the_strongest_of_its_own_comes_first() {
        let there = ["a.dump.md5", "a.dump.sha256", "MD5SUMS", "b.dump.sha512"];
        let has = |name: &str| there.contains(&name);
        assert_eq!(own("a.dump", has).as_deref(), Some("a.dump.sha256"));
        assert_eq!(own("c.dump", has), None);
        assert_eq!(shared(has).as_deref(), Some("MD5SUMS"));
    }
}
