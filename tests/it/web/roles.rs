//! What a load balancer asks, of a real primary and its standby, while they change their roles.

use std::time::{Duration, Instant};

use reqwest::{Client, Method};

use crate::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, pgvigil};

const PATIENCE: Duration = Duration::from_secs(30);

/// pgvigil over some servers, by their names.
pub(super) struct Watch {
    pub(super) url: String,
    client: Client,
    _daemon: Daemon,
    _scratch: Scratch,
}

impl Watch {
    pub(super) fn over(servers: &[(&str, &Postgres)]) -> Watch {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let scratch = Scratch::new();
        let listen = format!("127.0.0.1:{}", free_port());
        let each = servers.iter().map(|(name, server)| {
            let url = server.url("postgres", "postgres");
            format!("  - {{name: {name}, url: '{url}'}}\n")
        });
        let config = format!(
            "listen: {listen}\nstate_dir: {}\nservers:\n{}",
            scratch.join("state").display(),
            each.collect::<String>()
        );
        let mut command = pgvigil();
        command
            .arg("--config")
            .arg(scratch.write("pgvigil.yml", config));
        Watch {
            url: format!("http://{listen}"),
            client: Client::new(),
            _daemon: Daemon::spawn(command),
            _scratch: scratch,
        }
    }

    async fn ask(&self, method: Method, path: &str) -> Option<(u16, String)> {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let response = request.send().await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    }

    pub(super) async fn get(&self, path: &str) -> (u16, String) {
        self.ask(Method::GET, path).await.unwrap()
    }

    /// Waits until an answer has these words.
    pub(super) async fn shows(&self, path: &str, words: &str) {
        eventually_async(&format!("{path}: {words}"), PATIENCE, || async {
            let (_, said) = self.ask(Method::GET, path).await?;
            said.contains(words).then_some(())
        })
        .await;
    }

    /// Waits for an answer; says how long that took.
    pub(super) async fn answers(&self, path: &str, status: u16, text: &str) -> Duration {
        let asked = Instant::now();
        eventually_async(&format!("{path}: {status} {text}"), PATIENCE, || async {
            let (found, said) = self.ask(Method::GET, path).await?;
            (found == status && said.starts_with(text)).then_some(())
        })
        .await;
        asked.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn balancers_are_sent_to_the_server_that_has_the_role() {
    for major in [13, 18] {
        let primary = Postgres::start(major);
        let standby = primary.standby();
        let watch = Watch::over(&[("one", &primary), ("two", &standby)]);
        watch
            .answers("/primary?server=one", 200, "one is primary\n")
            .await;
        watch
            .answers("/replica?server=two", 200, "two is standby\n")
            .await;
        for (path, status) in [
            ("/replica?server=one", 503),
            ("/primary?server=two", 503),
            ("/read?server=one", 200),
            ("/read?server=two", 200),
            ("/read", 400),
            ("/read?server=three", 404),
            ("/replica?server=two&lag=far", 400),
        ] {
            let (found, said) = watch.get(path).await;
            assert_eq!(found, status, "{path}: {said}");
            assert_eq!(said.lines().count(), 1, "{path}: {said}");
            for method in [Method::HEAD, Method::OPTIONS] {
                let (found, _) = watch.ask(method, path).await.unwrap();
                assert_eq!(found, status, "{path}");
            }
        }
        let (_, names) = watch.get("/read").await;
        assert!(names.contains("`one`, `two`"), "{names}");

        let close = "/replica?server=two&lag=10s";
        watch.answers(close, 200, "two is standby, ").await;
        standby.sql("postgres", "ALTER SYSTEM SET primary_conninfo = 'port=1'");
        standby.sql("postgres", "SELECT pg_reload_conf()");
        let cut = "two is standby, and how far it lags behind is not known\n";
        watch.answers(close, 503, cut).await;
        assert_eq!(watch.get("/replica?server=two").await.0, 200);

        standby.sql("postgres", "SELECT pg_promote()");
        let noticed = watch
            .answers("/primary?server=two", 200, "two is primary\n")
            .await;
        println!("{major}: a promotion is seen after {noticed:?}");
        assert!(noticed < Duration::from_secs(3), "{noticed:?}");
        assert_eq!(watch.get("/replica?server=two").await.0, 503);

        primary.stop();
        let noticed = watch
            .answers("/primary?server=one", 503, "one is down\n")
            .await;
        assert!(noticed < Duration::from_secs(3), "{noticed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_gets_nothing_within_seconds() {
    let server = Postgres::start(18);
    let watch = Watch::over(&[("only", &server)]);
    watch.answers("/primary", 200, "only is primary\n").await;
    server.freeze();
    let noticed = watch.answers("/primary", 503, "only ").await;
    assert!(noticed < Duration::from_secs(4), "{noticed:?}");
    server.thaw();
    watch.answers("/primary", 200, "only is primary\n").await;
}
