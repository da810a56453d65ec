//! One server's settings against its memory. Pure: numbers in, findings out.

use std::collections::BTreeMap;

use super::Finding;
use crate::web::overview::Tone;
use crate::web::words;

pub(super) const MIB: f64 = 1_048_576.0;
pub(super) const GIB: f64 = 1_073_741_824.0;

/// What is known of one server.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Machine {
    pub(super) server: String,
    /// Settings by the ends of their metrics' names, in bytes and seconds; switches are 0 or 1.
    pub(super) settings: BTreeMap<String, f64>,
    /// Memory in bytes, where it is known.
    pub(super) memory: Option<f64>,
    /// Checkpoints of the last six hours: those that were asked for, mostly by full WAL, and those on time.
    pub(super) checkpoints: Option<(f64, f64)>,
    /// Bytes of temporary files in the last hour.
    pub(super) spilled: Option<f64>,
    /// What may be lost, in seconds, where WAL is archived.
    pub(super) may_lose: Option<f64>,
}

/// The settings that are looked at.
pub(super) const SETTINGS: [&str; 19] = [
    "archive_timeout_seconds",
    "autovacuum",
    "checkpoint_completion_target",
    "data_checksums",
    "effective_cache_size_bytes",
    "effective_io_concurrency",
    "fsync",
    "full_page_writes",
    "idle_in_transaction_session_timeout_seconds",
    "log_lock_waits",
    "maintenance_work_mem_bytes",
    "max_connections",
    "max_wal_size_bytes",
    "random_page_cost",
    "shared_buffers_bytes",
    "track_counts",
    "track_io_timing",
    "wal_buffers_bytes",
    "work_mem_bytes",
];

type Judge = fn(&Machine) -> Option<Finding>;

/// A judge for each, those of safety first.
const JUDGES: [Judge; 19] = [
    |m| {
        m.switch(
            "fsync",
            Tone::Critical,
            "off: a crash of the machine can lose the whole cluster",
        )
    },
    |m| {
        m.switch(
            "full_page_writes",
            Tone::Critical,
            "off: a crash can leave torn pages that cannot be mended",
        )
    },
    |m| {
        m.switch(
            "autovacuum",
            Tone::Critical,
            "off: tables bloat, and wraparound comes nearer",
        )
    },
    |m| {
        m.switch(
            "track_counts",
            Tone::Critical,
            "off: autovacuum does not know where to go",
        )
    },
    archive_timeout,
    shared_buffers,
    effective_cache_size,
    work_mem,
    more_work_mem,
    maintenance_work_mem,
    wal_buffers,
    max_wal_size,
    checkpoint_completion_target,
    max_connections,
    random_page_cost,
    effective_io_concurrency,
    idle_in_transaction,
    |m| {
        m.switch("track_io_timing", Tone::Info, "off: nobody sees how long reads and writes take (measure its cost with pg_test_timing)")
    },
    |m| {
        m.switch(
            "log_lock_waits",
            Tone::Info,
            "off: long waits for locks leave no trace in the log",
        )
    },
];

impl Machine {
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = JUDGES.iter().filter_map(|judge| judge(self)).collect();
        findings.extend(self.checksums());
        findings
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.settings.get(name).copied()
    }

    fn set(&self, name: &str, tone: Tone, what: String, value: &str) -> Finding {
        Finding {
            server: self.server.clone(),
            name: name.to_owned(),
            what,
            tone,
            statement: format!("ALTER SYSTEM SET {name} = '{value}';"),
            ..Finding::default()
        }
    }

    fn switch(&self, name: &str, tone: Tone, what: &str) -> Option<Finding> {
        let off = self.get(name)? == 0.0;
        off.then(|| reload(self.set(name, tone, what.to_owned(), "on")))
    }

    fn checksums(&self) -> Option<Finding> {
        (self.get("data_checksums")? == 0.0).then(|| Finding {
            statement: "-- with the server stopped: pg_checksums --enable -D DATA_DIRECTORY".into(),
            ..self.set(
                "data_checksums",
                Tone::Info,
                "off: a page that the disk has damaged is handed out as if it were good".into(),
                "on",
            )
        })
    }
}

