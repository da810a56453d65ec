//! `servers:` and `pgbouncers:` in the configuration.

use super::{Dsn, DsnError, Kind};
use crate::document::{Secret, Section, like};

/// One server or PgBouncer to watch.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What it is.
    pub kind: Kind,
    /// Its name in labels, messages and `--server`.
    pub name: String,
    /// The connection string; secret, for it may hold a password.
    pub url: Secret,
    /// A password beside the connection string.
    pub password: Option<Secret>,
    /// Which databases are visited; of no use to a PgBouncer.
    pub databases: Databases,
    /// What evidence shows of the statements that run there.
    pub query_text: QueryText,
}

/// What evidence shows of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueryText {
    /// Nothing.
    Off,
    /// Their text without literals and comments.
    #[default]
    Normalized,
    /// Their text as the server tells it.
    Full,
}

/// Which databases are visited, by patterns with `*` and `?`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Databases {
    /// Only these; empty means all.
    pub include: Vec<String>,
    /// Not these, also when included.
    pub exclude: Vec<String>,
}

impl Settings {
    /// Reads one element of `servers`.
    pub fn read(s: &mut Section) -> Self {
        let address = Self::read_address(
            s,
            Kind::PostgreSql,
            "A libpq connection string, URI or `key=value`, such as `postgresql://pgvigil@db/app?sslmode=verify-full`.",
        );
        Settings {
            databases: s.section("databases", "Which databases are visited.", Databases::read),
            query_text: s.section(
                "evidence",
                "What is read when an incident opens.",
                QueryText::read,
            ),
            ..address
        }
    }

    /// Reads one element of `pgbouncers`.
    pub fn read_pgbouncer(s: &mut Section) -> Self {
        Self::read_address(
            s,
            Kind::PgBouncer,
            "A libpq connection string, such as `postgresql://pgvigil@pool:6432`; the user must be one of its `stats_users`. The database is always `pgbouncer`, its console.",
        )
    }

    fn read_address(s: &mut Section, kind: Kind, url_doc: &str) -> Self {
        let name = s.optional_text(
            "name",
            "Its name in labels, messages and on the page; by default `host:port`.",
        );
        let url = s.secret("url", url_doc);
        let password = s.secret(
            "password",
            "The user's password; better kept in `password_file` or `~/.pgpass`.",
        );
        let found = url
            .as_ref()
            .map(|url| url.reveal().map(|text| Dsn::parse(&text)));
        let default_name = match found {
            None => {
                s.problem(
                    "",
                    "`url` is missing",
                    Some("write `url: postgresql://pgvigil@HOST/DATABASE`, or name a file that holds it with `url_file`"),
                );
                None
            }
            Some(Err(unreadable)) => {
                s.problem("url_file", unreadable, None);
                None
            }
            Some(Ok(Err(DsnError { message, hint }))) => {
                s.problem("url", message, Some(&hint));
                None
            }
            Some(Ok(Ok(dsn))) => Some(dsn.place()),
        };
        Settings {
            kind,
            name: name.or(default_name).unwrap_or_default(),
            url: url.unwrap_or_else(|| Secret::Value(String::new())),
            password,
            databases: Databases::default(),
            query_text: QueryText::default(),
        }
    }

    /// A server known by its connection string alone.
    ///
    /// # Errors
    /// What is wrong with the string.
    pub fn from_url(url: &str) -> Result<Self, DsnError> {
        let dsn = Dsn::parse(url)?;
        Ok(Settings {
            kind: Kind::PostgreSql,
            name: dsn.place(),
            url: Secret::Value(url.into()),
            password: None,
            databases: Databases::default(),
            query_text: QueryText::default(),
        })
    }
}

impl Settings {
    /// Where it is: `host:port` and `host:port/database` of each of its hosts; nothing while its connection string
    /// cannot be read.
    pub fn places(&self) -> Vec<String> {
        let dsn = self.url.reveal().ok();
        let Some(dsn) = dsn.and_then(|text| Dsn::parse(&text).ok()) else {
            return Vec::new();
        };
        let hosts = dsn.targets.iter().map(|target| target.place());
        hosts
            .flat_map(|place| [format!("{place}/{}", dsn.database), place])
            .collect()
    }
}

impl QueryText {
    fn read(s: &mut Section) -> Self {
        let doc = "What evidence in messages and on the page shows of statements that run: `normalized` has `$1` for each literal and no comments.";
        let words = ["normalized", "off", "full"];
        match s.choice("query_text", &words, words[0], doc).as_str() {
            "off" => QueryText::Off,
            "full" => QueryText::Full,
            _ => QueryText::Normalized,
        }
    }
}

impl Databases {
    fn read(s: &mut Section) -> Self {
        Databases {
            include: s.texts(
                "include",
                "Only databases that match one of these; `*` and `?` stand for any characters and any one.",
            ),
            exclude: s.texts(
                "exclude",
                "No database that matches one of these. Templates are left out anyway.",
            ),
        }
    }

    /// Whether a database is visited.
    pub fn admit(&self, name: &str) -> bool {
        let matched = |patterns: &[String]| patterns.iter().any(|pattern| like(pattern, name));
        (self.include.is_empty() || matched(&self.include)) && !matched(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Problem, Reader, parse};

    fn check(text: &str) -> (Settings, Vec<String>) {
        let none = |_: &str| None;
        let reader = Reader::new(Some(&none));
        let root = parse("x.yml", text).unwrap();
        let settings = reader.read(&root, Settings::read);
        let problems = reader.problems();
        (settings, problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn a_server_is_named_by_its_place() {
        let (settings, problems) = check("url: postgresql://mon:s3cr3t@db.example:5433/app\n");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(settings.name, "db.example:5433");
        assert!(!format!("{settings:?}").contains("s3cr3t"));
    }

    #[test]
    fn mistakes_are_named_without_the_secret() {
        let cases = [
            ("name: a\n", "`url` is missing"),
            ("url: postgresql://u:s3cr3t@h:port/d\n", "port"),
            ("url: 'host=h pasword=s3cr3t'\n", "did you mean `password`"),
            (
                "url_file: /nowhere/at/all\n",
                "cannot read `/nowhere/at/all`",
            ),
        ];
        for (text, said) in cases {
            let (_, problems) = check(text);
            assert!(
                problems.len() == 1 && problems[0].contains(said),
                "{text}: {problems:?}"
            );
            assert!(!problems[0].contains("s3cr3t"), "{problems:?}");
        }
    }

    #[test]
    fn patterns_choose_databases() {
        let cases = [
            ("", "", "app", true),
            ("", "template*", "template1", false),
            ("app_*", "", "app_eu", true),
            ("app_*", "", "other", false),
            ("app_*", "*_old", "app_eu_old", false),
            ("a?c", "", "abc", true),
            ("a?c", "", "abbc", false),
            ("*a*b", "", "xaybzb", true),
        ];
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        for (include, exclude, name, admitted) in cases {
            let databases = Databases {
                include: list(include),
                exclude: list(exclude),
            };
            assert_eq!(
                databases.admit(name),
                admitted,
                "{include} {exclude} {name}"
            );
        }
    }
}
