//! From what was seen of a source to its samples. Time is handed in, so that an age grows although nothing new is seen.

use std::time::Duration;

use super::files::Obstacle;
use super::metric::{self, Page};
use super::sighting::{Backup, Kind, Origin, Proof, Sighting, State};
use super::{Settings, Trouble};
use crate::sample::{Sample, Timestamp};

/// What is known of one source.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Facts {
    /// When it was last looked at with success.
    pub(super) looked: Option<Timestamp>,
    /// How long the last look took.
    pub(super) took: Duration,
    /// Why the last look failed.
    pub(super) obstacle: Option<Obstacle>,
    /// What the last successful look showed.
    pub(super) sighting: Option<Sighting>,
}

/// How many backups a typical size is taken from, at least and at most.
const TYPICAL_OF: std::ops::RangeInclusive<usize> = 3..=7;
/// The kinds a folder of dumps can hold.
const KINDS: [Kind; 1] = [Kind::Dump];

/// All samples of the source at this moment.
pub(super) fn samples(settings: &Settings, facts: &Facts, now: Timestamp) -> Vec<Sample> {
    let mut page = Page::of(&settings.name);
    let succeeded = facts.obstacle.is_none() && facts.looked.is_some();
    page.put(metric::PROBE_SUCCESS, &[], truth(succeeded));
    page.put_some(
        metric::PROBE_TIMESTAMP,
        &[],
        facts.looked.map(Timestamp::seconds),
    );
    page.put(metric::PROBE_DURATION, &[], facts.took.as_secs_f64());
    promises(&mut page, settings);
    problems(&mut page, facts);
    if let Some(sighting) = &facts.sighting {
        for kind in KINDS {
            counts(&mut page, sighting, kind);
            newest(&mut page, sighting, kind, now);
        }
        whole_source(&mut page, settings, sighting);
    }
    page.finish()
}

fn promises(page: &mut Page, settings: &Settings) {
    page.put(metric::EXPECTED_INTERVAL, &[], settings.every.as_secs_f64());
    page.put(metric::EXPECTED_GRACE, &[], settings.grace.as_secs_f64());
    page.put_some(
        metric::EXPECTED_RETENTION,
        &[],
        settings.keep.map(|keep| keep.as_secs_f64()),
    );
}

fn problems(page: &mut Page, facts: &Facts) {
    let obstacle = facts.obstacle.as_ref().map(|obstacle| match obstacle {
        Obstacle::Missing(_) => "folder_missing",
        Obstacle::Unreadable(..) | Obstacle::Silent(..) | Obstacle::Endless(_) => {
            "folder_unreadable"
        }
    });
    for problem in ["folder_missing", "folder_unreadable"] {
        page.put(
            metric::PROBLEM,
            &[("problem", problem)],
            truth(obstacle == Some(problem)),
        );
    }
    if let Some(sighting) = &facts.sighting {
        let is_empty = sighting.backups.is_empty();
        page.put(
            metric::PROBLEM,
            &[("problem", "folder_empty")],
            truth(is_empty),
        );
        let trouble = last_attempt(sighting).and_then(|backup| backup.trouble);
        for each in Trouble::ALL {
            page.put(
                metric::PROBLEM,
                &[("problem", each.label())],
                truth(trouble == Some(each)),
            );
        }
    }
}

fn counts(page: &mut Page, sighting: &Sighting, kind: Kind) {
    for state in State::COUNTED {
        let counted = sighting
            .backups
            .iter()
            .filter(|backup| backup.kind == kind && backup.state.counted() == state);
        let labels = [("kind", kind.label()), ("state", state.label())];
        page.put(metric::COUNT, &labels, counted.count() as f64);
    }
}

