//! The API of a real pgvigil: passwords, compression, pages of other sites, and what it tells of itself.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, ORIGIN};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::harness::{Daemon, Postgres, Scratch, eventually_async, free_port, pgvigil};

/// A pgvigil with secrets, over a server that answers and one that does not.
struct Door {
    url: String,
    client: Client,
    _daemon: Daemon,
    _scratch: Scratch,
}

impl Door {
    fn over(server: &Postgres) -> Door {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let scratch = Scratch::new();
        let listen = format!("127.0.0.1:{}", free_port());
        let hash = bcrypt::hash("s3cr3t", 6).unwrap();
        let config = format!(
            "listen: {listen}\nstate_dir: {state}\nexternal_labels: {{zone: eu}}\ncollect: {{interval: 1s}}\n\
             web: {{auth: {{users: {{ops: '{hash}'}}}}}}\nquery: {{max_concurrency: 7}}\n\
             servers:\n- {{name: good, url: '{url}', password: s3cr3t}}\n- {{name: gone, url: 'postgresql://u:s3cr3t@127.0.0.1:1/x'}}\n\
             backups:\n- {{name: nightly, server: good, files: '{backups}/*.sql'}}\n\
             notify: {{receivers: [{{name: am, alertmanager: {{urls: ['http://u:s3cr3t@127.0.0.1:1/am']}}}}]}}\n",
            state = scratch.join("state").display(),
            url = server.url("postgres", "postgres"),
            backups = scratch.path().display(),
        );
        let mut command = pgvigil();
        command
            .arg("--config")
            .arg(scratch.write("pgvigil.yml", config));
        Door {
            url: format!("http://{listen}"),
            client: Client::new(),
            _daemon: Daemon::spawn(command),
            _scratch: scratch,
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Option<(u16, HeaderMap, Vec<u8>)> {
        let request = self.client.request(method, format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some((status, headers, response.bytes().await.ok()?.to_vec()))
    }

    async fn data(&self, path: &str) -> Option<Value> {
        let ops = [("authorization", "Basic b3BzOnMzY3IzdA==")];
        let (_, _, body) = self
            .ask(Method::GET, &format!("/api/v1/{path}"), &ops)
            .await?;
        let text = String::from_utf8(body).unwrap();
        assert!(!text.contains("s3cr3t"), "{path}: {text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        Some(answer["data"].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_has_the_same_door_as_the_page() {
    let server = Postgres::start(18);
    let door = Door::over(&server);
    let patience = Duration::from_secs(60);
    eventually_async("both servers are read", patience, || async {
        let up = door.data("query?query=pg_up").await?;
        (up["result"].as_array()?.len() == 2).then_some(())
    })
    .await;

    // As deep as an expression may be, and parsed on a thread of the server's.
    let deepest = [" or up".repeat(480), "^1".repeat(480), "+(up)".repeat(160)];
    for tail in deepest {
        let text = format!("up{tail}");
        let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let asked = door.client.post(format!("{}/api/v1/query", door.url));
        let asked = asked
            .basic_auth("ops", Some("s3cr3t"))
            .header("content-type", "application/x-www-form-urlencoded");
        let asked = asked.body(format!("query={form}"));
        let answered = asked.send().await.unwrap();
        assert_eq!(answered.status(), 200, "{tail:.20}");
    }

    let query = "/api/v1/query?query=vector(1)%2B1";
    let ops = ("authorization", "Basic b3BzOnMzY3IzdA==");
    for (method, path) in [
        (Method::GET, query),
        (Method::OPTIONS, query),
        (Method::GET, "/federate"),
    ] {
        let (status, ..) = door.ask(method, path, &[]).await.unwrap();
        assert_eq!(status, 401, "{path}");
    }

    let (_, headers, packed) = door
        .ask(
            Method::GET,
            query,
            &[ops, (ACCEPT_ENCODING.as_str(), "gzip")],
        )
        .await
        .unwrap();
    assert_eq!(headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    assert!(
        text.starts_with(r#"{"status":"success","data":{"resultType":"vector","#),
        "{text}"
    );
    let (_, headers, plain) = door.ask(Method::GET, query, &[ops]).await.unwrap();
    assert!(!headers.contains_key("content-encoding") && plain.starts_with(b"{"));
    assert_eq!(headers["vary"], "Origin");
    assert!(!headers.contains_key("access-control-allow-origin"));

    let granted = [
        (
            "access-control-allow-headers",
            "Accept, Authorization, Content-Type, Origin",
        ),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-origin", "https://grafana.example"),
        ("access-control-expose-headers", "Date"),
        ("vary", "Origin"),
    ];
    for (method, expected) in [(Method::GET, 200), (Method::OPTIONS, 204)] {
        let origin = (ORIGIN.as_str(), "https://grafana.example");
        let (status, headers, _) = door.ask(method, query, &[ops, origin]).await.unwrap();
        assert_eq!(status, expected);
        for (name, value) in granted {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }

    let config = door.data("status/config").await.unwrap();
    let config = config["yaml"].as_str().unwrap();
    assert!(
        config.contains("external_labels:\n  zone: eu\n"),
        "{config}"
    );
    assert!(
        config.contains("- name: gone\n  url: \"<secret>\"\n"),
        "{config}"
    );
    assert!(!config.contains("$2"), "{config}");

    let flags = door.data("status/flags").await.unwrap();
    assert_eq!(flags["query.max-concurrency"], "7");
    let build = door.data("status/buildinfo").await.unwrap();
    assert_eq!(build["version"], "3.5.0");
    assert!(build["revision"].as_str().unwrap().starts_with("pgvigil-"));
    let runtime = door.data("status/runtimeinfo").await.unwrap();
    assert_eq!(runtime["storageRetention"], "1d or 33554432B");
    let managers = door.data("alertmanagers").await.unwrap();
    assert_eq!(
        managers["activeAlertmanagers"][0]["url"],
        "http://127.0.0.1:1/am/api/v2/alerts"
    );
    let statistics = eventually_async("the server's series are counted", patience, || async {
        let statistics = door.data("status/tsdb?limit=3").await?;
        (statistics["headStats"]["numSeries"].as_u64()? > 100).then_some(statistics)
    })
    .await;
    assert_eq!(
        statistics["seriesCountByMetricName"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let own = format!("{}/metrics", door.url);
    let targets = eventually_async("pgvigil has told of itself", patience, || async {
        let targets = door.data("targets").await?;
        let mut active = targets["activeTargets"].as_array()?.iter();
        let told = active.any(|target| target["scrapeUrl"] == own && target["health"] == "up");
        told.then_some(targets)
    })
    .await;
    let health: BTreeMap<&str, (&str, &str)> = targets["activeTargets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| {
            let text = |name: &str| target[name].as_str().unwrap();
            (text("scrapeUrl"), (text("scrapePool"), text("health")))
        })
        .collect();
    assert_eq!(health["postgresql://127.0.0.1:1/x"], ("postgresql", "down"));
    let good = format!("postgresql://127.0.0.1:{}/postgres", server.port());
    assert_eq!(health[good.as_str()], ("postgresql", "up"), "{health:?}");
    assert_eq!(health[own.as_str()], ("pgvigil", "up"));
    assert_eq!(health.len(), 4, "{health:?}");
    let pools = door.data("scrape_pools").await.unwrap();
    assert_eq!(
        pools["scrapePools"],
        serde_json::json!(["backup", "pgvigil", "postgresql"])
    );

    let known = door.data("metadata?metric=pg_up").await.unwrap();
    assert_eq!(known["pg_up"][0]["type"], "gauge");
    assert_eq!(
        door.data("metadata?limit=3")
            .await
            .unwrap()
            .as_object()
            .unwrap()
            .len(),
        3
    );
    let of_good = door
        .data("targets/metadata?metric=pg_up&match_target={instance=\"good\"}")
        .await
        .unwrap();
    assert_eq!(of_good[0]["target"]["server"], "good");

    eventually_async("queries are counted", patience, || async {
        let counted = door.data("query?query=pgvigil_queries_total%3E0").await?;
        counted["result"].as_array()?.first().cloned()
    })
    .await;
}
