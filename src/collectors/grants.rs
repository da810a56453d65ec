//! What the built-in collectors need beside `pg_monitor`, as SQL to run, from their own declarations.

use std::collections::BTreeMap;

use super::{Collector, Needs, Scope, load};
use crate::server::quoted;

const EACH_DATABASE: &str = "
-- What follows counts in the database it is run in: run it in each, and in template1 for those to come.
";

const ALTERNATIVE: &str = "
-- Instead, where nobody may grant that (managed services; 14 and later). It lets the role read every table, so that
-- you decide; after it the grants above are not needed:
";

/// SQL that grants the role `user` what pg_monitor does not cover, each right with its reason and for whom it is.
pub fn further_grants(user: &str) -> String {
    let catalogue = load(&[]).unwrap_or_default();
    let (mut once, mut each) = (Wanted::new(), Wanted::new());
    for collector in &catalogue {
        let wanted = match collector.scope {
            Scope::Server => &mut once,
            Scope::Database => &mut each,
        };
        if let Some(privilege) = &collector.privilege
            && !matches!(privilege.needs, Needs::Role(_))
        {
            wanted
                .entry((privilege.needs(), &privilege.reason))
                .or_default()
                .push(collector);
        }
    }
    let mut text = sql(&once, user);
    if !each.is_empty() {
        text.push_str(EACH_DATABASE);
        text.push_str(&sql(&each, user));
        text.push_str(ALTERNATIVE);
        text.push_str(&format!("-- GRANT pg_read_all_data TO {};\n", quoted(user)));
    }
    text
}

/// The collectors that want it, by rights and reason.
type Wanted<'c> = BTreeMap<(&'c str, &'c str), Vec<&'c Collector>>;

fn sql(wanted: &Wanted<'_>, user: &str) -> String {
    let each = wanted.iter().map(|((rights, reason), collectors)| {
        let names: Vec<&str> = collectors
            .iter()
            .map(|collector| &*collector.name)
            .collect();
        format!(
            "-- For {}: {reason}.\n{}",
            names.join(" and "),
            statement(rights, user)
        )
    });
    each.collect()
}

/// One that names a schema is made for each schema that there is.
fn statement(rights: &str, user: &str) -> String {
    if !rights.contains("{schema}") {
        return format!("GRANT {rights} TO {};\n", quoted(user));
    }
    format!(
        "-- Run it again when there are new ones.\n\
         SELECT format('GRANT {} TO %I', nspname, '{}')\n  \
           FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \\gexec\n",
        rights.replace("{schema}", "%I"),
        user.replace('\'', "''")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_granted_with_their_reason_and_hostile_names_quoted() {
        let cases = [
            (
                "SELECT ON t",
                "o'b",
                "GRANT SELECT ON t TO \"o'b\";\n".to_owned(),
            ),
            (
                "SELECT ON ALL TABLES IN SCHEMA {schema}",
                "o'b",
                "-- Run it again when there are new ones.\n\
                 SELECT format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', nspname, 'o''b')\n  \
                 FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \\gexec\n"
                    .to_owned(),
            ),
        ];
        for (rights, user, expected) in cases {
            assert_eq!(statement(rights, user), expected);
        }
        let text = further_grants("mon");
        let bloat = "\n-- For table_bloat and index_bloat: ";
        assert!(text.contains(bloat), "{text}");
        assert!(
            text.contains("ON pg_catalog.pg_statistic TO mon;\n"),
            "{text}"
        );
        assert!(
            text.contains("\n-- GRANT pg_read_all_data TO mon;\n"),
            "{text}"
        );
    }
}
