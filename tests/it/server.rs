//! A server as it is connected to and read, against real PostgreSQL.

mod pulse;

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use pgvigil::document::Secret;
use pgvigil::server::{Lane, ReadError, Server, Settings, Trouble, grants, quoted};

use crate::harness::{Authority, Postgres, Scratch, eventually, free_port};

const SECOND: Duration = Duration::from_secs(1);

fn server(url: &str) -> Server {
    Server::new(Settings::from_url(url).expect(url), 5 * SECOND)
}

async fn one(server: &Server, lane: Lane, sql: &str) -> Result<String, ReadError> {
    let table = server.read(lane, None, sql, 2 * SECOND).await?;
    Ok(table.first().unwrap_or_default().to_owned())
}

/// What comes of connecting: whether the session is encrypted, or the kind of trouble.
async fn outcome(url: &str) -> String {
    let server = server(url);
    match server.alive().await {
        Ok(_) => one(
            &server,
            Lane::Held,
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        )
        .await
        .unwrap(),
        Err(error) => {
            assert!(
                !format!("{error} {error:?}").contains("s3cr3t"),
                "{error:?}"
            );
            format!("{:?}", error.trouble)
        }
    }
}

fn authenticate(postgres: &Postgres, lines: &str) {
    let file = postgres.dir().join("data/pg_hba.conf");
    std::fs::write(
        file,
        format!("host all postgres 127.0.0.1/32 trust\n{lines}"),
    )
    .unwrap();
    postgres.sql("postgres", "SELECT pg_reload_conf()");
}

