//! How fast a place fills, and when it will be full.

use std::time::Duration;

use super::{Matter, metric};
use crate::backup::Sighting;
use crate::backup::memory::Past;
use crate::backup::metric::Page;
use crate::sample::Timestamp;

/// Growth seen over fewer days says little: many jobs remove old backups once a week.
const FEWEST_DAYS: i64 = 7;
const DAY: f64 = 86_400.0;

pub(super) fn growth(page: &mut Page, matter: &Matter, sighting: &Sighting, now: Timestamp) {
    let Some(per_day) = per_day(matter.past) else {
        return;
    };
    page.put(metric::GROWTH, &[], per_day / DAY);
    let Some(space) = sighting.space else {
        return;
    };
    let free = space.free as f64;
    // Until the first backups have been kept as long as promised, each is added and none goes; then it levels off.
    let age = matter.past.since.map(|since| now.since(since));
    let filling = matter.settings.keep.map_or(Duration::ZERO, |keep| {
        keep.saturating_sub(age.unwrap_or_default())
    });
    let levels_off = !filling.is_zero() && per_day * filling.as_secs_f64() / DAY < free;
    if per_day > 0.0 && !levels_off {
        page.put(metric::FULL_IN, &[], free / per_day * DAY);
    }
}

/// How much more is stored each day, in bytes: the median of the slopes between any two days, which neither one large
/// backup nor one clean-up moves; nothing before it means something.
fn per_day(past: &Past) -> Option<f64> {
    let days: Vec<(i64, f64)> = past
        .days
        .iter()
        .map(|(day, stored)| (*day, *stored as f64))
        .collect();
    let span = days.last()?.0 - days.first()?.0;
    if span < FEWEST_DAYS || (days.len() as i64) < FEWEST_DAYS {
        return None;
    }
    let pairs = days.iter().enumerate().flat_map(|(place, from)| {
        let later = days.iter().skip(place + 1);
        later.map(move |to| (to.1 - from.1) / (to.0 - from.0) as f64)
    });
    Some(super::sizes::median(pairs.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &[u64]) -> Option<f64> {
        let past = Past {
            days: (100..).zip(stored.iter().copied()).collect(),
            ..Past::default()
        };
        per_day(&past)
    }

    #[test]
    fn growth_is_told_once_it_means_something() {
        assert_eq!(check(&[]), None);
        assert_eq!(check(&[1, 2, 3, 4, 5, 6, 7]), None);
        assert_eq!(check(&[10, 20, 30, 40, 50, 60, 70, 80]), Some(10.0));
        assert_eq!(check(&[80, 80, 80, 80, 80, 80, 80, 80, 80]), Some(0.0));
        // One backup that is too large, one day.
        let peak = [10, 20, 30, 999, 50, 60, 70, 80, 90, 100];
        assert_eq!(check(&peak), Some(10.0));
        let shrinking = check(&[90, 80, 70, 60, 50, 40, 30, 20]).unwrap();
        assert!(shrinking < 0.0);
    }
}
