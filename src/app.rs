//! Builds the rooms from the configuration, joins them, and stops them.
