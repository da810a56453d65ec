//! What `/probe?target=` may ask for: configured servers, by name or by place. Nothing else is ever connected to.

use std::sync::Arc;

use axum::http::StatusCode;

use super::server::listed;

/// One watched server and what it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub server: Arc<str>,
    /// Where it is: `host:port` and `host:port/database` of each of its hosts.
    pub places: Vec<String>,
}

/// The server that is meant by a name, `host:port`, `host:port/database` or a connection string with these.
///
/// # Errors
/// The answer that says why there is none; it quotes nothing that may hold a password.
pub(super) fn find<'t>(
    targets: &'t [Target],
    asked: Option<&str>,
) -> Result<&'t Arc<str>, (StatusCode, String)> {
    let all = || listed(targets.iter().map(|target| &target.server));
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else {
        let message = format!(
            "`target` is missing; write the name of a server: {}\n",
            all()
        );
        return Err((StatusCode::BAD_REQUEST, message));
    };
    if let Some(named) = targets.iter().find(|target| *target.server == *asked) {
        return Ok(&named.server);
    }
    let place = bare(asked);
    let there: Vec<&Target> = targets
        .iter()
        .filter(|target| target.places.iter().any(|known| known == place))
        .collect();
    match there.as_slice() {
        [only] => Ok(&only.server),
        [] => {
            let message = format!(
                "no server is watched at `{place}`, and only those of the configuration are asked: {}\n",
                all()
            );
            Err((StatusCode::NOT_FOUND, message))
        }
        several => {
            let names = listed(several.iter().map(|target| &target.server));
            let message = format!("several servers are at `{place}`; name one of them: {names}\n");
            Err((StatusCode::BAD_REQUEST, message))
        }
    }
}

/// A connection string without its scheme, its credentials and its parameters.
fn bare(target: &str) -> &str {
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let place = rest.split_once('?').map_or(rest, |(place, _)| place);
    place.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_configured_server_or_nothing() {
        let target = |server: &str, places: &[&str]| Target {
            server: server.into(),
            places: places.iter().map(|&place| place.to_owned()).collect(),
        };
        let targets = [
            target("one", &["db:5432", "db:5432/app"]),
            target("two", &["db:5432", "db:5432/other"]),
            target("three", &["[::1]:5433", "[::1]:5433/app"]),
        ];
        let cases = [
            ("one", Ok("one")),
            ("db:5432/other", Ok("two")),
            (
                "postgresql://u:s3cr3t@db:5432/app?sslmode=disable",
                Ok("one"),
            ),
            ("postgres://[::1]:5433", Ok("three")),
            ("[::1]:5433/", Ok("three")),
            ("db:5432", Err((400, "name one of them: `one`, `two`"))),
            ("db:5433", Err((404, "no server is watched at `db:5433`"))),
            ("u:s3cr3t@evil:5432/app", Err((404, "at `evil:5432/app`"))),
            ("host=evil user=u", Err((404, "no server is watched"))),
            ("", Err((400, "`target` is missing"))),
        ];
        for (asked, expected) in cases {
            let found = find(&targets, Some(asked)).map(|server| &**server);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{asked}"),
                (Err((status, said)), Err((code, words))) => {
                    assert_eq!(status.as_u16(), code, "{asked}");
                    assert!(said.contains(words) && !said.contains("s3cr3t"), "{said}");
                }
                (found, _) => panic!("{asked}: {found:?}"),
            }
        }
    }
}
