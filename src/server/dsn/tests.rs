use proptest::prelude::*;

use super::*;

/// A connection string in; its essentials, or what is wrong with it, out.
fn check(text: &str) -> String {
    match Dsn::parse(text) {
        Ok(dsn) => {
            let places: Vec<String> = dsn
                .targets
                .iter()
                .map(|target| match target.address {
                    Some(address) => format!("{}={address}", target.place()),
                    None => target.place(),
                })
                .collect();
            let password = dsn.password.map_or(String::new(), |secret| {
                format!(":{}", secret.reveal().unwrap())
            });
            format!(
                "{}{password}@{}/{} {:?}",
                dsn.user,
                places.join(","),
                dsn.database,
                dsn.tls.mode
            )
        }
        Err(error) => error.message,
    }
}

#[test]
fn both_grammars_are_libpqs() {
    let cases = [
        ("postgresql://u@h", "u@h:5432/u Prefer"),
        ("postgres://u:p%40%3A@h:1/d", "u:p@:@h:1/d Prefer"),
        ("postgresql://u:p@ss@h/d", "u:p@ss@h:5432/d Prefer"),
        (
            "postgresql://u@[::1]:5433/d?sslmode=verify-full",
            "u@[::1]:5433/d VerifyFull",
        ),
        ("postgresql://u@h1:1,h2:2/d", "u@h1:1,h2:2/d Prefer"),
        ("postgresql://u@h1,h2/d?port=7", "u@h1:7,h2:7/d Prefer"),
        ("postgresql://u@%2Fvar%2Frun:6/d", "u@/var/run:6/d Prefer"),
        (
            "postgresql:///d?host=/tmp/x&user=u&port=9",
            "u@/tmp/x:9/d Prefer",
        ),
        ("postgresql://u@h/d?ssl=true", "u@h:5432/d Require"),
        (
            "postgresql://u@h/d?sslrootcert=system",
            "u@h:5432/d VerifyFull",
        ),
        ("host=h user=u", "u@h:5432/u Prefer"),
        (
            "host = 'h' user=u password = 'it\\'s \\\\ here' dbname=a\\ b",
            "u:it's \\ here@h:5432/a b Prefer",
        ),
        (
            "host=a,b hostaddr=127.0.0.1,::1 port=1,2 user=u dbname=d",
            "u@a:1=127.0.0.1,b:2=::1/d Prefer",
        ),
        (
            "hostaddr=10.0.0.1 user=u",
            "u@10.0.0.1:5432=10.0.0.1/u Prefer",
        ),
        (
            "host=h user=u application_name=x keepalives=0 sslmode=allow",
            "u@h:5432/u Allow",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(check(text), expected, "{text}");
    }
}

#[test]
fn mistakes_say_what_is_wrong() {
    let cases = [
        ("mysql://u@h", "the scheme is not PostgreSQL's"),
        ("just a host", "is neither a URI nor `key=value` pairs"),
        ("host=h port=x", "the port is no number from 1 to 65535"),
        ("postgresql://u:p/w@h/d", "has an `@` after the host"),
        (
            "postgresql://u@h/d?sslmode",
            "has a parameter without a value",
        ),
        (
            "postgresql://u@h/d?sslmode=on",
            "`sslmode` has a value that libpq does not know",
        ),
        ("host=h pasword=x", "has an unknown parameter"),
        ("host=h password=two words", "has a word without `=`"),
        (
            "host=h password='open",
            "has a quoted value without its closing quote",
        ),
        ("host=a,b port=1,2,3", "there are 3 ports for 2 hosts"),
        (
            "host=a,b hostaddr=::1",
            "there are 2 hosts but 1 addresses in `hostaddr`",
        ),
        ("host=a hostaddr=b", "`hostaddr` is no IP address"),
        (
            "postgresql://u%zz@h",
            "has a `%` that is no percent-encoding",
        ),
        (
            "host=h connect_timeout=soon",
            "`connect_timeout` is no whole number",
        ),
        ("service=x", "service files are not read"),
        (
            "host=h sslcrl=revoked.pem",
            "`sslcrl` asks for a check that pgvigil does not make",
        ),
        (
            "host=h channel_binding=yes",
            "`channel_binding` has a value that libpq does not know",
        ),
        (
            "host=h sslrootcert=system sslmode=require",
            "`sslrootcert=system` trusts every public authority, which says nothing without the host's name",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(check(text), expected, "{text}");
    }
}

#[test]
fn parameters_survive_being_written_out() {
    let first = Parameters::parse("postgresql://u:p'a\\ss w@h:1,h2/d b?sslmode=require").unwrap();
    assert_eq!(Parameters::parse(&first.text()), Ok(first));
}

proptest! {
    /// Whatever surrounds it and however it is broken, a password is in no message and no debug output.
    #[test]
    fn a_malformed_string_never_shows_its_password(
        head in "(postgres(ql)?://)?[a-z:/@?=& ',%]{0,12}",
        tail in "[a-z0-9:/@?=& ',%\\[\\]]{0,16}",
        template in 0..4usize,
    ) {
        let secret = "Zq7#XvK9w";
        let text = match template {
            0 => format!("{head}{secret}{tail}"),
            1 => format!("postgresql://u:{head}{secret}@{tail}"),
            2 => format!("host=h password={head}{secret}{tail}"),
            _ => format!("postgresql://u@h/d?password={secret}{tail}"),
        };
        if let Err(error) = Dsn::parse(&text) {
            let shown = format!("{error} {error:?} {}", error.hint);
            prop_assert!(!shown.contains("Zq7") && !shown.contains("XvK9"), "{text}: {shown}");
        }
    }
}
