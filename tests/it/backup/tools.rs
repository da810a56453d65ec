//! Sources that are tools: what goes wrong with asking them, by stand-ins; and the tools themselves.

mod stand_in;
