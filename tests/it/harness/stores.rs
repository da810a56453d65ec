//! Throw-away object stores: moto for S3, fake-gcs-server for Google's, Azurite for Azure's.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::{AzureAuthorizer, AzureCredential, MicrosoftAzureBuilder};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::{ObjectStore, ObjectStoreExt};
use reqwest::{Client, Method};

use super::{Daemon, eventually_async, free_port, lab};

const PATIENCE: Duration = Duration::from_secs(60);
/// The bucket that each of them has.
pub const BUCKET: &str = "backups";

fn program(name: &str) -> PathBuf {
    let path = lab::folder().join("stores/bin").join(name);
    assert!(path.is_file(), "{name} is not installed: run `make lab`");
    path
}

fn http() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

async fn until_ready(url: &str) {
    let http = http();
    eventually_async(&format!("{url} answers"), PATIENCE, || async {
        http.get(url).send().await.ok()
    })
    .await;
}

/// An S3 that lists three objects a page. It knows one key and, once guarded, checks signatures.
pub struct Moto {
    pub url: String,
    pub key: String,
    pub secret: String,
    _daemon: Daemon,
}

impl Moto {
    pub async fn start() -> Moto {
        let port = free_port();
        let mut command = Command::new(program("moto_server"));
        command
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_S3_DEFAULT_MAX_KEYS", "3");
        let daemon = Daemon::spawn(command);
        let url = format!("http://127.0.0.1:{port}");
        until_ready(&url).await;
        let mut moto = Moto {
            url,
            key: String::new(),
            secret: String::new(),
            _daemon: daemon,
        };
        moto.make_key().await;
        moto.send(Method::PUT, &format!("/{BUCKET}"), "", "s3")
            .await;
        moto
    }

    async fn make_key(&mut self) {
        self.iam("Action=CreateUser&UserName=reader").await;
        let made = self.iam("Action=CreateAccessKey&UserName=reader").await;
        let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
        self.iam(&format!(
            "Action=PutUserPolicy&UserName=reader&PolicyName=all&PolicyDocument={policy}"
        ))
        .await;
        let between = |tag: &str| {
            let rest = made.split_once(&format!("<{tag}>")).unwrap().1;
            rest.split_once('<').unwrap().0.to_owned()
        };
        self.key = between("AccessKeyId");
        self.secret = between("SecretAccessKey");
    }

    async fn iam(&self, action: &str) -> String {
        let body = format!("{action}&Version=2010-05-08");
        self.send(Method::POST, "/", &body, "iam").await
    }

    async fn send(&self, method: Method, path: &str, body: &str, service: &str) -> String {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=x/20200101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let form = "application/x-www-form-urlencoded";
        let request = http().request(method, format!("{}{path}", self.url));
        let request = request
            .header("authorization", scope)
            .header("content-type", form);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer.text().await.unwrap()
    }

    /// From here on it takes no request that is not signed with its key.
    pub async fn guard(&self) {
        let url = format!("{}/moto-api/reset-auth", self.url);
        let request = http().post(url).header("content-type", "text/plain");
        let answer = request.body("0").send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Makes an empty object of any name, as a console makes folders.
    pub async fn put_bare(&self, name: &str) {
        let path = format!("/{BUCKET}/{name}");
        self.send(Method::PUT, &path, "", "s3").await;
    }

    /// The bucket, for who fills it.
    pub fn bucket(&self) -> impl ObjectStore {
        AmazonS3Builder::new()
            .with_endpoint(&self.url)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name(BUCKET)
            .with_access_key_id(&self.key)
            .with_secret_access_key(&self.secret)
            .build()
            .unwrap()
    }

    /// What a source's section `storage` must say.
    pub fn storage(&self) -> String {
        format!(
            "{{endpoint: '{}', allow_http: true, region: us-east-1, access_key_id: {}, secret_access_key: '{}', timeout: 5s}}",
            self.url, self.key, self.secret
        )
    }
}

/// A Google Cloud Storage that asks for no key.
pub struct FakeGcs {
    pub url: String,
    _daemon: Daemon,
}

impl FakeGcs {
    pub async fn start() -> FakeGcs {
        let port = free_port();
        let mut command = Command::new(program("fake-gcs-server"));
        command.args([
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-backend",
            "memory",
        ]);
        command.args(["-port", &port.to_string()]);
        command.args(["-public-host", &format!("127.0.0.1:{port}")]);
        let daemon = Daemon::spawn(command);
        let url = format!("http://127.0.0.1:{port}");
        until_ready(&url).await;
        let request = http().post(format!("{url}/storage/v1/b?project=p"));
        let body = format!("{{\"name\": \"{BUCKET}\"}}");
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        FakeGcs {
            url,
            _daemon: daemon,
        }
    }

    /// Uploads as its own API does; that of S3 it does not take.
    pub async fn put(&self, name: &str, content: impl Into<Vec<u8>>) {
        let url = format!(
            "{}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={name}",
            self.url
        );
        let answer = http().post(url).body(content.into()).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    pub fn storage(&self) -> String {
        format!(
            "{{endpoint: '{}', allow_http: true, anonymous: true, timeout: 5s}}",
            self.url
        )
    }
}

/// An Azure Blob Storage with the account and the key that every Azurite has.
pub struct Azurite {
    pub url: String,
    _daemon: Daemon,
}

const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

impl Azurite {
    pub async fn start() -> Azurite {
        let port = free_port();
        let script = lab::folder().join("azurite/node_modules/.bin/azurite-blob");
        assert!(script.exists(), "Azurite is not installed: run `make lab`");
        let mut command = Command::new(script);
        command.args(["--silent", "--disableTelemetry", "--inMemoryPersistence"]);
        command.args(["--skipApiVersionCheck", "--blobHost", "127.0.0.1"]);
        command.args(["--blobPort", &port.to_string()]);
        let daemon = Daemon::spawn(command);
        let url = format!("http://127.0.0.1:{port}/{ACCOUNT}");
        until_ready(&url).await;
        let azurite = Azurite {
            url,
            _daemon: daemon,
        };
        azurite.make_container().await;
        azurite
    }

    async fn make_container(&self) {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::PUT;
        let uri = format!("{}/{BUCKET}?restype=container", self.url);
        *request.uri_mut() = uri.parse().unwrap();
        let key = object_store::azure::AzureAccessKey::try_new(ACCOUNT_KEY).unwrap();
        let credential = AzureCredential::AccessKey(key);
        let authorizer = AzureAuthorizer::new(&credential, ACCOUNT);
        authorizer.try_authorize(&mut request).unwrap();
        let signed = http().put(uri).headers(request.headers().clone());
        let answer = signed.body("").send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    pub async fn put(&self, name: &str, content: impl Into<Vec<u8>>) {
        let bucket = MicrosoftAzureBuilder::new()
            .with_endpoint(self.url.clone())
            .with_allow_http(true)
            .with_account(ACCOUNT)
            .with_access_key(ACCOUNT_KEY)
            .with_container_name(BUCKET)
            .build()
            .unwrap();
        bucket
            .put(&name.into(), content.into().into())
            .await
            .unwrap();
    }

    pub fn storage(&self) -> String {
        format!(
            "{{endpoint: '{}', allow_http: true, account: {ACCOUNT}, account_key: '{ACCOUNT_KEY}', timeout: 5s}}",
            self.url
        )
    }
}