/// A transaction that ends just after a segment has begun waits for its end, and then for the copy.
fn archive_timeout(m: &Machine) -> Option<Finding> {
    let (have, may_lose) = (m.get("archive_timeout_seconds")?, m.may_lose?);
    (have == 0.0 || have > may_lose / 2.0).then(|| {
        let what = match have {
            0.0 => "0: what is written into a segment of WAL that does not fill is never archived".into(),
            _ => format!(
                "{}: what is written waits as long until it is archived, and then for the copy; no more than {} may be lost",
                words::seconds(have),
                words::seconds(may_lose)
            ),
        };
        let fair = (may_lose / 5.0).floor().max(1.0);
        reload(m.set("archive_timeout", Tone::Warning, what, &format!("{fair}s")))
    })
}

fn shared_buffers(m: &Machine) -> Option<Finding> {
    let have = m.get("shared_buffers_bytes")?;
    let Some(memory) = m.memory else {
        let what = format!(
            "{}, as installed; a quarter of the machine's memory is the usual start",
            words::bytes(have)
        );
        return (have <= 128.0 * MIB).then(|| Finding {
            statement: String::new(),
            ..m.set("shared_buffers", Tone::Info, what, "")
        });
    };
    let share = have / memory;
    let what = |rest: &str| {
        format!(
            "{}, {} of the memory; {rest}",
            words::bytes(have),
            words::share(share)
        )
    };
    if share < 0.15 && memory >= GIB {
        let quarter = size(memory / 4.0);
        return Some(restart(m.set(
            "shared_buffers",
            Tone::Warning,
            what("a quarter is the usual start"),
            &quarter,
        )));
    }
    (share > 0.4).then(|| {
        let what = what("above two fifths it takes from the kernel's cache and from sessions");
        restart(m.set("shared_buffers", Tone::Info, what, &size(memory / 4.0)))
    })
}

fn effective_cache_size(m: &Machine) -> Option<Finding> {
    let (have, memory) = (m.get("effective_cache_size_bytes")?, m.memory?);
    let share = have / memory;
    (!(0.5..=1.0).contains(&share)).then(|| {
        let what = format!(
            "{}, {} of the memory; three quarters tell the planner what the kernel caches (it takes no memory)",
            words::bytes(have),
            words::share(share)
        );
        reload(m.set("effective_cache_size", Tone::Info, what, &size(memory * 0.75)))
    })
}

fn work_mem(m: &Machine) -> Option<Finding> {
    let (have, memory) = (m.get("work_mem_bytes")?, m.memory?);
    let (sessions, shared) = (m.get("max_connections")?, m.get("shared_buffers_bytes")?);
    let all = have * sessions + shared;
    (all > memory).then(|| {
        let what = format!(
            "{} for each sort or hash of {} sessions and {} shared make {}, the machine has {}: a busy moment can end in the kernel killing PostgreSQL",
            words::bytes(have),
            words::number(sessions),
            words::bytes(shared),
            words::bytes(all),
            words::bytes(memory)
        );
        let fair = memory / 4.0 / sessions;
        match fair >= 4.0 * MIB && fair < have {
            true => reload(m.set("work_mem", Tone::Warning, what, &size(fair))),
            false => {
                let fewer = (memory / 4.0 / have).floor().max(20.0);
                restart(m.set("max_connections", Tone::Warning, what, &format!("{fewer}")))
            }
        }
    })
}

/// Only where sorts go to the disk and the memory would allow more.
fn more_work_mem(m: &Machine) -> Option<Finding> {
    let (have, memory, spilled) = (m.get("work_mem_bytes")?, m.memory?, m.spilled?);
    let fair = (memory / 4.0 / m.get("max_connections")?).min(256.0 * MIB);
    (spilled > 256.0 * MIB && fair > 2.0 * have).then(|| {
        let what = format!(
            "{}, while {} went to temporary files in the last hour; the memory allows more",
            words::bytes(have),
            words::bytes(spilled)
        );
        reload(m.set("work_mem", Tone::Info, what, &size(fair)))
    })
}

