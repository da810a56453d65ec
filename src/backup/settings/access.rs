//! `storage:` of a source in an object store: how it is reached. What is not written is taken from the environment.

use std::path::PathBuf;
use std::time::Duration;

use crate::document::{Secret, Section};

/// How an object store is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// Where it answers, when not where its maker does.
    pub endpoint: Option<String>,
    /// The region of the bucket.
    pub region: Option<String>,
    /// Whether it may be asked without encryption.
    pub allow_http: Option<bool>,
    /// Whether the bucket is part of the host's name.
    pub virtual_hosted: Option<bool>,
    /// Whether it is asked without any key.
    pub anonymous: Option<bool>,
    /// S3: the key's name.
    pub access_key_id: Option<String>,
    /// S3: the key itself.
    pub secret_access_key: Option<Secret>,
    /// S3: what goes with a key that was lent.
    pub session_token: Option<Secret>,
    /// Google: the file with the key of a service account.
    pub service_account_file: Option<PathBuf>,
    /// Azure: the storage account.
    pub account: Option<String>,
    /// Azure: its key.
    pub account_key: Option<Secret>,
    /// Azure: a signature that stands for a key.
    pub sas_token: Option<Secret>,
    /// Certificates that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
    /// How long it may be silent; `None` for the default.
    pub timeout: Option<Duration>,
}

impl Access {
    /// Reads the section `storage` of a source.
    pub(super) fn read(s: &mut Section) -> Access {
        s.section("storage", "How the object store of `files` and `wal` is reached. What is not written is taken from `AWS_…`, `GOOGLE_…` and `AZURE_…` of the environment, or from the role of the machine.", Access::keys)
    }

    fn keys(s: &mut Section) -> Access {
        Access {
            endpoint: s.optional_text("endpoint", "Where the store answers, such as `https://minio.example.org:9000`; not needed for the stores of Amazon, Google and Azure themselves."),
            region: s.optional_text("region", "The region of the bucket (S3)."),
            allow_http: s.optional_flag("allow_http", "Whether the store may be asked without encryption."),
            virtual_hosted: s.optional_flag("virtual_hosted", "Whether the bucket is part of the host's name (S3); with an `endpoint` it usually is not."),
            anonymous: s.optional_flag("anonymous", "Whether the store is asked without any key."),
            access_key_id: s.optional_text("access_key_id", "The name of the access key (S3)."),
            secret_access_key: s.secret("secret_access_key", "The access key (S3). It needs to list the bucket and to read its objects, no more."),
            session_token: s.secret("session_token", "The token that goes with a key which was lent (S3)."),
            service_account_file: s.optional_path("service_account_file", "The JSON file with the key of a service account (Google)."),
            account: s.optional_text("account", "The storage account (Azure)."),
            account_key: s.secret("account_key", "The key of the storage account (Azure)."),
            sas_token: s.secret("sas_token", "A shared access signature instead of the account's key (Azure)."),
            ca: s.optional_path("ca", "PEM file with certificates that are trusted beside those of the system."),
            timeout: s.parsed("timeout", "duration", "15s", "How long the store may be silent.", |text| {
                crate::document::parse_duration(text)
            }),
        }
        .checked(s)
    }

    fn checked(self, s: &Section) -> Access {
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            let hint = "both of `access_key_id` and `secret_access_key`, or none";
            s.problem("", "half a key is no key", Some(hint));
        }
        if self.timeout.is_some_and(|span| span.is_zero()) {
            s.problem("timeout", "must be longer than `0`", None);
        }
        let endpoint = self.endpoint.as_deref().unwrap_or("https://");
        if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
            s.problem("endpoint", "must begin with `https://` or `http://`", None);
        }
        let is_allowed = self.allow_http.unwrap_or_default();
        if endpoint.starts_with("http://") && !is_allowed {
            let hint = "`allow_http: true`, when nobody else is on the way there";
            s.problem("endpoint", "is asked without encryption", Some(hint));
        }
        self
    }

    /// What is written here, and for the account what the address says where nothing is.
    pub(super) fn or(mut self, address: &Access) -> Access {
        self.account = self.account.or_else(|| address.account.clone());
        self
    }
}
