//! Folders in which something is strange: unfinished files, clocks that are wrong, links, names, very many files.

use std::ffi::OsStr;
use std::fs::{File, create_dir, create_dir_all};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pgvigil::backup::{Proof, Record, State};
use pgvigil::sample::Timestamp;

use super::tally::Dice;
use super::watched::{Case, Cases, all, all_damaged, all_whole, backups};
use crate::backup::bucket::Dumps;
use crate::harness::Scratch;

/// A dump with three rows.
pub const PLAIN: &str = "--\n-- PostgreSQL database dump\n--\n\n--\n-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: alice\n--\n\nCOPY public.users (id) FROM stdin;\n1\n2\n3\n\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n";
const HOUR: Duration = Duration::from_secs(3600);

/// Names that mean something to a shell, a path, SQL, HTML, a terminal or a pattern, or are no text.
const NAMES: [&[u8]; 13] = [
    b"$(touch pwned).sql",
    b"`id`.sql",
    b"; rm -rf x.sql",
    b"-rf.sql",
    b"a\nb.sql",
    b"x...sql",
    b"%2e%2e%2fx.sql",
    b"'; DROP TABLE users; --.sql",
    b"<img src=x onerror=alert(1)>.sql",
    b"{{ $labels }}.sql",
    b"\x1b[31m\xe2\x80\xae.sql",
    b"[*?].sql",
    b"\xff\xfe\x80.sql",
];

/// A folder per place, whose files it writes.
struct Folders<'s> {
    scratch: &'s Scratch,
    cases: Vec<Case>,
}

impl Folders<'_> {
    fn folder(&self) -> PathBuf {
        let folder = self.scratch.join(format!("place-{}", self.cases.len()));
        create_dir(&folder).unwrap();
        folder
    }

    fn laid(&self, lay: impl FnOnce(&Path)) -> String {
        let folder = self.folder();
        lay(&folder);
        place(&folder)
    }

    fn damaged(
        &mut self,
        what: &str,
        holds: impl Fn(&Record) -> bool + 'static,
        lay: impl FnOnce(&Path),
    ) {
        let place = self.laid(lay);
        self.cases.push(Case::damaged(what, place, holds));
    }

    fn good(
        &mut self,
        what: &str,
        holds: impl Fn(&Record) -> bool + 'static,
        lay: impl FnOnce(&Path),
    ) {
        let place = self.laid(lay);
        self.cases.push(Case::good(what, place, holds));
    }
}

fn place(folder: &Path) -> String {
    format!("look: 1s, files: '{}'", folder.display())
}

fn write(path: &Path, content: impl AsRef<[u8]>, modified: SystemTime) {
    std::fs::write(path, content).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(modified).unwrap();
}

pub fn cases(scratch: &Scratch, dice: &mut Dice) -> Cases {
    let mut folders = Folders {
        scratch,
        cases: Vec::new(),
    };
    unfinished(&mut folders, dice);
    clocks(&mut folders, dice);
    links(&mut folders);
    names(&mut folders);
    beside(&mut folders);
    many(&mut folders);
    Cases {
        kind: "strange folders",
        cases: folders.cases,
        _server: None,
    }
}

/// All but its last lines, or less.
fn half(dice: &mut Dice) -> &'static str {
    &PLAIN[..dice.roll(PLAIN.len() - 60)]
}

fn unfinished(folders: &mut Folders, dice: &mut Dice) {
    let now = SystemTime::now();
    for ending in ["part", "partial", "tmp"] {
        let is_running = all(1, |backup| backup.state == State::Running);
        folders.damaged(
            &format!("an upload that ends with .{ending}"),
            is_running,
            |folder| {
                write(&folder.join(format!("a.sql.{ending}")), PLAIN, now - HOUR);
            },
        );
    }
    for _ in 0..5 {
        let content = half(dice);
        let what = format!("a dump of {} bytes", content.len());
        folders.damaged(&what, all_damaged(1), |folder| {
            write(&folder.join("a.sql"), content, now - HOUR);
        });
    }
}

fn clocks(folders: &mut Folders, dice: &mut Dice) {
    let (now, day) = (SystemTime::now(), 24 * HOUR);
    let dates = [
        ("tomorrow", now + day),
        ("in a year", now + 365 * day),
        ("1970", SystemTime::UNIX_EPOCH),
        ("before 1970", SystemTime::UNIX_EPOCH - day),
    ];
    let dumps = Dumps::take();
    for (date, modified) in dates {
        let content = half(dice);
        folders.damaged(
            &format!("half a dump of {date}"),
            all_damaged(1),
            |folder| {
                write(&folder.join("a.sql"), content, modified);
            },
        );
        // A date that is yet to come makes nothing younger than it is.
        let is_past = |record: &Record| {
            let is_past = |at: Timestamp| at.0 <= Timestamp::now().0;
            all_whole(1)(record)
                && backups(record)
                    .iter()
                    .all(|backup| is_past(backup.moment()))
        };
        folders.good(&format!("a dump of {date}"), is_past, |folder| {
            write(&folder.join("a.dump"), &dumps.custom, modified);
        });
    }
    // Its header is a day ahead of its file: the dumper's clock was wrong, the dump is not.
    folders.good(
        "a dump from a clock that is ahead",
        all_whole(1),
        |folder| {
            write(&folder.join("a.dump"), &dumps.custom, now - day);
        },
    );
    let year_ago = now - 300 * day;
    let is_old = all(1, move |backup| {
        let since = year_ago.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        backup.state == State::Done && backup.moment().0 < since.as_millis() as i64
    });
    let old = dumps.old();
    folders.damaged("an old dump under today's date", is_old, |folder| {
        write(&folder.join("a.dump"), &old, now - HOUR);
    });
}

