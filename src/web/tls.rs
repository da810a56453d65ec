//! The TLS side of the door: certificate, key and client authorities, read again when a file changes.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::{RootCertStore, crypto::ring};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;

use super::{OpenError, Tls};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What the files held when they were last read.
#[derive(PartialEq)]
pub(super) struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// Reads the files and makes a configuration of them.
///
/// # Errors
/// A file cannot be read or does not hold what it should; the file is named.
pub(super) fn load(tls: &Tls) -> Result<(Arc<ServerConfig>, Files), OpenError> {
    let files = read(tls)?;
    Ok((Arc::new(configure(tls, &files)?), files))
}

/// Looks at the files until `stop`, and puts a new certificate into use; one that is unusable is told once and left.
pub(super) async fn follow(
    tls: Tls,
    mut known: Files,
    config: RustlsConfig,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        // A file that is missing for a moment is being replaced.
        let Ok(files) = read(&tls) else { continue };
        if files == known {
            continue;
        }
        match configure(&tls, &files) {
            Ok(renewed) => {
                config.reload_from_config(Arc::new(renewed));
                tracing::info!("the TLS certificate was renewed");
            }
            Err(error) => {
                tracing::warn!(%error, "the changed TLS files are unusable, the former ones stay in use")
            }
        }
        known = files;
    }
}

fn read(tls: &Tls) -> Result<Files, OpenError> {
    let read = |path: &Path| std::fs::read(path).map_err(|cause| refuse(path, &cause));
    Ok(Files {
        cert: read(&tls.cert)?,
        key: read(&tls.key)?,
        client_ca: tls.client_ca.as_deref().map(read).transpose()?,
    })
}

fn configure(tls: &Tls, files: &Files) -> Result<ServerConfig, OpenError> {
    let chain = certificates(&tls.cert, &files.cert)?;
    let key =
        PrivateKeyDer::from_pem_slice(&files.key).map_err(|cause| refuse(&tls.key, &cause))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|cause| refuse(&tls.cert, &cause))?;
    let builder = match (&tls.client_ca, &files.client_ca) {
        (Some(path), Some(pem)) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(path, pem)? {
                roots.add(authority).map_err(|cause| refuse(path, &cause))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder
                .with_client_cert_verifier(verifier.build().map_err(|cause| refuse(path, &cause))?)
        }
        _ => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|cause| refuse(&tls.key, &cause))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = read.map_err(|cause| refuse(path, &cause))?;
    if found.is_empty() {
        let cause = io::Error::other("there is no certificate in it");
        return Err(refuse(path, &cause));
    }
    Ok(found)
}

fn refuse(path: &Path, cause: &dyn std::fmt::Display) -> OpenError {
    OpenError::Tls {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}
