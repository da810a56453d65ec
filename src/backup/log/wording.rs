//! Which lines of a log tell of an error.

use std::sync::LazyLock;

use regex::Regex;

/// What PostgreSQL, its clients, backup tools, uploaders and shells write when something did not work.
static ERROR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?x)
        \b(?:ERROR|FATAL|PANIC|CRITICAL)\b
        | (?i:
            \berror\s*[:(\[] | \berror\soccurred\b | \bfatal: | \bfailed\b | \bfailure\b | \baborted\b | \btraceback\b
            | \bcould\snot\b | \bcannot\s(?:open|create|write|connect|stat|access)\b | \bunable\sto\b
            | \bcommand\snot\sfound\b | \bpermission\sdenied\b | \baccess\sdenied\b | \bno\ssuch\sfile\sor\sdirectory\b
            | \bno\sspace\sleft\b | \bquota\sexceeded\b | \bunknown\soptions?: | \bbroken\spipe\b
            | \bconnection\s(?:refused|reset|timed\sout)\b | \bunexpected\send\sof\sfile\b | \bsegmentation\sfault\b
            | \bout\sof\smemory\b
        )
        | \bKilled\b";
    Regex::new(pattern).ok()
});

/// What tells of no error although it looks like one: names in quotes, and counts of none.
static NONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"(?ix)
        "[^"]*"
        | \b(?:0|no|zero|without|any)\s(?:\w+\s)?(?:errors?|failed|failures?)\b
        | \b(?:errors?|failed|failures?)\s*[:=]?\s*0\b
        | \b(?:if|unless|when)\s\w+\s(?:failed|fails)\b"#;
    Regex::new(pattern).ok()
});

/// Whether a line does.
pub(super) fn tells_of_error(line: &str) -> bool {
    let (Some(error), Some(none)) = (ERROR.as_ref(), NONE.as_ref()) else {
        return false;
    };
    // Most lines are good, and need no second look.
    error.is_match(line) && error.is_match(&none.replace_all(line, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_from_talk_of_them() {
        let bad = [
            "[2026-11-29 02:00:04] ERROR: backup failed",
            "ERROR: Backup verification failed!",
            "Backup failed!",
            "pg_dump: error: connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  database \"rachel\" does not exist",
            "pg_dump: error: query failed: ERROR:  permission denied for table users",
            "pg_restore: error: could not execute query",
            "gzip: stdout: No space left on device",
            "/usr/local/bin/backup.sh: line 12: pg_dump: command not found",
            "Unknown options: --server-side-encryption,AES256",
            "upload failed: ./x to s3://b/x An error occurred (AccessDenied) when calling the PutObject operation",
            "2026-11-29 02:00:01.123 P00  ERROR: [050]: unable to acquire lock",
            "2026-11-29 02:00:01,123 [77] barman.server ERROR: Backup failed copying files.",
            "CommandException: error(s): [1] could not be uploaded",
            "backup.sh: line 9:  4242 Killed                  pg_dump rachel",
            "gunzip: /backups/x.gz: unexpected end of file",
            "gzip: /backups/x.gz: unexpected end of file",
        ];
        for line in bad {
            assert!(tells_of_error(line), "{line}");
        }
        let good = [
            "[2026-11-29 02:00:04] Backup successful: /backups/rachel.dump (1.4G)",
            "backup finished: 12 tables, 0 errors",
            "0 failed, 12 done; no errors; without any error",
            "errors: 0",
            "errors=0 failed=0",
            "pg_dump: dumping contents of table \"public.failed\"",
            "pg_dump: dumping contents of table \"public.ERROR\"",
            "pg_dump: dumping contents of table public.failed_logins",
            "P00   INFO: backup command end: completed successfully (2313ms)",
            "log to /var/log/ERROR_LOG",
            "removing old backups",
            "pg_dump: warning: there are circular foreign-key constraints on this table:",
            "",
        ];
        for line in good {
            assert!(!tells_of_error(line), "{line}");
        }
    }
}