fn maintenance_work_mem(m: &Machine) -> Option<Finding> {
    let (have, memory) = (m.get("maintenance_work_mem_bytes")?, m.memory?);
    let fair = (memory / 20.0).min(GIB);
    (have <= 64.0 * MIB && fair >= 2.0 * have).then(|| {
        let what = format!(
            "{}, as installed; more makes CREATE INDEX and VACUUM faster (each autovacuum worker may take as much)",
            words::bytes(have)
        );
        reload(m.set("maintenance_work_mem", Tone::Info, what, &size(fair)))
    })
}

fn wal_buffers(m: &Machine) -> Option<Finding> {
    let have = m.get("wal_buffers_bytes")?;
    let roomy = m.get("shared_buffers_bytes")? >= 512.0 * MIB;
    (roomy && have < 16.0 * MIB).then(|| {
        let what = format!(
            "{}; 16 MB is what PostgreSQL itself takes at most",
            words::bytes(have)
        );
        restart(m.set("wal_buffers", Tone::Info, what, "16MB"))
    })
}

fn max_wal_size(m: &Machine) -> Option<Finding> {
    let (have, (asked, on_time)) = (m.get("max_wal_size_bytes")?, m.checkpoints?);
    (asked >= 6.0 && asked > on_time).then(|| {
        let what = format!(
            "{}: {} of {} checkpoints in six hours were forced before their time, mostly because WAL reached this size",
            words::bytes(have),
            words::number(asked.round()),
            words::number((asked + on_time).round())
        );
        reload(m.set("max_wal_size", Tone::Warning, what, &size(have * 2.0)))
    })
}

fn checkpoint_completion_target(m: &Machine) -> Option<Finding> {
    let have = m.get("checkpoint_completion_target")?;
    (have < 0.9).then(|| {
        let what = format!(
            "{}; 0.9 spreads the writes of a checkpoint over its time",
            words::number(have)
        );
        reload(m.set("checkpoint_completion_target", Tone::Info, what, "0.9"))
    })
}

fn max_connections(m: &Machine) -> Option<Finding> {
    let have = m.get("max_connections")?;
    (have > 500.0).then(|| Finding {
        statement: String::new(),
        ..m.set(
            "max_connections",
            Tone::Info,
            format!(
                "{}; so many sessions cost more than a pooler such as PgBouncer in front of fewer",
                words::number(have)
            ),
            "",
        )
    })
}

fn random_page_cost(m: &Machine) -> Option<Finding> {
    let have = m.get("random_page_cost")?;
    (have >= 4.0).then(|| {
        let what = format!(
            "{}, right for spinning disks; on SSDs 1.1 lets the planner use indexes more",
            words::number(have)
        );
        reload(m.set("random_page_cost", Tone::Info, what, "1.1"))
    })
}

fn effective_io_concurrency(m: &Machine) -> Option<Finding> {
    let have = m.get("effective_io_concurrency")?;
    (have <= 1.0).then(|| {
        let what = format!(
            "{}, right for a single spinning disk; SSDs take hundreds of reads at once",
            words::number(have)
        );
        reload(m.set("effective_io_concurrency", Tone::Info, what, "200"))
    })
}

fn idle_in_transaction(m: &Machine) -> Option<Finding> {
    let name = "idle_in_transaction_session_timeout";
    (m.get("idle_in_transaction_session_timeout_seconds")? == 0.0).then(|| {
        let what = "0: a client that forgets its transaction keeps locks and dead rows for ever";
        reload(m.set(name, Tone::Info, what.into(), "10min"))
    })
}

fn reload(mut finding: Finding) -> Finding {
    finding.statement.push_str(" SELECT pg_reload_conf();");
    finding
}

fn restart(mut finding: Finding) -> Finding {
    finding.statement.push_str(" -- then restart the server");
    finding
}

/// As PostgreSQL reads it: whole gigabytes where there are many, else megabytes.
fn size(bytes: f64) -> String {
    if bytes >= 4.0 * GIB {
        format!("{}GB", (bytes / GIB).floor())
    } else {
        format!("{}MB", (bytes / MIB).floor().max(1.0))
    }
}

#[cfg(test)]
mod tests;
