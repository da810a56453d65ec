//! libpq's TLS modes in rustls: who is trusted, whether the name counts, and the client's own certificate.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::DsnError;
use super::certificate::Expiry;
use super::dsn::{Roots, SslMode, Tls};

/// How one connection agrees on TLS, and what came of it.
pub(super) struct Connector {
    pub(super) connect: MakeRustlsConnect,
    shown: Arc<OnceLock<Expiry>>,
}

impl Connector {
    /// When the certificates that the server has shown expire; `None` before the handshake.
    pub(super) fn expiry(&self) -> Option<Expiry> {
        self.shown.get().copied()
    }
}

/// A connector for one connection. Certificates are read anew each time, so that renewed ones are used.
///
/// # Errors
/// A certificate or key file that is missing or cannot be used.
pub(super) fn connector(tls: &Tls) -> Result<Connector, DsnError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let shown = Arc::default();
    let verifier = Verifier {
        trust: trust(tls)?,
        shown: Arc::clone(&shown),
        provider: Arc::clone(&provider),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS", &error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match client_certificate(tls)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| unusable("the client certificate with its key", &error))?,
        None => builder.with_no_client_auth(),
    };
    Ok(Connector {
        connect: MakeRustlsConnect::new(config),
        shown,
    })
}

fn trust(tls: &Tls) -> Result<Trust, DsnError> {
    let name_counts = tls.mode == SslMode::VerifyFull;
    // As in libpq, a given file of authorities is not ignored: it makes `require` mean `verify-ca`.
    let verified = match tls.mode {
        SslMode::VerifyCa | SslMode::VerifyFull => true,
        SslMode::Require => tls.roots.is_some(),
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => false,
    };
    if !verified {
        return Ok(Trust::Anyone);
    }
    let mut roots = RootCertStore::empty();
    let mut pinned = Vec::new();
    match &tls.roots {
        Some(Roots::System) => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(Roots::File(path)) => pinned = certificates(path)?,
        None => {
            let path = in_home("root.crt").filter(|path| path.exists()).ok_or_else(|| DsnError {
                message: "there is no file of trusted authorities for `sslmode=verify-ca` or `verify-full`".into(),
                hint: "name it with `sslrootcert`, put it at `~/.postgresql/root.crt`, or write `sslrootcert=system`".into(),
            })?;
            pinned = certificates(&path)?;
        }
    }
    roots.add_parsable_certificates(pinned.iter().cloned());
    if roots.is_empty() {
        return Err(DsnError {
            message: "the file of trusted authorities holds no certificate that can be used".into(),
            hint: "`sslrootcert` must name a PEM file with `BEGIN CERTIFICATE`".into(),
        });
    }
    Ok(Trust::Signed {
        roots,
        pinned,
        name_counts,
    })
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_certificate(tls: &Tls) -> Result<Option<Identity>, DsnError> {
    let by_default = |name: &str| in_home(name).filter(|path| path.exists());
    let Some(certificate) = tls
        .certificate
        .clone()
        .or_else(|| by_default("postgresql.crt"))
    else {
        return Ok(None);
    };
    let key = tls
        .key
        .clone()
        .or_else(|| by_default("postgresql.key"))
        .ok_or_else(|| DsnError {
            message: "there is a client certificate but no key".into(),
            hint: "name the key's file with `sslkey`".into(),
        })?;
    let read = PrivateKeyDer::from_pem_file(&key).map_err(|error| DsnError {
        message: format!("cannot read the client's key `{}`: {error}", key.display()),
        hint: "`sslkey` must name a PEM file with an unencrypted key that pgvigil's user can read"
            .into(),
    })?;
    Ok(Some((certificates(&certificate)?, read)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, DsnError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| DsnError {
        message: format!(
            "cannot read the certificates in `{}`: {error}",
            path.display()
        ),
        hint: "the file must be PEM and readable by pgvigil's user".into(),
    })
}

fn in_home(name: &str) -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".postgresql").join(name))
}

fn unusable(what: &str, error: &rustls::Error) -> DsnError {
    DsnError {
        message: format!("{what} cannot be used: {error}"),
        hint: "check `sslcert`, `sslkey` and `sslrootcert`".into(),
    }
}

#[derive(Debug)]
enum Trust {
    Anyone,
    Signed {
        roots: RootCertStore,
        pinned: Vec<CertificateDer<'static>>,
        name_counts: bool,
    },
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    shown: Arc<OnceLock<Expiry>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(expiry) = Expiry::of(end_entity, intermediates) {
            self.shown.get_or_init(|| expiry);
        }
        let Trust::Signed {
            roots,
            pinned,
            name_counts,
        } = &self.trust
        else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        // A self-signed certificate that is its own authority is how many servers are set up; libpq takes it, while
        // webpki refuses an authority as a server's certificate.
        if !pinned.iter().any(|root| root == end_entity) {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                roots,
                intermediates,
                now,
                algorithms,
            )?;
        }
        if *name_counts {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
