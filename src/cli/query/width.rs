//! What the output can show: its width, and whether colours are wanted.

use std::io::{IsTerminal, stdout};

/// The width of what is no terminal.
const USUAL: usize = 80;

/// How many columns there are.
pub(super) fn of_output() -> usize {
    let size = rustix::termios::tcgetwinsize(stdout());
    let columns = size.map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { USUAL } else { columns }
}

/// Whether this is a terminal whose owner does not refuse colours (no-color.org).
pub(in crate::cli) fn is_coloured() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stdout().is_terminal() && !refused
}
