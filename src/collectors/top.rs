//! Which rows of a long answer are shown: a pure choice that is stable from one reading to the next.

use std::cmp::Ordering;

/// Chooses `room` rows. `columns` holds what the rows are ranked by, a number for each row; what is not above zero earns
/// no place. Each column has an equal share, of which the largest are always in; a row that was shown before stays until
/// it is no longer among the 1.25 × share largest of any column. The shares are cut so that both fit, and what room is
/// left goes to the largest of the first column, those that were shown before preferred by a quarter of their rank.
/// Equal rows are told apart by `name`.
pub(super) fn choose<N: Ord>(
    columns: &[Vec<f64>],
    name: impl Fn(usize) -> N,
    shown: impl Fn(usize) -> bool,
    room: usize,
) -> Vec<bool> {
    let rows = columns.first().map_or(0, Vec::len);
    let mut chosen = vec![false; rows];
    let share = 4 * room / (5 * columns.len().max(1));
    let ranked: Vec<Vec<usize>> = columns.iter().map(|column| rank(column, &name)).collect();
    for (column, order) in columns.iter().zip(&ranked) {
        for (place, row) in order.iter().copied().take(5 * share / 4).enumerate() {
            chosen[row] |= column[row] > 0.0 && (place < share || shown(row));
        }
    }
    let taken = chosen.iter().filter(|chosen| **chosen).count();
    let mut others: Vec<(usize, bool, usize)> = ranked
        .first()
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(_, row)| !chosen[**row])
        .map(|(place, row)| match shown(*row) {
            true => (4 * (place + 1), false, *row),
            false => (5 * (place + 1), true, *row),
        })
        .collect();
    // A stable sort: of equals the one of the better rank stays first.
    others.sort_by_key(|(rank, new, _)| (*rank, *new));
    for (_, _, row) in others.into_iter().take(room.saturating_sub(taken)) {
        chosen[row] = true;
    }
    chosen
}

/// The rows from the largest to the smallest.
fn rank<N: Ord>(column: &[f64], name: impl Fn(usize) -> N) -> Vec<usize> {
    let mut order: Vec<usize> = (0..column.len()).collect();
    order.sort_by(|one, other| {
        let largest_first = column[*other].total_cmp(&column[*one]);
        match largest_first {
            Ordering::Equal => name(*one).cmp(&name(*other)),
            unequal => unequal,
        }
    });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the chosen rows, each given as its name and what it is ranked by.
    fn check(rows: &[(&str, [f64; 2])], shown: &str, room: usize) -> String {
        let columns = [0, 1].map(|column| rows.iter().map(|row| row.1[column]).collect());
        let name = |row: usize| rows[row].0;
        let chosen = choose(&columns, name, |row| shown.contains(name(row)), room);
        let names = rows.iter().zip(chosen).filter(|(_, chosen)| *chosen);
        names.map(|((name, _), _)| *name).collect()
    }

    #[test]
    fn the_largest_of_each_column_are_shown_and_the_first_fills_up() {
        let rows = [
            ("a", [9.0, 0.0]),
            ("b", [8.0, 0.0]),
            ("c", [7.0, 1.0]),
            ("d", [6.0, 0.0]),
            ("e", [6.0, 0.0]),
            ("f", [0.0, 5.0]),
        ];
        assert_eq!(check(&rows, "", 4), "abcf");
        assert_eq!(check(&rows, "", 5), "abcdf");
        assert_eq!(check(&rows, "e", 5), "abcef", "what was shown is preferred");
        assert_eq!(check(&rows, "", 6), "abcdef");
        assert_eq!(check(&rows, "", 1), "a");
        assert_eq!(check(&rows, "f", 0), "");
        assert_eq!(check(&[], "", 3), "");
    }

    #[test]
    fn a_row_stays_until_it_is_no_longer_near_the_largest() {
        // Ten places for one column: a share of 8, and 10 for those that were shown.
        let letters = "abcdefghijklmnopqrst";
        let column = |order: &str| -> Vec<f64> {
            let place = |letter: char| order.find(letter).unwrap() as f64;
            letters
                .chars()
                .map(|letter| 100.0 - place(letter))
                .collect()
        };
        let shown = |order: &str, before: &str| -> String {
            let letter = |row: usize| letters.as_bytes()[row] as char;
            let columns = [column(order)];
            let chosen = choose(&columns, letter, |row| before.contains(letter(row)), 10);
            (0..20).filter(|row| chosen[*row]).map(letter).collect()
        };
        assert_eq!(shown("abcdefghijklmnopqrst", ""), "abcdefghij");
        assert_eq!(shown("abcdefghkijlmnopqrst", "abcdefghij"), "abcdefghij");
        assert_eq!(shown("abcdefghklijmnopqrst", "abcdefghij"), "abcdefghik");
        assert_eq!(shown("abcdefghklmnopijqrst", "abcdefghij"), "abcdefghkl");
        assert_eq!(shown("kabcdefghijlmnopqrst", "abcdefghij"), "abcdefghik");
    }

    /// A small generator of its own, so that each failure can be repeated by its seed.
    fn random(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *seed >> 33
    }

    #[test]
    fn whatever_the_rows_the_choice_keeps_its_promises() {
        for case in 0..500 {
            let mut seed = case;
            let (rows, width) = (random(&mut seed) % 60, random(&mut seed) % 3 + 1);
            let room = random(&mut seed) as usize % 50;
            let spread = random(&mut seed) % 30 + 1;
            let columns: Vec<Vec<f64>> = (0..width)
                .map(|_| {
                    (0..rows)
                        .map(|_| (random(&mut seed) % spread) as f64)
                        .collect()
                })
                .collect();
            let before: Vec<bool> = (0..rows).map(|_| random(&mut seed) > 1 << 30).collect();
            let chosen = choose(&columns, |row| row, |row| before[row], room);
            let count = chosen.iter().filter(|chosen| **chosen).count();
            assert_eq!(
                count,
                room.min(rows as usize),
                "case {case}: the room is used"
            );
            let share = 4 * room / (5 * columns.len());
            for column in &columns {
                for row in rank(column, |row| row).into_iter().take(share) {
                    assert!(chosen[row] || column[row] == 0.0, "case {case}: row {row}");
                }
            }
            let again = choose(&columns, |row| row, |row| chosen[row], room);
            assert_eq!(
                again, chosen,
                "case {case}: a constant answer never changes"
            );
        }
    }
}
