//! Who we are to the operating system, for messages about what we may not do.

/// The name of the user that this process runs as, or its number where it has none.
pub(super) fn ourselves() -> String {
    let id = rustix::process::geteuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(&id)).then(|| name.to_owned())
    });
    named.unwrap_or(id)
}

/// Why a file may not be read, and the way out.
pub(super) fn not_ours() -> String {
    let user = ourselves();
    format!(
        "the user `{user}`, as whom pgvigil runs, may not read it (Permission denied); let `{user}` in by its group, or with `setfacl -m u:{user}:r`"
    )
}
