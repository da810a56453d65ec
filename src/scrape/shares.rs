//! How the series that a collector may have on one server are divided among the databases.

/// Divides `cap` so that nobody gets more than he wants, what is left goes to those who want more, and no share could
/// grow without taking from a smaller one.
pub(super) fn shares(cap: usize, wanted: &[usize]) -> Vec<usize> {
    let mut shares = vec![0; wanted.len()];
    let mut modest_first: Vec<usize> = (0..wanted.len()).collect();
    modest_first.sort_by_key(|place| wanted[*place]);
    let mut left = cap;
    for (served, place) in modest_first.into_iter().enumerate() {
        let equal = left / (wanted.len() - served);
        shares[place] = wanted[place].min(equal);
        left -= shares[place];
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_large_database_gets_what_the_small_ones_do_not_need() {
        let cases: &[(usize, &[usize], &[usize])] = &[
            (100, &[], &[]),
            (100, &[40], &[40]),
            (100, &[400], &[100]),
            (100, &[10, 20, 30], &[10, 20, 30]),
            (100, &[10, 500, 20], &[10, 70, 20]),
            (100, &[500, 10, 500], &[45, 10, 45]),
            (100, &[usize::MAX, usize::MAX, 34], &[33, 34, 33]),
            (2, &[5, 5, 5], &[0, 1, 1]),
            (0, &[5, 0], &[0, 0]),
        ];
        for (cap, wanted, expected) in cases {
            assert_eq!(shares(*cap, wanted), *expected, "{cap} among {wanted:?}");
        }
    }
}
