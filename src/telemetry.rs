//! Tracing, and pgvigil's own metrics as samples like any other.
