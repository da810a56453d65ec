//! A server from the environment alone: `DATABASE_URL`, postgres_exporter's `DATA_SOURCE_*` or libpq's `PG*`.

use super::dsn::Parameters;
use super::{DsnError, Settings};
use crate::document::Secret;

/// libpq's environment variables and the parameters they stand for.
const VARIABLES: [(&str, &str); 15] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGOPTIONS", "options"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
];

/// The server that the environment names: by `DATABASE_URL`, else by `DATA_SOURCE_NAME`, else by `DATA_SOURCE_URI` with
/// `DATA_SOURCE_USER` and `DATA_SOURCE_PASS` (each also as `…_FILE`), else by `PGHOST`, `PGHOSTADDR`,
/// `PGDATABASE` or `PGUSER`. What the string leaves open comes from `PG*`. `None` when there is none of them.
///
/// # Errors
/// What is wrong with the string, after the name of its variable; never quotes it.
pub fn from_environment(
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Settings>, DsnError> {
    let get = |name: &str| get(name).filter(|value| !value.is_empty());
    let mut defaults = Parameters::default();
    for (variable, parameter) in VARIABLES {
        defaults.set(parameter, &get(variable).unwrap_or_default());
    }
    let (origin, parameters, password) = if let Some(url) = get("DATABASE_URL") {
        ("DATABASE_URL", parsed("DATABASE_URL", &url)?, None)
    } else if let Some(url) = get("DATA_SOURCE_NAME") {
        ("DATA_SOURCE_NAME", parsed("DATA_SOURCE_NAME", &url)?, None)
    } else if let Some(rest) = value_or_file(&get, "DATA_SOURCE_URI")? {
        let mut parameters = parsed("DATA_SOURCE_URI", &format!("postgresql://{rest}"))?;
        parameters.set(
            "user",
            &value_or_file(&get, "DATA_SOURCE_USER")?.unwrap_or_default(),
        );
        parameters.set("password", &get("DATA_SOURCE_PASS").unwrap_or_default());
        let file = get("DATA_SOURCE_PASS_FILE").map(|path| Secret::File(path.into()));
        ("DATA_SOURCE_URI", parameters, file)
    } else if ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGUSER"]
        .iter()
        .any(|name| get(name).is_some())
    {
        ("PGHOST", Parameters::default(), None)
    } else {
        return Ok(None);
    };
    let text = parameters.or(defaults).text();
    let settings = Settings::from_url(&text).map_err(|error| named(origin, error))?;
    Ok(Some(Settings {
        password,
        ..settings
    }))
}

fn parsed(variable: &str, text: &str) -> Result<Parameters, DsnError> {
    Parameters::parse(text).map_err(|error| named(variable, error))
}

fn named(variable: &str, error: DsnError) -> DsnError {
    DsnError {
        message: format!("environment variable `{variable}`: {}", error.message),
        hint: error.hint,
    }
}

fn value_or_file(
    get: &dyn Fn(&str) -> Option<String>,
    name: &str,
) -> Result<Option<String>, DsnError> {
    if let Some(value) = get(name) {
        return Ok(Some(value));
    }
    let variable = format!("{name}_FILE");
    let Some(path) = get(&variable) else {
        return Ok(None);
    };
    Secret::File(path.into())
        .reveal()
        .map(Some)
        .map_err(|unreadable| DsnError {
            message: format!("environment variable `{variable}`: {unreadable}"),
            hint: "the file must be readable by the user pgvigil runs as".into(),
        })
}

#[cfg(test)]
mod tests {
    use super::super::Dsn;
    use super::*;

    /// `VARIABLE=value` lines in; `user password@host:port/database sslmode` out.
    fn check(environment: &str) -> String {
        let get = |name: &str| {
            let mut pairs = environment
                .lines()
                .filter_map(|line| line.trim().split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        };
        match from_environment(&get) {
            Ok(None) => "none".into(),
            Ok(Some(settings)) => {
                let dsn = Dsn::parse(&settings.url.reveal().unwrap()).unwrap();
                let password = settings.password.or(dsn.password.clone());
                let password = password
                    .map(|secret| secret.reveal().unwrap())
                    .unwrap_or_default();
                format!(
                    "{} {password}@{}/{} {:?}",
                    dsn.user, settings.name, dsn.database, dsn.tls.mode
                )
            }
            Err(error) => error.message,
        }
    }

    #[test]
    fn the_environment_alone_names_a_server() {
        let cases = [
            ("HOME=/root", "none"),
            ("DATABASE_URL=postgresql://u:p@h/d", "u p@h:5432/d Prefer"),
            (
                "DATABASE_URL=postgresql://h/d\nPGUSER=u\nPGPASSWORD=p'q\\",
                "u p'q\\@h:5432/d Prefer",
            ),
            (
                "DATA_SOURCE_NAME=user=u password='a,b c' host=h sslmode=disable",
                "u a,b c@h:5432/u Disable",
            ),
            (
                "DATA_SOURCE_URI=h:5433/d?sslmode=require\nDATA_SOURCE_USER=u\nDATA_SOURCE_PASS=p@/",
                "u p@/@h:5433/d Require",
            ),
            ("PGHOST=h1,h2\nPGPORT=1,2\nPGUSER=u", "u @h1:1/u Prefer"),
            (
                "DATABASE_URL=postgresql://u:secret@h:x/d",
                "environment variable `DATABASE_URL`: the port is no number from 1 to 65535",
            ),
        ];
        for (environment, expected) in cases {
            assert_eq!(check(environment), expected, "{environment}");
        }
    }

    #[test]
    fn a_password_file_is_read_again_whenever_it_is_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pass");
        std::fs::write(&path, "first\n").unwrap();
        let environment = format!(
            "DATA_SOURCE_URI=h/d\nDATA_SOURCE_USER=u\nDATA_SOURCE_PASS_FILE={}",
            path.display()
        );
        assert_eq!(check(&environment), "u first@h:5432/d Prefer");
        std::fs::write(&path, "second\n").unwrap();
        assert_eq!(check(&environment), "u second@h:5432/d Prefer");
    }
}
