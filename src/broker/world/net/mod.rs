//! The way to other machines: listeners, connections, and which addresses are this machine's.

mod arrivals;
mod simulated;

pub use arrivals::Arrivals;
pub use simulated::Router;

use simulated::Place;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host, tcp};

/// Connections at most, where the system has no limit for a process.
const MOST_CONNECTIONS: usize = 1 << 20;

/// A network, and the place in it of whoever holds this.
#[derive(Debug, Clone, Default)]
pub struct Net(Kind);

#[derive(Debug, Clone, Default)]
enum Kind {
    #[default]
    Tcp,
    Simulated(Place),
}

/// Takes connections at an address.
#[derive(Debug)]
pub struct Listener(ListenerKind);

#[derive(Debug)]
enum ListenerKind {
    Tcp(TcpListener),
    Simulated(simulated::Listener),
}

/// A connection: bytes both ways.
#[derive(Debug)]
pub struct Stream(StreamKind);

#[derive(Debug)]
enum StreamKind {
    Tcp(TcpStream),
    Simulated(DuplexStream),
}

/// What comes over a connection.
#[derive(Debug)]
pub struct ReadHalf(ReadKind);

#[derive(Debug)]
enum ReadKind {
    Tcp(tcp::OwnedReadHalf),
    Simulated(tokio::io::ReadHalf<DuplexStream>),
}

/// What goes over a connection.
#[derive(Debug)]
pub struct WriteHalf(WriteKind);

#[derive(Debug)]
enum WriteKind {
    Tcp(tcp::OwnedWriteHalf),
    Simulated(tokio::io::WriteHalf<DuplexStream>),
}

impl Net {
    /// A place in a simulated network; places are told apart by their names.
    pub fn simulated(router: &Arc<Router>, name: u32) -> Self {
        Net(Kind::Simulated(Place::new(router, name)))
    }

    /// Takes connections at a host and port; with port 0 at one of the system's choice. `backlog` connections may wait to be
    /// taken, but no more than the system allows.
    ///
    /// # Errors
    /// When the address is not to be had.
    pub async fn listen(&self, host: &str, port: u16, backlog: u32) -> io::Result<Listener> {
        Ok(Listener(match &self.0 {
            Kind::Tcp => ListenerKind::Tcp(listen_to(host, port, backlog).await?),
            Kind::Simulated(place) => ListenerKind::Simulated(place.listen(port)?),
        }))
    }

    /// Connects to `HOST:PORT`. What is written goes out at once.
    ///
    /// # Errors
    /// When nobody takes the connection.
    pub async fn connect(&self, address: &str) -> io::Result<Stream> {
        match &self.0 {
            Kind::Tcp => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Stream(StreamKind::Tcp(stream)))
            }
            Kind::Simulated(place) => Ok(Stream(StreamKind::Simulated(place.connect(address).await?))),
        }
    }
}

/// Listens at the first address of a host that is to be had. tokio's own listener lets 128 connections wait, whatever the
/// system allows.
async fn listen_to(host: &str, port: u16, backlog: u32) -> io::Result<TcpListener> {
    let mut refused = None;
    for address in lookup_host((host, port)).await? {
        match listen_at(address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

fn listen_at(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A port whose last connections are still being closed is free. On Windows this would let others take it from us.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

/// How many connections this process may hold open: of the files that the system lets it open, a quarter is for logs. It is
/// given as many files as the system lets it have, as Java's processes are.
#[cfg(unix)]
pub fn most_connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let files = match setrlimit(Resource::Nofile, most) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    files.map_or(MOST_CONNECTIONS, |files| {
        usize::try_from(files / 4 * 3).map_or(MOST_CONNECTIONS, |most| most.min(MOST_CONNECTIONS))
    })
}

/// How many connections this process may hold open.
#[cfg(not(unix))]
pub const fn most_connections() -> usize {
    MOST_CONNECTIONS
}

/// Whether a host is this machine. An address that a socket can be bound to is one of its own.
pub fn is_here(host: &str) -> bool {
    let here = |address: IpAddr| address.is_loopback() || UdpSocket::bind((address, 0)).is_ok();
    (host, 0)
        .to_socket_addrs()
        .is_ok_and(|mut addresses| addresses.any(|address| here(address.ip())))
}

impl Listener {
    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            ListenerKind::Tcp(listener) => listener.local_addr(),
            ListenerKind::Simulated(listener) => Ok(listener.address()),
        }
    }
}

impl Stream {
    /// Lets small writes go out at once.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn set_nodelay(&self) -> io::Result<()> {
        match &self.0 {
            StreamKind::Tcp(stream) => stream.set_nodelay(true),
            StreamKind::Simulated(_) => Ok(()),
        }
    }

    /// Both ways apart.
    pub fn into_split(self) -> (ReadHalf, WriteHalf) {
        match self.0 {
            StreamKind::Tcp(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf(ReadKind::Tcp(read)), WriteHalf(WriteKind::Tcp(write)))
            }
            StreamKind::Simulated(stream) => {
                let (read, write) = tokio::io::split(stream);
                (
                    ReadHalf(ReadKind::Simulated(read)),
                    WriteHalf(WriteKind::Simulated(write)),
                )
            }
        }
    }
}

/// Hands a stream's reading on to the one it is made of.
macro_rules! reads {
    ($stream:ty, $kind:ident) => {
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                match &mut self.get_mut().0 {
                    $kind::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
                    $kind::Simulated(stream) => Pin::new(stream).poll_read(context, buffer),
                }
            }
        }
    };
}

/// Hands a stream's writing on to the one it is made of.
macro_rules! writes {
    ($stream:ty, $kind:ident) => {
        impl AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                match &mut self.get_mut().0 {
                    $kind::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
                    $kind::Simulated(stream) => Pin::new(stream).poll_write(context, bytes),
                }
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                match &mut self.get_mut().0 {
                    $kind::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
                    $kind::Simulated(stream) => Pin::new(stream).poll_write_vectored(context, slices),
                }
            }

            fn is_write_vectored(&self) -> bool {
                match &self.0 {
                    $kind::Tcp(stream) => stream.is_write_vectored(),
                    $kind::Simulated(stream) => stream.is_write_vectored(),
                }
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                match &mut self.get_mut().0 {
                    $kind::Tcp(stream) => Pin::new(stream).poll_flush(context),
                    $kind::Simulated(stream) => Pin::new(stream).poll_flush(context),
                }
            }

            fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                match &mut self.get_mut().0 {
                    $kind::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
                    $kind::Simulated(stream) => Pin::new(stream).poll_shutdown(context),
                }
            }
        }
    };
}

reads!(ReadHalf, ReadKind);
reads!(Stream, StreamKind);
writes!(WriteHalf, WriteKind);
writes!(Stream, StreamKind);

#[cfg(test)]
mod tests;