fn links(folders: &mut Folders) {
    let past = SystemTime::now() - HOUR;
    folders.damaged("links in a circle", all(0, |_| false), |folder| {
        symlink("b.sql", folder.join("a.sql")).unwrap();
        symlink("a.sql", folder.join("b.sql")).unwrap();
        symlink(".", folder.join("c.sql")).unwrap();
    });
    folders.damaged("a pipe for a dump", all(0, |_| false), |folder| {
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("a.sql"), 0o600.into()).unwrap();
    });
    folders.damaged("a directory dump of links", all_damaged(1), |folder| {
        let inner = folder.join("d");
        create_dir(&inner).unwrap();
        write(&inner.join("3364.dat"), "1\n\\.\n\n\n", past);
        symlink("toc.dat", inner.join("toc.dat")).unwrap();
        symlink("..", inner.join("3365.dat")).unwrap();
    });
    folders.good("a dump beside links in a circle", all_whole(1), |folder| {
        write(&folder.join("a.sql"), PLAIN, past);
        symlink("latest.sql", folder.join("latest.sql")).unwrap();
        symlink("..", folder.join("up")).unwrap();
    });
    // So deep that no path can name its bottom.
    folders.good("a dump beside deep folders", all_whole(1), |folder| {
        write(&folder.join("a.sql"), PLAIN, past);
        create_dir_all(folder.join("deep/".repeat(300))).unwrap();
    });
}

fn names(folders: &mut Folders) {
    let past = SystemTime::now() - HOUR;
    let lay = |content: &'static str| {
        move |folder: &Path| {
            for name in NAMES {
                write(&folder.join(OsStr::from_bytes(name)), content, past);
            }
            write(
                &folder.join(format!("{}.sql", "n".repeat(250))),
                content,
                past,
            );
        }
    };
    let count = NAMES.len() + 1;
    folders.damaged("hostile names", all_damaged(count), lay(&PLAIN[..50]));
    folders.good("hostile names of good dumps", all_whole(count), lay(PLAIN));
}

fn beside(folders: &mut Folders) {
    let past = SystemTime::now() - HOUR;
    let sum = ring::digest::digest(&ring::digest::SHA256, PLAIN.as_bytes());
    let sum: String = sum
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let lay = |content: &str, sum: &str, folder: &Path| {
        write(&folder.join("a.sql"), content, past);
        write(
            &folder.join("a.sql.sha256"),
            format!("{sum}  a.sql\n"),
            past,
        );
    };
    let is_summed = all(1, |backup| backup.proof == Proof::Summed);
    folders.good("a checksum beside it", is_summed, |folder| {
        lay(PLAIN, &sum, folder)
    });
    folders.damaged("another checksum beside it", all_damaged(1), |folder| {
        lay(PLAIN, &sum.replace(|c: char| c.is_numeric(), "0"), folder);
    });
    // A row that is another one, which nothing else can tell.
    folders.damaged(
        "a flipped bit with a checksum beside it",
        all_damaged(1),
        |folder| {
            lay(&PLAIN.replace("\n3\n", "\n2\n"), &sum, folder);
        },
    );
}

fn many(folders: &mut Folders) {
    let is_seen = |record: &Record| {
        let seen = backups(record);
        let newest = seen.iter().find(|backup| backup.id == "good.sql");
        let is_whole = newest.is_some_and(|newest| newest.proof >= Proof::Whole);
        let damaged = seen.iter().filter(|backup| backup.state == State::Damaged);
        let is_good = |id: &str| id == "good.sql";
        let called_good = seen.iter().filter(|backup| backup.proof >= Proof::Whole);
        seen.len() == 100_000
            && is_whole
            && damaged.count() >= 100
            && called_good.map(|backup| backup.id.as_str()).all(is_good)
    };
    let folder = folders.folder();
    for number in 1..100_000 {
        File::create(folder.join(format!("{number}.sql"))).unwrap();
    }
    write(&folder.join("good.sql"), PLAIN, SystemTime::now() + HOUR);
    let place = format!("look: 5s, files: '{}'", folder.display());
    let what = "100,000 files, one of them good";
    folders.cases.push(Case::damaged(what, place, is_seen));
}
