//! The client of an object store, made from settings and the environment.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::list::PaginatedListStore;
use object_store::{BackoffConfig, Certificate, ClientOptions, ObjectStore, RetryConfig};

use super::refusal::Refusal;
use super::tap::{Tap, innermost};
use crate::backup::settings::{Access, Address, Provider};
use crate::document::Secret;

/// What an object store is asked through.
pub(super) struct Client {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) lists: Arc<dyn PaginatedListStore>,
}

/// A variable of the environment, or what is written in the settings, by the name that the client knows.
type Pair = (String, String);

/// How long a store may be silent, unless the settings say otherwise.
const SILENCE: Duration = Duration::from_secs(15);
/// A single request is given up after so many times that long.
const PATIENCE: u32 = 4;

impl Client {
    /// Makes one; nothing is asked yet.
    pub(super) fn new(
        address: &Address,
        environment: &[Pair],
        tap: Tap,
    ) -> Result<Client, Refusal> {
        let access = &address.access;
        let written = written(address)?;
        let (options, retry) = (options(access)?, retry(access));
        match address.provider {
            Provider::S3 => {
                let mut builder = AmazonS3Builder::new()
                    .with_client_options(options)
                    .with_retry(retry)
                    .with_http_connector(tap);
                for (key, value) in chosen("AWS_", environment, written) {
                    if let Ok(key) = key.parse::<AmazonS3ConfigKey>() {
                        builder = builder.with_config(key, value);
                    }
                }
                both(builder.with_bucket_name(&address.bucket).build())
            }
            Provider::Google => {
                let mut builder = GoogleCloudStorageBuilder::new()
                    .with_client_options(options)
                    .with_retry(retry)
                    .with_http_connector(tap);
                for (key, value) in chosen("GOOGLE_", environment, written) {
                    if let Ok(key) = key.parse::<GoogleConfigKey>() {
                        builder = builder.with_config(key, value);
                    }
                }
                both(builder.with_bucket_name(&address.bucket).build())
            }
            Provider::Azure => {
                let mut builder = MicrosoftAzureBuilder::new()
                    .with_client_options(options)
                    .with_retry(retry)
                    .with_http_connector(tap);
                for (key, value) in chosen("AZURE_", environment, written) {
                    if let Ok(key) = key.parse::<AzureConfigKey>() {
                        builder = builder.with_config(key, value);
                    }
                }
                both(builder.with_container_name(&address.bucket).build())
            }
        }
    }
}

fn both<S: ObjectStore + PaginatedListStore>(
    built: object_store::Result<S>,
) -> Result<Client, Refusal> {
    let store = Arc::new(built.map_err(|error| Refusal::Settings(innermost(&error)))?);
    Ok(Client {
        objects: store.clone(),
        lists: store,
    })
}

/// The variables that begin so, then what is written. A key that is written goes without what the environment has of
/// another one.
fn chosen(prefix: &str, environment: &[Pair], written: Vec<Pair>) -> Vec<Pair> {
    let is_mine = |name: &str| {
        let of_keys = [
            "token",
            "key",
            "credential",
            "skip_signature",
            "role",
            "service_account",
        ];
        of_keys.iter().any(|part| name.contains(part))
    };
    let has_key = written.iter().any(|(name, _)| is_mine(name));
    let variables = environment
        .iter()
        .filter(|(name, value)| name.starts_with(prefix) && !value.is_empty());
    let mut pairs: Vec<Pair> = variables
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .filter(|(name, _)| !(has_key && is_mine(name)))
        .collect();
    pairs.extend(written);
    pairs
}

/// The settings, by the names that the client knows.
fn written(address: &Address) -> Result<Vec<Pair>, Refusal> {
    let access = &address.access;
    let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let secret = |secret: &Option<Secret>| secret.as_ref().map(Secret::reveal).transpose();
    let secret = |of: &Option<Secret>| secret(of).map_err(Refusal::Settings);
    let file = |path: &std::path::Path| path.display().to_string();
    let common = [
        ("allow_http", flag(access.allow_http)),
        ("skip_signature", flag(access.anonymous)),
    ];
    let own = match address.provider {
        Provider::S3 => vec![
            // Where S3 alone answers is asked before where all services do.
            ("aws_endpoint_url_s3", access.endpoint.clone()),
            ("region", access.region.clone()),
            ("virtual_hosted_style_request", flag(access.virtual_hosted)),
            ("access_key_id", access.access_key_id.clone()),
            ("secret_access_key", secret(&access.secret_access_key)?),
            ("session_token", secret(&access.session_token)?),
        ],
        Provider::Google => vec![
            ("base_url", access.endpoint.clone()),
            (
                "service_account",
                access.service_account_file.as_deref().map(file),
            ),
        ],
        Provider::Azure => vec![
            ("endpoint", access.endpoint.clone()),
            ("account_name", access.account.clone()),
            ("account_key", secret(&access.account_key)?),
            ("sas_token", secret(&access.sas_token)?),
        ],
    };
    let all = common.into_iter().chain(own);
    Ok(all
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect())
}

fn options(access: &Access) -> Result<ClientOptions, Refusal> {
    let silence = access.timeout.unwrap_or(SILENCE);
    let mut options = ClientOptions::new()
        .with_connect_timeout(silence.min(SILENCE / 3))
        .with_read_timeout(silence)
        .with_timeout(silence * PATIENCE);
    if let Some(path) = &access.ca {
        let unusable = |cause: String| Refusal::Settings(format!("`{}`: {cause}", path.display()));
        let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem);
        for certificate in certificates.map_err(|error| unusable(error.to_string()))? {
            options = options.with_root_certificate(certificate);
        }
    }
    Ok(options)
}

/// Two tries: what fails twice is told, and asked again at the next look.
fn retry(access: &Access) -> RetryConfig {
    RetryConfig {
        max_retries: 1,
        retry_timeout: access.timeout.unwrap_or(SILENCE) * PATIENCE,
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> Vec<Pair> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        all.iter().map(owned).collect()
    }

    #[test]
    fn a_key_that_is_written_stands_alone() {
        let environment = pairs(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_SESSION_TOKEN", "of the other key"),
            ("AWS_ROLE_ARN", "other"),
            ("AWS_ENDPOINT_URL", ""),
            ("HOME", "/root"),
        ]);
        let written = pairs(&[("access_key_id", "A"), ("secret_access_key", "S")]);
        let names = |pairs: Vec<Pair>| pairs.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(
            names(chosen("AWS_", &environment, written)),
            ["aws_region", "access_key_id", "secret_access_key"]
        );
        assert_eq!(
            names(chosen("AWS_", &environment, Vec::new())),
            ["aws_region", "aws_session_token", "aws_role_arn"]
        );
    }
}
