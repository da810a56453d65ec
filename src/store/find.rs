//! From matchers to series: lists of the index are intersected, smallest first; every other condition is tested once per
//! value of its label, or once per series where fewer of these are left.

use super::index::{Id, Index};
use super::matcher::{Matcher, Test};
use super::series::Held;

/// A condition is put to the series one by one where no more than this part of all is left: to mark all that carry the
/// values which meet it would take longer.
const FEW: usize = 64;

/// What is searched.
pub(super) struct Search<'a> {
    /// The series by place.
    pub(super) series: &'a [Option<Box<Held>>],
    /// How many there are.
    pub(super) count: usize,
    /// The same series by label.
    pub(super) index: &'a Index,
}

impl Search<'_> {
    /// The series that meet every matcher, in order of their places.
    pub(super) fn ids(&self, matchers: &[Matcher]) -> Vec<Id> {
        let mut lists = Vec::new();
        let mut others = Vec::new();
        for matcher in matchers {
            match &matcher.test {
                Test::Equal(value) if !value.is_empty() => {
                    lists.push(self.index.ids(&matcher.name, value));
                }
                _ => others.push(matcher),
            }
        }
        let mut found = self.in_all(lists);
        for matcher in others {
            self.narrow(&mut found, matcher);
        }
        found
    }

    fn in_all(&self, mut lists: Vec<&[Id]>) -> Vec<Id> {
        lists.sort_unstable_by_key(|ids| ids.len());
        let Some((least, more)) = lists.split_first() else {
            let places = self.series.iter().zip(0..);
            return places
                .filter_map(|(held, id)| held.is_some().then_some(id))
                .collect();
        };
        let mut found = least.to_vec();
        // What every series carries (a job, say) narrows nothing.
        for ids in more.iter().filter(|ids| ids.len() < self.count) {
            intersect(&mut found, ids);
        }
        found
    }

    fn narrow(&self, found: &mut Vec<Id>, Matcher { name, test }: &Matcher) {
        let without = test.accepts("");
        let Some(values) = self.index.values(name) else {
            if !without {
                found.clear();
            }
            return;
        };
        if found.len() <= values.len().max(self.count / FEW) {
            found.retain(|id| test.accepts(self.value(*id, name)));
            return;
        }
        // Series without the label meet the condition or do not; marked are those to which the opposite applies.
        let mut marks = Marks::over(self.series.len());
        let marked = values.iter();
        let marked = marked.filter(|(value, _)| test.accepts(value) != without);
        marked.for_each(|(_, ids)| marks.set(ids));
        found.retain(|id| marks.has(*id) != without);
    }

    fn value(&self, id: Id, name: &str) -> &str {
        let held = self.series.get(id as usize).and_then(Option::as_deref);
        held.map_or("", |held| held.labels.get(name))
    }
}

/// A bit for each place.
struct Marks(Vec<u64>);

impl Marks {
    fn over(places: usize) -> Self {
        Marks(vec![0; places.div_ceil(64)])
    }

    fn set(&mut self, ids: &[Id]) {
        for id in ids {
            self.0[*id as usize / 64] |= 1 << (id % 64);
        }
    }

    fn has(&self, id: Id) -> bool {
        self.0[id as usize / 64] >> (id % 64) & 1 == 1
    }
}

/// Leaves in `found` what is also in `ids`; both are in order.
fn intersect(found: &mut Vec<Id>, ids: &[Id]) {
    let mut rest = ids;
    found.retain(|id| {
        rest = &rest[first_from(rest, *id)..];
        rest.first() == Some(id)
    });
}

/// The place of the first that is not below `id`, found in steps that double, for it is mostly near.
fn first_from(ids: &[Id], id: Id) -> usize {
    let mut step = 1;
    while ids.get(step).is_some_and(|at| *at < id) {
        step *= 2;
    }
    let (from, to) = (step / 2, ids.len().min(step + 1));
    from + ids[from..to].partition_point(|at| *at < id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_intersected_as_sets_are() {
        let every = |step: usize, most: Id| (0..most).step_by(step).collect::<Vec<Id>>();
        let lists = [
            vec![],
            vec![0],
            vec![999],
            every(1, 1000),
            every(2, 999),
            every(7, 1000),
            every(100, 1001),
        ];
        for one in &lists {
            for other in &lists {
                let mut found = one.clone();
                intersect(&mut found, other);
                let expected: Vec<Id> = one
                    .iter()
                    .filter(|id| other.contains(id))
                    .copied()
                    .collect();
                assert_eq!(found, expected, "{one:?} and {other:?}");
            }
        }
    }
}
