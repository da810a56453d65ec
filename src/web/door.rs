//! The listening socket: opened before anything runs, served until the end.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use tokio_util::sync::CancellationToken;

use super::exposition::Exposition;
use super::{Settings, View, routes, tls};

/// Why nothing can be served at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`: {cause}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The certificate, its key or the authorities cannot be used.
    #[error("cannot use `{}` for TLS: {cause}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
}

impl OpenError {
    /// The way out, where there is one to name.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            OpenError::Listen { cause, .. } if cause.kind() == std::io::ErrorKind::AddrInUse => {
                Some("is another pgvigil running? stop it, or set `listen` to a free address")
            }
            _ => None,
        }
    }
}

/// A listening socket with the settings it is served by.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
    tls: Option<(RustlsConfig, tls::Files)>,
}

impl Door {
    /// Listens, and reads the TLS files, so that what is wrong is known before anything starts.
    ///
    /// # Errors
    /// The address is taken or not ours, or a TLS file is unusable.
    pub fn open(listen: SocketAddr, settings: Settings) -> Result<Door, OpenError> {
        let refuse = |cause| OpenError::Listen {
            address: listen,
            cause,
        };
        let tls = settings.tls.as_ref().map(tls::load).transpose()?;
        let listener = TcpListener::bind(listen).map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        Ok(Door {
            address: listener.local_addr().map_err(refuse)?,
            listener,
            settings,
            tls: tls.map(|(config, files)| (RustlsConfig::from_config(config), files)),
        })
    }

    /// Where it listens; the port is the real one where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address with its scheme, such as `http://127.0.0.1:9187`.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until `stop`; requests under way then get five seconds to end.
    ///
    /// # Errors
    /// The socket failed for good.
    pub async fn serve(self, view: Arc<View>, stop: CancellationToken) -> std::io::Result<()> {
        const GRACE: Duration = Duration::from_secs(5);
        /// A client that says nothing for so long goes: sockets are few, and those to the databases come from the same.
        const PATIENCE: Duration = Duration::from_secs(60);
        let exposition = Arc::new(Exposition::of(&view));
        let service = routes(view, exposition.clone(), &self.settings).into_make_service();
        let handle = Handle::new();
        let mut server = axum_server::from_tcp(self.listener)?.handle(handle.clone());
        let connections = server.http_builder();
        connections.http1().header_read_timeout(PATIENCE);
        let closing = async {
            stop.cancelled().await;
            handle.graceful_shutdown(Some(GRACE));
        };
        let writing = stop.run_until_cancelled(exposition.keep_written());
        match (self.tls, self.settings.tls) {
            (Some((config, files)), Some(paths)) => {
                let server: Server<_, _> = server.acceptor(RustlsAcceptor::new(config.clone()));
                let following = tls::follow(paths, files, config, stop.clone());
                let (served, (), (), _) =
                    tokio::join!(server.serve(service), closing, following, writing);
                served
            }
            _ => tokio::join!(server.serve(service), closing, writing).0,
        }
    }
}
