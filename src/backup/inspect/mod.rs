//! Reads a backup once, from its first byte to its last, and says how far it is good.
//! Takes a path; hands on a [`Verdict`]. No server and no tool is needed, and memory does not grow with the file.

mod verdict;

pub use verdict::{Table, Trouble, Verdict};
