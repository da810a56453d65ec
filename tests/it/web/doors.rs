//! Doors with a socket: TLS, renewed certificates, clients that are slow.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use pgvigil::sample::MetricKind;
use pgvigil::web::{Door, Settings, Tls, View};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{publish, sample, view};
use crate::harness::{Authority, Scratch, eventually_async};

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A door being served; closed when dropped.
pub(super) struct Open {
    url: String,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Open {
    pub(super) fn new(view: &Arc<View>, settings: Settings) -> Open {
        let door = Door::open(ANYWHERE, settings).unwrap();
        let stop = CancellationToken::new();
        Open {
            url: door.url(),
            address: door.address(),
            serving: tokio::spawn(door.serve(view.clone(), stop.clone())),
            stop,
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn client(trusted: &Authority, identity: Option<(String, String)>) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(trusted.pem().as_bytes()).unwrap();
    let builder = reqwest::Client::builder()
        .tls_certs_only([root])
        .pool_max_idle_per_host(0);
    let builder = match identity {
        Some((cert, key)) => {
            builder.identity(reqwest::Identity::from_pem((cert + &key).as_bytes()).unwrap())
        }
        None => builder,
    };
    builder.build().unwrap()
}

async fn status(client: &reqwest::Client, url: &str) -> Option<u16> {
    let answer = client.get(format!("{url}/-/healthy")).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

fn certificate(scratch: &Scratch, authority: &Authority) -> Tls {
    let (cert, key) = authority.issue(&["localhost", "127.0.0.1"]);
    Tls {
        cert: scratch.write("cert.pem", cert),
        key: scratch.write("key.pem", key),
        client_ca: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_certificate_is_taken_into_use() {
    let (scratch, view) = (Scratch::new(), view(&[]));
    let (first, second) = (Authority::new(), Authority::new());
    let settings = Settings {
        tls: Some(certificate(&scratch, &first)),
        ..Settings::default()
    };
    let open = Open::new(&view, settings);
    assert!(open.url.starts_with("https://"));
    assert_eq!(status(&client(&first, None), &open.url).await, Some(200));
    assert_eq!(status(&client(&second, None), &open.url).await, None);

    scratch.write("key.pem", "half a key");
    certificate(&scratch, &second);
    let trusting = client(&second, None);
    let deadline = Duration::from_secs(60);
    eventually_async("the renewed certificate", deadline, || async {
        status(&trusting, &open.url).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_authority_lets_only_its_own_in() {
    let (scratch, view) = (Scratch::new(), view(&[]));
    let (ours, theirs) = (Authority::new(), Authority::new());
    let mut tls = certificate(&scratch, &ours);
    tls.client_ca = Some(scratch.write("clients.pem", ours.pem()));
    let settings = Settings {
        tls: Some(tls),
        ..Settings::default()
    };
    let open = Open::new(&view, settings);
    for (identity, expected) in [
        (Some(ours.issue(&["prometheus"])), Some(200)),
        (Some(theirs.issue(&["prometheus"])), None),
        (None, None),
    ] {
        assert_eq!(status(&client(&ours, identity), &open.url).await, expected);
    }
}

#[test]
fn unusable_files_and_addresses_are_named() {
    let scratch = Scratch::new();
    let authority = Authority::new();
    let tls = certificate(&scratch, &authority);
    let empty = scratch.write("empty.pem", "");
    let (_, other_key) = authority.issue(&["localhost"]);
    let other_key = scratch.write("other.pem", other_key);
    let missing = scratch.join("missing.pem");
    let cases = [
        (
            Tls {
                cert: empty.clone(),
                ..tls.clone()
            },
            &empty,
            "there is no certificate in it",
        ),
        (
            Tls {
                cert: missing.clone(),
                ..tls.clone()
            },
            &missing,
            "No such file",
        ),
        (
            Tls {
                key: empty.clone(),
                ..tls.clone()
            },
            &empty,
            "",
        ),
        (
            Tls {
                key: other_key.clone(),
                ..tls.clone()
            },
            &other_key,
            "KeyMismatch",
        ),
        (
            Tls {
                client_ca: Some(empty.clone()),
                ..tls
            },
            &empty,
            "there is no certificate in it",
        ),
    ];
    for (tls, file, cause) in cases {
        let settings = Settings {
            tls: Some(tls),
            ..Settings::default()
        };
        let message = Door::open(ANYWHERE, settings).err().unwrap().to_string();
        assert!(message.contains(file.to_str().unwrap()), "{message}");
        assert!(message.contains(cause), "{message}");
    }
    let taken = Door::open(ANYWHERE, Settings::default()).unwrap();
    let message = Door::open(taken.address(), Settings::default())
        .err()
        .unwrap()
        .to_string();
    assert!(message.contains(&taken.address().to_string()), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_block_nobody_and_the_end_comes() {
    const SERIES: usize = 20_000;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let view = view(&["rachel"]);
    let series = (0..SERIES).map(|n| {
        let table = format!("table number {n} of the schema");
        sample(
            MetricKind::Gauge,
            "pg_table_rows",
            &[("relname", &table)],
            n as f64,
        )
    });
    publish(&view, "rachel", series.collect());
    let open = Open::new(&view, Settings::default());
    // These ask for megabytes and never read them, or never finish to ask.
    let slow: Vec<TcpStream> = (0..40)
        .map(|n| {
            let mut stream = TcpStream::connect(open.address).unwrap();
            let end = if n % 2 == 0 { "\r\n\r\n" } else { "" };
            write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost{end}").unwrap();
            stream
        })
        .collect();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    let page = client
        .get(format!("{}/metrics", open.url))
        .send()
        .await
        .unwrap();
    let text = page.text().await.unwrap();
    assert_eq!(text.matches("\npg_table_rows{").count(), SERIES);
    drop(client);
    open.stop.cancel();
    let mut open = open;
    let ended = tokio::time::timeout(Duration::from_secs(30), &mut open.serving).await;
    assert!(ended.unwrap().unwrap().is_ok());
    drop(slow);
}
