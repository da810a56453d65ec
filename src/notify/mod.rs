//! Tells people: policy, outbox, and one file per channel. Never evaluates.
//! Takes the incident log; hands messages to channels and their results back to the log.
