//! Everything over HTTP: exposition, status page, health. Takes a view of the other rooms; changes none of them.
