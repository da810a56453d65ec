//! A Prometheus that lets in only those who show a certificate and know a password.

use std::path::PathBuf;

use pgvigil::remote_write::try_out;

use super::{receiver, settings};
use crate::harness::{Authority, Prometheus, Scratch};

pub struct Guarded {
    prometheus: Prometheus,
    scratch: Scratch,
}

impl Guarded {
    pub fn start() -> Guarded {
        let (authority, scratch) = (Authority::new(), Scratch::new());
        scratch.write("ca.pem", authority.pem());
        for (name, names) in [
            ("server", &["localhost", "127.0.0.1"][..]),
            ("client", &["us"]),
        ] {
            let (cert, key) = authority.issue(names);
            scratch.write(format!("{name}.pem"), cert);
            scratch.write(format!("{name}.key"), key);
        }
        scratch.write("password", "remote\n");
        let hash = bcrypt::hash("remote", 4).unwrap();
        let web = format!(
            "basic_auth_users: {{us: '{hash}'}}\ntls_server_config: {{cert_file: server.pem, key_file: server.key, \
             client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}}\n"
        );
        let web = scratch.write("web.yml", web);
        let flag = format!("--web.config.file={}", web.display());
        Guarded {
            prometheus: receiver(&[&flag]),
            scratch,
        }
    }

    pub fn url(&self) -> String {
        self.prometheus.url().replace("http:", "https:")
    }

    fn file(&self, name: &str) -> String {
        let path: PathBuf = self.scratch.join(name);
        path.display().to_string()
    }

    /// All that it takes to be let in.
    pub fn endpoint(&self) -> String {
        format!(
            "url: '{}/api/v1/write', basic_auth: {{username: us, password_file: {}}}, \
             tls_config: {{ca_file: {}, cert_file: {}, key_file: {}}}",
            self.url(),
            self.file("password"),
            self.file("ca.pem"),
            self.file("client.pem"),
            self.file("client.key"),
        )
    }

    /// The same for curl.
    pub fn curl(&self) -> String {
        let [ca, cert, key] = ["ca.pem", "client.pem", "client.key"].map(|name| self.file(name));
        format!("--cacert {ca} --cert {cert} --key {key} -u us:remote")
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let guarded = Guarded::start();
    let endpoint = guarded.endpoint();
    let [ca, cert] = ["ca.pem", "client.pem"].map(|name| guarded.file(name));
    let without = |part: &str, other: &str| {
        let changed = endpoint.replace(part, other);
        assert_ne!(changed, endpoint, "{part}");
        changed
    };
    let cert_alone = format!(
        ", cert_file: {cert}, key_file: {}",
        guarded.file("client.key")
    );
    let cases = [
        (endpoint.clone(), ""),
        (
            without(&format!("ca_file: {ca}"), "insecure_skip_verify: true"),
            "",
        ),
        (
            without(&format!("ca_file: {ca},"), ""),
            "invalid peer certificate",
        ),
        (without(&cert_alone, ""), "no answer from `127.0.0.1:"),
        (
            without("username: us", "username: them"),
            "answered 401 `Unauthorized`",
        ),
        (
            without(&ca, "/no/such/ca"),
            "cannot read `/no/such/ca`: No such file",
        ),
        (
            without(&format!("cert_file: {cert}"), &format!("cert_file: {ca}")),
            "cannot set up HTTPS: keys may not be consistent",
        ),
        (
            without("https:", "http:"),
            "answered 400 `Client sent an HTTP request to an HTTPS server.`",
        ),
    ];
    for (endpoint, expected) in cases {
        let tried = try_out(&settings(&format!("[{{{endpoint}}}]"))[0]).await;
        match tried {
            Ok(()) => assert_eq!(expected, "", "{endpoint}"),
            Err(said) => assert!(
                !expected.is_empty() && said.contains(expected),
                "{endpoint}: {said}"
            ),
        }
    }
}
