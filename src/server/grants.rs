//! The least-privilege role that pgvigil needs, as SQL to run.

use super::quoted;

/// SQL that creates or completes the role `user`: monitoring rights, a limit on its connections and, from 16 on (or
/// when the major version is not known, as a comment), the right to use reserved connections.
pub fn grants(user: &str, major: Option<u32>) -> String {
    let role = quoted(user);
    let literal = user.replace('\'', "''");
    let reserved = match major {
        Some(major) if major < 16 => String::new(),
        Some(_) => format!(
            "-- Lets it watch while ordinary users have taken every connection.\nGRANT pg_use_reserved_connections TO {role};\n"
        ),
        None => format!(
            "-- On PostgreSQL 16 and later, so that it can watch while ordinary users have taken every connection:\n-- GRANT pg_use_reserved_connections TO {role};\n"
        ),
    };
    format!(
        "-- Give it a password afterwards with: \\password {role}\n\
         DO $$ BEGIN\n  \
           IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{literal}') THEN\n    \
             CREATE ROLE {role} LOGIN;\n  \
           END IF;\n\
         END $$;\n\
         -- pgvigil holds one connection and opens at most one more; the third is for replacing one that hangs.\n\
         ALTER ROLE {role} CONNECTION LIMIT 3;\n\
         -- Statistics, settings and sizes of everything, without reading any table.\n\
         GRANT pg_monitor TO {role};\n\
         {reserved}\
         -- Only where CONNECT was revoked from PUBLIC: lets it visit every database.\n\
         SELECT format('GRANT CONNECT ON DATABASE %I TO %I', datname, '{literal}')\n  \
           FROM pg_database WHERE datallowconn AND NOT has_database_privilege('{literal}', datname, 'CONNECT') \\gexec\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_to_reserved_connections_follows_the_version() {
        let line = "\nGRANT pg_use_reserved_connections TO mon;";
        assert!(!grants("mon", Some(15)).contains("reserved"));
        assert!(grants("mon", Some(16)).contains(line));
        assert!(grants("mon", None).contains("\n-- GRANT pg_use_reserved"));
    }

    #[test]
    fn hostile_names_are_quoted() {
        let sql = grants("a\"b'c", Some(18));
        assert!(sql.contains(r#"GRANT pg_monitor TO "a""b'c";"#), "{sql}");
        assert!(sql.contains("rolname = 'a\"b''c'"), "{sql}");
    }
}
