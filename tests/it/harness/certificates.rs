//! A certificate authority for tests of TLS.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority of its own.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Default for Authority {
    fn default() -> Self {
        Authority::new()
    }
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "pgvigil test authority");
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate, for clients to trust.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// On the first day of this year its certificates expire.
    pub const LAST_YEAR: i32 = 2031;

    /// A certificate for host names, addresses or a client's name, and its key; both PEM.
    pub fn issue(&self, names: &[&str]) -> (String, String) {
        self.issue_until(names, (Self::LAST_YEAR, 1, 1))
    }

    /// The same, with the year, month and day on which it expires.
    pub fn issue_until(
        &self,
        names: &[&str],
        (year, month, day): (i32, u8, u8),
    ) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.not_after = rcgen::date_time_ymd(year, month, day);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, names[0].as_str());
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// What a server for `localhost` and 127.0.0.1 needs.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(&["localhost", "127.0.0.1"]);
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let config =
            ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .unwrap();
        Arc::new(config)
    }
}