/// Turns TLS on with a certificate for `name`.
fn encrypt(postgres: &Postgres, authority: &Authority, name: &str) {
    let (certificate, key) = authority.issue(&[name]);
    for (file, pem) in [("server.crt", certificate), ("server.key", key)] {
        let lines = format!("SELECT regexp_split_to_table('{}', '\\n')", pem.trim());
        postgres.sql(
            "postgres",
            &format!("COPY ({lines}) TO PROGRAM 'umask 077; cat > {file}'"),
        );
    }
    postgres.sql(
        "postgres",
        "ALTER SYSTEM SET ssl = on;\nSELECT pg_reload_conf()",
    );
    eventually("TLS is on", 10 * SECOND, || {
        (postgres.sql("postgres", "SHOW ssl") == "on").then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sslmode_means_what_libpq_says() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let scratch = Scratch::new();
    let (right, wrong) = (
        scratch.write("right.pem", ours.pem()),
        scratch.write("wrong.pem", theirs.pem()),
    );
    let (right, wrong) = (right.display(), wrong.display());
    for major in [15, 18] {
        let postgres = Postgres::start(major);
        let url = |rest: &str| {
            format!(
                "host=localhost hostaddr=127.0.0.1 port={} user=mon dbname=postgres {rest}",
                postgres.port()
            )
        };
        authenticate(&postgres, "host all all 127.0.0.1/32 trust");
        postgres.sql("postgres", "CREATE ROLE mon LOGIN PASSWORD 's3cr3t'");
        for (rest, expected) in [("sslmode=prefer", "f"), ("sslmode=require", "Tls")] {
            assert_eq!(
                outcome(&url(rest)).await,
                expected,
                "{major} without TLS: {rest}"
            );
        }

        encrypt(&postgres, &ours, "localhost");
        let cases = [
            ("sslmode=disable".to_owned(), "f"),
            ("sslmode=allow".into(), "f"),
            ("sslmode=prefer".into(), "t"),
            ("sslmode=require".into(), "t"),
            (format!("sslmode=require sslrootcert={wrong}"), "Tls"),
            (format!("sslmode=verify-ca sslrootcert={right}"), "t"),
            (format!("sslmode=verify-full sslrootcert={right}"), "t"),
            (format!("sslmode=verify-ca sslrootcert={wrong}"), "Tls"),
            (format!("sslmode=verify-full sslrootcert={wrong}"), "Tls"),
            (
                "sslmode=verify-full sslrootcert=/nowhere.pem".into(),
                "Settings",
            ),
            ("sslrootcert=system".into(), "Tls"),
        ];
        for (rest, expected) in cases {
            assert_eq!(outcome(&url(&rest)).await, expected, "{major}: {rest}");
        }
        cancelled_over_tls(
            &postgres,
            &url(&format!("sslmode=verify-full sslrootcert={right}")),
        )
        .await;

        for (lines, rest, expected) in [
            ("hostssl all all 127.0.0.1/32 trust", "sslmode=allow", "t"),
            (
                "hostssl all all 127.0.0.1/32 trust",
                "sslmode=disable",
                "Role",
            ),
            (
                "hostnossl all all 127.0.0.1/32 trust",
                "sslmode=prefer",
                "f",
            ),
            (
                "hostnossl all all 127.0.0.1/32 trust",
                "sslmode=require",
                "Role",
            ),
            (
                "hostssl all all 127.0.0.1/32 scram-sha-256",
                "sslmode=require channel_binding=require password=s3cr3t",
                "t",
            ),
        ] {
            authenticate(&postgres, lines);
            assert_eq!(
                outcome(&url(rest)).await,
                expected,
                "{major}: {lines}: {rest}"
            );
        }

        authenticate(&postgres, "host all all 127.0.0.1/32 trust");
        encrypt(&postgres, &ours, "elsewhere.example");
        for (mode, expected) in [("verify-ca", "t"), ("verify-full", "Tls")] {
            let rest = format!("sslmode={mode} sslrootcert={right}");
            eventually_certified(&url(&rest), expected).await;
        }
    }
}

/// A reloaded certificate is used by sessions that begin after the postmaster has seen the signal.
async fn eventually_certified(url: &str, expected: &str) {
    let start = Instant::now();
    while outcome(url).await != expected {
        assert!(
            start.elapsed() < 10 * SECOND,
            "{url} never gives {expected}"
        );
    }
}

async fn cancelled_over_tls(postgres: &Postgres, url: &str) {
    let server = server(url);
    let slept = server
        .read(Lane::Held, None, "SELECT pg_sleep(600)", SECOND / 5)
        .await;
    assert_eq!(slept, Err(ReadError::Timeout(SECOND / 5)));
    eventually("the statement is cancelled", 5 * SECOND, || {
        let asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND state = 'active'";
        (postgres.sql("postgres", asleep) == "0").then_some(())
    });
    assert_eq!(one(&server, Lane::Held, "SELECT 1").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_is_shown() {
    let authority = Authority::new();
    let postgres = Postgres::start(18);
    let scratch = Scratch::new();
    let (certificate, key) = authority.issue(&["mon"]);
    let (certificate, key) = (
        scratch.write("c.pem", certificate),
        scratch.write("k.pem", key),
    );
    encrypt(&postgres, &authority, "localhost");
    let root = scratch.write("root.pem", authority.pem());
    postgres.sql(
        "postgres",
        &format!(
            "CREATE ROLE mon LOGIN;\nALTER SYSTEM SET ssl_ca_file = '{}'",
            root.display()
        ),
    );
    authenticate(&postgres, "hostssl all all 127.0.0.1/32 cert");
    let url = format!(
        "host=localhost hostaddr=127.0.0.1 port={} user=mon dbname=postgres sslmode=require",
        postgres.port()
    );
    let shown = format!(
        "{url} sslcert={} sslkey={}",
        certificate.display(),
        key.display()
    );
    eventually_certified(&shown, "t").await;
    assert_eq!(outcome(&url).await, "Role");
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_come_from_everywhere_and_show_nowhere() {
    let postgres = Postgres::start(15);
    postgres.sql("postgres", "CREATE ROLE mon LOGIN PASSWORD 's3cr3t'");
    authenticate(
        &postgres,
        "host all all 127.0.0.1/32 scram-sha-256\nlocal all all scram-sha-256",
    );
    let port = postgres.port();
    let scratch = Scratch::new();
    let passfile = scratch.write("pgpass", format!("127.0.0.1:{port}:*:mon:s3cr3t\n"));
    let open = scratch.write("open", "*:*:*:*:s3cr3t\n");
    std::fs::set_permissions(&passfile, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let base = format!("host=127.0.0.1 port={port} user=mon dbname=postgres");
    let none = scratch.join("none").display().to_string();
    let cases = [
        (
            format!("postgresql://mon:s3cr3t@127.0.0.1:{port}/postgres"),
            "f",
        ),
        (format!("{base} password=s3cr3t"), "f"),
        (format!("{base} passfile={}", passfile.display()), "f"),
        (format!("{base} passfile={}", open.display()), "Settings"),
        (format!("{base} passfile={none}"), "Password"),
        (format!("{base} password=not-s3cr3t"), "Password"),
        (
            format!("{base} password=s3cr3t channel_binding=require"),
            "Password",
        ),
        (
            format!(
                "host={} port={port} user=mon dbname=postgres password=s3cr3t",
                postgres.dir().display()
            ),
            "f",
        ),
        (
            format!("host=127.0.0.1 port={port} user=nobody_here dbname=postgres password=s3cr3t"),
            "Password",
        ),
        (
            format!("host=127.0.0.1 port={port} user=postgres dbname=missing password=s3cr3t"),
            "Database",
        ),
        (
            format!(
                "host=127.0.0.1 port={} user=mon password=s3cr3t",
                free_port()
            ),
            "Refused",
        ),
        (
            "host=no-such-host.invalid user=mon password=s3cr3t".into(),
            "Address",
        ),
        (
            format!(
                "host=127.0.0.1,127.0.0.1 port={},{port} user=mon dbname=postgres password=s3cr3t",
                free_port()
            ),
            "f",
        ),
    ];
    for (url, expected) in cases {
        assert_eq!(outcome(&url).await, expected, "{url}");
    }
    let file = scratch.write("password", "s3cr3t\n");
    let settings = Settings {
        password: Some(Secret::File(file.clone())),
        ..Settings::from_url(&base).unwrap()
    };
    let server = Server::new(settings, 5 * SECOND);
    std::fs::write(&file, "changed\n").unwrap();
    assert_eq!(server.alive().await.unwrap_err().trouble, Trouble::Password);
    std::fs::write(&file, "s3cr3t\n").unwrap();
    assert_eq!(
        server.alive().await.map(drop),
        Ok(()),
        "the file is read again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_session_is_harmless() {
    for major in [15, 18] {
        let postgres = Postgres::start(major);
        postgres.sql(
            "postgres",
            "CREATE TABLE t (n int);\nCREATE ROLE mon LOGIN;\nCREATE TABLE hidden (n int)",
        );
        let server = server(&postgres.url("mon", "postgres"));
        for lane in [Lane::Held, Lane::Visit] {
            let settings = "SELECT string_agg(current_setting(name), ' ' ORDER BY place) FROM unnest(ARRAY[
                'application_name', 'default_transaction_read_only', 'statement_timeout', 'lock_timeout', 'jit'])
                WITH ORDINALITY AS wanted(name, place)";
            assert_eq!(
                one(&server, lane, settings).await.unwrap(),
                "pgvigil on 5s 100ms off",
                "{major}"
            );
            let answers = [
                (
                    "CREATE TABLE x (n int)",
                    "cannot execute CREATE TABLE in a read-only transaction (25006)",
                ),
                (
                    "SELECT * FROM nowhere",
                    "not on this server: relation \"nowhere\" does not exist",
                ),
                ("SELECT * FROM hidden", "permission denied for table hidden"),
                ("SELECT 1/0", "division by zero (22012)"),
            ];
            for (sql, expected) in answers {
                assert_eq!(
                    one(&server, lane, sql).await.unwrap_err().to_string(),
                    expected,
                    "{major}: {sql}"
                );
            }
        }
        assert_eq!(
            server.sessions_opened(),
            1,
            "an error does not cost the connection"
        );
        let long = server
            .read(
                Lane::Visit,
                None,
                "SELECT current_setting('statement_timeout')",
                60 * SECOND,
            )
            .await;
        assert_eq!(
            long.unwrap().first(),
            Some("1min"),
            "a reading may ask for more"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_session_shows_the_servers_own_settings_and_keeps_our_limits() {
    let postgres = Postgres::with(18, &["statement_timeout=10min", "jit=off"]);
    postgres.sql(
        "postgres",
        "CREATE ROLE mon LOGIN;
         ALTER ROLE mon SET lock_timeout = '7s';
         CREATE DATABASE app;
         ALTER DATABASE app SET jit = on",
    );
    let server = server(&postgres.url("mon", "app"));
    let settings = "SELECT string_agg(current_setting(name) || ' for ' || reset_val, ', ' ORDER BY name) FROM pg_settings
         WHERE name IN ('statement_timeout', 'lock_timeout', 'jit', 'default_transaction_read_only')";
    let seen = one(&server, Lane::Plain, settings).await.unwrap();
    assert_eq!(
        seen,
        "off for off, off for on, 100ms for 7000, 2s for 600000"
    );
    let written = one(&server, Lane::Plain, "CREATE TABLE t (n int)").await;
    assert_eq!(
        written.unwrap_err().to_string(),
        "cannot execute CREATE TABLE in a read-only transaction (25006)"
    );
    let late = server
        .read(Lane::Plain, None, "SELECT pg_sleep(600)", SECOND / 5)
        .await;
    assert_eq!(late, Err(ReadError::Timeout(SECOND / 5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_read_as_the_documented_role() {
    for major in [15, 18] {
        let postgres = Postgres::start(major);
        postgres.sql(
            "postgres",
            "CREATE DATABASE app;\nCREATE DATABASE old;\nCREATE SCHEMA \"Odd \"\"1\"\"\";\n\
             CREATE EXTENSION pg_stat_statements SCHEMA \"Odd \"\"1\"\"\"",
        );
        postgres.sql("postgres", &grants("Mon 'itor", Some(major)));
        let mut settings = Settings::from_url(&format!(
            "host=127.0.0.1 port={} user='Mon \\'itor' dbname=postgres",
            postgres.port()
        ))
        .unwrap();
        settings.databases.exclude = vec!["o*".into()];
        let facts = Server::new(settings, 5 * SECOND).facts().await.unwrap();
        assert_eq!(facts.major(), major);
        assert_eq!((facts.standby, facts.superuser), (false, false));
        assert_eq!(facts.user, "Mon 'itor");
        assert_eq!(facts.databases, ["app", "postgres"]);
        let statements = &facts.extensions["pg_stat_statements"];
        assert_eq!(statements.schema, "Odd \"1\"");
        assert!(statements.version >= "1.9".parse().unwrap());
        assert!(facts.privileges.contains("pg_monitor"));
        assert_eq!(
            facts.privileges.contains("pg_use_reserved_connections"),
            major >= 16
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_cost_their_row() {
    let postgres = Postgres::start(15);
    postgres.sql("postgres", "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0;\nCREATE DATABASE cafe");
    postgres.sql(
        "bytes",
        "CREATE TABLE t AS SELECT 'plain' AS v UNION ALL SELECT 'caf' || chr(233)",
    );
    postgres.sql(
        "bytes",
        "UPDATE pg_database SET datname = ('caf' || chr(233))::name WHERE datname = 'cafe'",
    );
    let server = server(&postgres.url("postgres", "bytes"));
    let table = server
        .read(Lane::Held, None, "SELECT v FROM t", SECOND)
        .await
        .unwrap();
    assert_eq!((table.rows().len(), table.unreadable), (1, 1));
    assert_eq!(
        server.facts().await.unwrap().databases,
        ["bytes", "postgres"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_server_is_noticed_and_a_restarted_one_is_not_mourned() {
    let postgres = Postgres::start(18);
    let server = server(&postgres.url("postgres", "postgres"));
    assert_eq!(server.alive().await.map(drop), Ok(()));
    postgres.freeze();
    let asked = Instant::now();
    let silence = server.alive().await.unwrap_err();
    assert_eq!(silence.trouble, Trouble::Silent);
    assert!(asked.elapsed() < 4 * SECOND, "{:?}", asked.elapsed());
    postgres.thaw();
    assert_eq!(server.alive().await.map(drop), Ok(()));
    postgres.stop();
    postgres.start_again();
    assert_eq!(
        server.alive().await.map(drop),
        Ok(()),
        "the lost session is replaced before anything is said"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_host_does_not_keep_the_next_from_being_asked() {
    let postgres = Postgres::start(18);
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ports = format!(
        "{},{}",
        silent.local_addr().unwrap().port(),
        postgres.port()
    );
    for wanted in ["any", "primary", "prefer-standby"] {
        let url = format!(
            "host=127.0.0.1,127.0.0.1 port={ports} user=postgres dbname=postgres sslmode=disable target_session_attrs={wanted}"
        );
        assert_eq!(server(&url).alive().await.map(drop), Ok(()), "{wanted}");
    }
}

#[test]
fn every_reserved_word_is_quoted() {
    let postgres = Postgres::start(18);
    let reserved = "SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')";
    for word in postgres.sql("postgres", reserved).lines() {
        assert_eq!(quoted(word), format!("\"{word}\""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_gives_its_turn_back_when_the_server_has_closed_it() {
    let postgres = Postgres::start(15);
    let server = server(&postgres.url("postgres", "postgres"));
    for _ in 0..20 {
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgvigil'";
        assert_eq!(one(&server, Lane::Visit, sessions).await.unwrap(), "1");
    }
}
