//! A throw-away PostgreSQL with a workload and two sinks, to see the whole watch work.
