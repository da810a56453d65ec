//! The socket under a connection: TCP or Unix, and the knock that tells a live server from a frozen one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::dsn::Target;

/// `SSLRequest`: a length of 8 and the code 1234.5679.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A socket whose shutdown is over when the server has closed its side too: only then is the session gone there.
#[derive(Debug)]
pub(super) enum Wire {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Wire {
    /// Connects, trying every address of a name.
    pub(super) async fn connect(target: &Target) -> io::Result<Wire> {
        if target.is_socket() {
            return UnixStream::connect(target.socket()).await.map(Wire::Unix);
        }
        let stream = match target.address {
            Some(address) => TcpStream::connect((address, target.port)).await?,
            None => TcpStream::connect((target.host.as_str(), target.port)).await?,
        };
        stream.set_nodelay(true)?;
        Ok(Wire::Tcp(stream))
    }

    /// Asks whether TLS is offered and waits for the one byte of answer, which no session has to be opened for.
    pub(super) async fn knock(target: &Target) -> io::Result<()> {
        let mut wire = Wire::connect(target).await?;
        wire.write_all(&SSL_REQUEST).await?;
        wire.read_u8().await.map(|_| ())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Wire::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Wire::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = match &mut *self {
            Wire::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        };
        // A second shutdown of a socket that the server has closed meanwhile fails; the wait below ends it all the same.
        let _ = ready!(done);
        loop {
            let mut space = [0; 1024];
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(self.as_mut().poll_read(cx, &mut buffer)) {
                Ok(()) if buffer.filled().is_empty() => return Poll::Ready(Ok(())),
                Ok(()) => {}
                Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
