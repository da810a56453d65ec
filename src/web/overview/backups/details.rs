//! What stands against a source by name: a page has room for names, which labels must not hold.

use crate::backup::{Facts, State, last_attempt};

/// More names are counted.
const NAMED: usize = 3;

/// Sentences about what was seen, with the names of the backups they are about.
pub(super) fn details(facts: &Facts) -> Vec<String> {
    let mut details: Vec<String> = Vec::new();
    details.extend(facts.obstacle.as_ref().map(ToString::to_string));
    details.extend(bad(facts));
    let uncopied = facts.uncopied.as_deref().unwrap_or_default();
    details.extend(listed("not here as in the original", uncopied));
    details.extend(listed("gone although promised to stay", &facts.vanished));
    if let Some(sighting) = &facts.sighting {
        details.extend(listed("said of the place", &sighting.complaints));
    }
    details
}

/// The newest backup that came to an end, where that was no good one.
fn bad(facts: &Facts) -> Option<String> {
    let last = last_attempt(facts.sighting.as_ref()?)?;
    let why = last.problem.as_deref().unwrap_or_default();
    match last.state {
        State::Damaged if why.is_empty() => Some(format!("`{}` is damaged", last.id)),
        State::Failed if why.is_empty() => Some(format!("`{}` failed", last.id)),
        State::Damaged | State::Failed => Some(format!("`{}`: it {why}", last.id)),
        _ => None,
    }
}

fn listed(what: &str, names: &[String]) -> Option<String> {
    let first: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMED);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!names.is_empty()).then(|| format!("{what}: {}{rest}", first.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::{Backup, Kind, Obstacle, Sighting};
    use crate::sample::Timestamp;

    fn seen(backups: Vec<Backup>) -> Facts {
        Facts {
            sighting: Some(Sighting {
                backups,
                ..Sighting::default()
            }),
            ..Facts::default()
        }
    }

    fn backup(name: &str, at: i64, state: State, problem: Option<&str>) -> Backup {
        Backup {
            state,
            problem: problem.map(str::to_owned),
            ..Backup::listed(name, Kind::Dump, Timestamp(at))
        }
    }

    #[test]
    fn what_is_bad_has_its_name() {
        let good = backup("a", 1, State::Done, None);
        let cut = backup("b", 2, State::Damaged, Some("ends inside `games`"));
        let failed = backup("c", 3, State::Failed, None);
        let unread = backup("d", 4, State::Unread, None);
        assert_eq!(details(&Facts::default()), [""; 0]);
        assert_eq!(details(&seen(vec![good.clone()])), [""; 0]);
        let bad = details(&seen(vec![good, cut.clone(), unread]));
        assert_eq!(bad, ["`b`: it ends inside `games`"]);
        assert_eq!(details(&seen(vec![failed, cut])), ["`c` failed"]);
    }

    #[test]
    fn what_is_missing_is_named_and_counted() {
        let names = |count: usize| (0..count).map(|number| format!("n{number}")).collect();
        let facts = Facts {
            obstacle: Some(Obstacle::Missing("/b".into())),
            uncopied: Some(names(5)),
            vanished: names(2),
            ..Facts::default()
        };
        let expected = [
            "folder `/b` does not exist",
            "not here as in the original: n0, n1, n2 and 2 more",
            "gone although promised to stay: n0, n1",
        ];
        assert_eq!(details(&facts), expected);
    }
}