fn newest(page: &mut Page, sighting: &Sighting, kind: Kind, now: Timestamp) {
    let of_kind = usable(sighting)
        .into_iter()
        .filter(|backup| backup.kind == kind);
    let usable: Vec<&Backup> = of_kind.collect();
    let Some((newest, before)) = usable.split_first() else {
        return;
    };
    let labels = [("kind", kind.label())];
    page.put(metric::LAST_SUCCESS, &labels, newest.moment().seconds());
    page.put(
        metric::AGE,
        &labels,
        now.since(newest.moment()).as_secs_f64(),
    );
    page.put(metric::SIZE, &labels, newest.bytes as f64);
    let sizes = before
        .iter()
        .take(*TYPICAL_OF.end())
        .map(|backup| backup.bytes);
    page.put_some(metric::TYPICAL_SIZE, &labels, median(sizes.collect()));
}

fn whole_source(page: &mut Page, settings: &Settings, sighting: &Sighting) {
    let last = last_attempt(sighting);
    page.put(
        metric::LAST_ATTEMPT_FAILED,
        &[],
        truth(last.is_some_and(|backup| !backup.state.is_good())),
    );
    let running = sighting
        .backups
        .iter()
        .filter(|backup| backup.state == State::Running);
    let since = running.map(|backup| backup.finished).min();
    page.put_some(metric::RUNNING_SINCE, &[], since.map(Timestamp::seconds));
    let stored: u64 = sighting.backups.iter().map(|backup| backup.bytes).sum();
    page.put(metric::STORED, &[], stored as f64);
    page.put_some(
        metric::FREE,
        &[],
        sighting.space.map(|space| space.free as f64),
    );
    let usable = usable(sighting);
    for proof in Proof::EARNED {
        let proved = usable.iter().find(|backup| backup.proof >= proof);
        let moment = proved.map_or(0.0, |backup| backup.moment().seconds());
        page.put(metric::PROOF, &[("proof", proof.label())], moment);
    }
    for (metric, end) in [
        (metric::WINDOW_START, usable.last()),
        (metric::WINDOW_END, usable.first()),
    ] {
        page.put(
            metric,
            &[],
            end.map_or(0.0, |backup| backup.moment().seconds()),
        );
    }
    let origin = usable.first().and_then(|backup| backup.origin.as_ref());
    page.put_some(
        metric::FOREIGN,
        &[],
        is_foreign(settings, origin).map(truth),
    );
}

/// Usable backups, newest first. Those not read yet count only while no backup has been read at all: a new file is not
/// good news before it has been read.
fn usable(sighting: &Sighting) -> Vec<&Backup> {
    let judged = sighting
        .backups
        .iter()
        .any(|backup| backup.state.is_judged());
    let counted = if judged { State::Done } else { State::Unread };
    let mut usable: Vec<&Backup> = sighting
        .backups
        .iter()
        .filter(|backup| backup.state == counted)
        .collect();
    usable.sort_by_key(|backup| std::cmp::Reverse((backup.moment(), backup.finished)));
    usable
}

/// The newest backup that came to an end, good or bad.
fn last_attempt(sighting: &Sighting) -> Option<&Backup> {
    let ended = sighting
        .backups
        .iter()
        .filter(|backup| backup.state.is_judged());
    ended.max_by_key(|backup| backup.finished)
}

fn is_foreign(settings: &Settings, origin: Option<&Origin>) -> Option<bool> {
    match (&settings.database, origin?) {
        (Some(expected), Origin::Database(name)) => Some(expected != name),
        _ => None,
    }
}

fn median(mut sizes: Vec<u64>) -> Option<f64> {
    sizes.sort_unstable();
    let (count, middle) = (sizes.len(), sizes.len() / 2);
    match count % 2 {
        _ if count < *TYPICAL_OF.start() => None,
        1 => Some(sizes[middle] as f64),
        _ => Some((sizes[middle - 1] as f64 + sizes[middle] as f64) / 2.0),
    }
}

