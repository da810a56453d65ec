//! What memory really costs: the system's allocator gives blocks in steps, hash tables and lists keep room to grow.

/// The words `strong` and `weak` before what an `Arc` holds.
const COUNTS: usize = 2 * size_of::<usize>();

/// What a block of so many bytes takes: eight before it, in steps of 16, 32 at least.
pub(super) const fn block(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        1..=24 => 32,
        _ => (bytes + 8).next_multiple_of(16),
    }
}

/// What is shared by an `Arc`.
pub(super) const fn shared(bytes: usize) -> usize {
    block(COUNTS + bytes)
}

/// The list that holds up to `capacity` of `T`.
pub(super) const fn list<T>(capacity: usize) -> usize {
    block(capacity * size_of::<T>())
}

/// The hash table that holds up to `capacity` of `T`: it is never fuller than seven eighths, but for the smallest, and a
/// byte stands beside each place.
pub(super) const fn table<T>(capacity: usize) -> usize {
    let places = match capacity {
        0 => return 0,
        1..=3 => 4,
        4..=7 => 8,
        _ => (capacity * 8).div_ceil(7).next_power_of_two(),
    };
    block(places * (size_of::<T>() + 1) + 16)
}
