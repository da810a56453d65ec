//! Runs collectors and backup probes on their intervals and keeps what they last read.
//! Takes plans and servers; hands samples to the store and the page through the [`Board`].

mod board;

pub use board::{Board, Status};