fn truth(fact: bool) -> f64 {
    f64::from(u8::from(fact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Reader, parse};

    const HOUR: i64 = 3_600_000;

    fn settings() -> Settings {
        let text = "backups: [{name: n, files: /b, every: 1d, keep: 30d, database: shop}]";
        Reader::new(None)
            .read(&parse("x.yml", text).unwrap(), Settings::read)
            .remove(0)
    }

    /// A backup as `state finished-hour bytes`, then `made-hour`, `database` or a trouble.
    fn backup(text: &str) -> Backup {
        let words: Vec<&str> = text.split(' ').collect();
        let state = match words[0] {
            "unread" => State::Unread,
            word => State::COUNTED
                .into_iter()
                .find(|state| state.label() == word)
                .unwrap(),
        };
        let extra = words.get(3).copied().unwrap_or_default();
        let trouble = Trouble::ALL
            .into_iter()
            .find(|trouble| trouble.label() == extra);
        let made: Option<i64> = extra.parse().ok();
        let is_name = trouble.is_none() && made.is_none() && !extra.is_empty();
        Backup {
            id: text.into(),
            kind: Kind::Dump,
            state,
            started: made.map(|hour| Timestamp(hour * HOUR)),
            finished: Timestamp(words[1].parse::<i64>().unwrap() * HOUR),
            bytes: words[2].parse().unwrap(),
            parent: None,
            origin: is_name.then(|| Origin::Database(extra.into())),
            proof: if state == State::Done {
                Proof::Whole
            } else {
                Proof::Listed
            },
            trouble,
        }
    }

    fn facts(backups: &[&str]) -> Facts {
        Facts {
            looked: Some(Timestamp(1000 * HOUR)),
            sighting: Some(Sighting {
                backups: backups.iter().map(|text| backup(text)).collect(),
                space: None,
            }),
            ..Facts::default()
        }
    }

    /// The samples as `name{labels} value`, without prefix, source and kind; times in hours.
    fn check(facts: &Facts, expected: &[&str]) {
        let samples = samples(&settings(), facts, Timestamp(1000 * HOUR));
        let lines: Vec<String> = samples
            .iter()
            .map(|sample| {
                assert_eq!(sample.labels.get("source"), "n");
                let name = sample.family.name.strip_prefix("pg_backup_").unwrap();
                let is_time = name.ends_with("_seconds") && !name.contains("duration");
                let value = if is_time {
                    sample.value / 3600.0
                } else {
                    sample.value
                };
                let labels = sample.labels.with("source", "").with("kind", "");
                let labels = if labels.is_empty() {
                    String::new()
                } else {
                    labels.to_string()
                };
                format!("{name}{labels} {value}")
            })
            .collect();
        for line in expected {
            match line.strip_prefix("no ") {
                Some(name) => assert!(
                    !lines.iter().any(|line| line.starts_with(name)),
                    "{name} in {lines:#?}"
                ),
                None => assert!(
                    lines.iter().any(|known| known == line),
                    "{line} not in {lines:#?}"
                ),
            }
        }
    }

    #[test]
    fn the_newest_usable_backup_counts() {
        let backups = [
            "done 990 100",
            "done 966 90",
            "done 942 80",
            "done 918 110",
            "damaged 999 5 truncated",
        ];
        check(
            &facts(&backups),
            &[
                "probe_success 1",
                "probe_timestamp_seconds 1000",
                "expected_interval_seconds 24",
                "expected_grace_seconds 6",
                "expected_retention_seconds 720",
                r#"count{state="done"} 4"#,
                r#"count{state="running"} 0"#,
                r#"count{state="failed"} 0"#,
                r#"count{state="damaged"} 1"#,
                "last_success_timestamp_seconds 990",
                "age_seconds 10",
                "size_bytes 100",
                "typical_size_bytes 90",
                "stored_bytes 385",
                "last_attempt_failed 1",
                r#"problem{problem="truncated"} 1"#,
                r#"problem{problem="empty"} 0"#,
                r#"problem{problem="folder_empty"} 0"#,
                r#"proof_timestamp_seconds{proof="opened"} 990"#,
                r#"proof_timestamp_seconds{proof="whole"} 990"#,
                r#"proof_timestamp_seconds{proof="summed"} 0"#,
                r#"proof_timestamp_seconds{proof="restored"} 0"#,
                "recovery_window_start_timestamp_seconds 918",
                "recovery_window_end_timestamp_seconds 990",
                "no running_since",
                "no foreign",
                "no free_bytes",
            ],
        );
    }

    #[test]
    fn nothing_there_is_said_and_not_invented() {
        check(
            &facts(&[]),
            &[
                "probe_success 1",
                r#"count{state="done"} 0"#,
                r#"problem{problem="folder_empty"} 1"#,
                "last_attempt_failed 0",
                "stored_bytes 0",
                "no last_success",
                "no age",
                "no size",
            ],
        );
    }

    #[test]
    fn a_failed_look_keeps_the_facts() {
        let failed = Facts {
            obstacle: Some(Obstacle::Missing("/b".into())),
            ..facts(&["done 900 100"])
        };
        let expected = [
            "probe_success 0",
            r#"problem{problem="folder_missing"} 1"#,
            r#"count{state="done"} 1"#,
            "age_seconds 100",
        ];
        check(&failed, &expected);
        let never = Facts {
            obstacle: Some(Obstacle::Unreadable("/b".into(), "denied".into())),
            ..Facts::default()
        };
        let expected = [
            "probe_success 0",
            r#"problem{problem="folder_unreadable"} 1"#,
            "no probe_timestamp",
            "no count",
            "no age",
        ];
        check(&never, &expected);
    }

    #[test]
    fn what_is_not_read_yet_is_no_news() {
        let cases: [(&[&str], &[&str]); 4] = [
            (
                &["unread 999 5", "unread 990 9"],
                &[
                    "age_seconds 1",
                    "last_attempt_failed 0",
                    r#"count{state="done"} 2"#,
                    r#"proof_timestamp_seconds{proof="opened"} 0"#,
                ],
            ),
            (
                &["unread 999 5", "done 990 9"],
                &["age_seconds 10", "size_bytes 9"],
            ),
            (
                &["unread 999 5", "damaged 990 9 empty"],
                &[
                    "last_attempt_failed 1",
                    r#"problem{problem="empty"} 1"#,
                    "no age",
                ],
            ),
            (
                &["running 999 5", "done 990 9"],
                &[
                    "age_seconds 10",
                    "running_since_timestamp_seconds 999",
                    r#"count{state="running"} 1"#,
                ],
            ),
        ];
        for (backups, expected) in cases {
            check(&facts(backups), expected);
        }
    }

    #[test]
    fn an_old_dump_under_a_new_date_is_old() {
        check(&facts(&["done 999 5 800"]), &["age_seconds 200"]);
        check(
            &facts(&["done 999 5 990", "done 900 5"]),
            &["age_seconds 1"],
        );
        // A copy of an old dump does not hide a newer one.
        check(
            &facts(&["done 999 5 800", "done 990 9"]),
            &["age_seconds 10", "size_bytes 9"],
        );
    }

    #[test]
    fn another_database_is_foreign() {
        check(&facts(&["done 999 5 shop"]), &["foreign 0"]);
        check(
            &facts(&["done 999 5 blog", "done 990 5 shop"]),
            &["foreign 1"],
        );
    }

    #[test]
    fn a_typical_size_needs_three() {
        let cases: [(&[u64], Option<f64>); 4] = [
            (&[1, 2], None),
            (&[3, 1, 2], Some(2.0)),
            (&[4, 1, 2, 3], Some(2.5)),
            (&[u64::MAX, u64::MAX, 1, u64::MAX], Some(u64::MAX as f64)),
        ];
        for (sizes, expected) in cases {
            assert_eq!(median(sizes.to_vec()), expected, "{sizes:?}");
        }
    }
}
