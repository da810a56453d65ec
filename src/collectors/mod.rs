//! Collectors are data: YAML declarations of SQL and the metrics its columns are. Does no I/O.
//! Takes declarations, facts and answered tables; hands on plans and samples.
