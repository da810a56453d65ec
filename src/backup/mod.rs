//! Where the backups of a server should be, and whether they are whole.
//! Takes backup settings; hands sightings as samples to the board.
