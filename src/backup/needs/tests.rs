use super::*;
use crate::backup::archive::Shown;
use crate::backup::inspect::Needed;
use crate::backup::sighting::{Kind, Origin};
use crate::backup::wal::{Wal, WalFile, WalName};
use crate::sample::Timestamp;

const MIB16: u64 = 16 << 20;

fn verdict(start: u64, since: Option<u64>, has_wal: bool) -> Verdict {
    let mut verdict = Verdict::listed("base backup");
    verdict.kind = if since.is_some() {
        Kind::Incremental
    } else {
        Kind::Full
    };
    verdict.proof = Proof::Summed;
    verdict.wal = Some(Needed {
        timeline: 1,
        start: start * MIB16 + 40,
        end: start * MIB16 + 300,
    });
    verdict.since = since.map(|start| start * MIB16 + 40);
    verdict.has_wal = has_wal;
    verdict
}

fn done<'v>(id: &str, verdict: Option<&'v Verdict>) -> Read<'v> {
    let kind = verdict.map_or(Kind::Full, |verdict| verdict.kind);
    let state = if verdict.is_some() {
        State::Done
    } else {
        State::Unread
    };
    let backup = Backup {
        state,
        origin: verdict.map(|_| Origin::Cluster(7)),
        proof: verdict.map_or(Proof::Listed, |verdict| verdict.proof),
        ..Backup::listed(id, kind, Timestamp(0))
    };
    (backup, verdict)
}

fn states(read: &[Read]) -> String {
    let each = read.iter().map(|(backup, _)| {
        let parent = backup.parent.as_deref().unwrap_or("-");
        format!("{} {:?} {parent}", backup.id, backup.state)
    });
    each.collect::<Vec<_>>().join(", ")
}

#[test]
fn changes_are_as_good_as_what_they_are_changes_of() {
    let (full, first, second) = (
        verdict(3, None, true),
        verdict(5, Some(3), true),
        verdict(7, Some(5), true),
    );
    let chain = || {
        vec![
            done("b", Some(&second)),
            done("a", Some(&first)),
            done("full", Some(&full)),
        ]
    };
    let mut read = chain();
    parents(&mut read);
    assert_eq!(states(&read), "b Done a, a Done full, full Done -");
    let mut read = chain();
    read.remove(2);
    parents(&mut read);
    assert_eq!(states(&read), "b Damaged a, a Damaged -");
    assert_eq!(read[0].0.trouble, Some(Trouble::ParentMissing));
    let mut read = chain();
    read[2].0.state = State::Damaged;
    parents(&mut read);
    assert_eq!(states(&read), "b Damaged a, a Damaged full, full Damaged -");
    // The parent may be the one that has not been read yet.
    let mut read = chain();
    read[2] = done("full", None);
    parents(&mut read);
    assert_eq!(states(&read), "b Unread -, a Unread -, full Unread -");
    // Of another cluster, it is no parent.
    let mut read = chain();
    read[2].0.origin = Some(Origin::Cluster(8));
    parents(&mut read);
    assert_eq!(states(&read), "b Damaged a, a Damaged -, full Done -");
    let mut read = chain();
    read[2].0.proof = Proof::Whole;
    parents(&mut read);
    assert_eq!(read[0].0.proof, Proof::Whole);
}

fn archive(numbers: &[u64]) -> Archive {
    let file = |number: &u64| WalFile {
        name: WalName::Segment(
            Segment {
                timeline: 1,
                number: *number,
            }
            .name(MIB16),
        ),
        bytes: MIB16,
        modified: Timestamp(0),
        is_packed: false,
    };
    let wal = Wal {
        files: numbers.iter().map(file).collect(),
        ..Wal::default()
    };
    Archive::of(Shown::told(wal), None)
}

#[test]
fn wal_is_lost_once_it_is_missing_twice() {
    let (bare, filled) = (verdict(5, None, false), verdict(5, None, true));
    let judge = |verdict, now: Option<&[u64]>, before: Option<&[u64]>| {
        let (now, before) = (now.map(archive), before.map(archive));
        let mut read = vec![done("x", Some(verdict))];
        let needs = wal(&mut read, now.as_ref(), before.as_ref());
        (read[0].0.state, read[0].0.proof, needs.len())
    };
    let (whole, torn): (&[u64], &[u64]) = (&[4, 5, 6], &[4, 6]);
    let good = (State::Done, Proof::Summed, 1);
    assert_eq!(judge(&bare, Some(whole), Some(whole)), good);
    assert_eq!(judge(&bare, Some(torn), Some(whole)), good);
    assert_eq!(judge(&bare, Some(torn), None), good);
    assert_eq!(
        judge(&bare, Some(torn), Some(torn)),
        (State::Damaged, Proof::Opened, 0)
    );
    assert_eq!(judge(&filled, Some(torn), Some(torn)), good);
    assert_eq!(judge(&bare, None, None), (State::Damaged, Proof::Opened, 0));
    assert_eq!(judge(&filled, None, None), good);
}

#[test]
fn rows_are_held_against_the_promise() {
    let table = |schema: &str, name: &str, rows| Table {
        schema: schema.into(),
        name: name.into(),
        rows,
    };
    let tables = [
        table("public", "users", 40),
        table("public", "games", 0),
        table("s", "users", 1),
    ];
    let cases = [
        ("public.users", 40, None),
        ("users", 40, None),
        ("s.users", 1, None),
        (
            "public.users",
            41,
            Some("holds 40 rows of `public.users`, at least 41 were promised"),
        ),
        (
            "games",
            1,
            Some("holds 0 rows of `games`, at least 1 were promised"),
        ),
        (
            "public.none",
            0,
            Some("holds no rows of `public.none` that can be counted, at least 0 were promised"),
        ),
    ];
    for (name, rows, words) in cases {
        let expected = BTreeMap::from([(name.to_owned(), rows)]);
        assert_eq!(missing_rows(&expected, &tables).as_deref(), words, "{name}");
    }
}
