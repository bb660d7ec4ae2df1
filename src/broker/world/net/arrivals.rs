//! Connections as they come in.
//!
//! The system lets some 4,000 connections wait to be taken; of those that come when so many wait it hears nothing, and they
//! ask again after a second. When thousands come at once, the threads that serve them have their hands full, and who takes
//! the next one must not wait for a turn among them: it is a thread of its own, which does nothing else and so is let
//! run at once whenever somebody comes.

use super::{Listener, ListenerKind, Stream, StreamKind, simulated};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};

/// Wait after a connection could not be taken (out of file descriptors, for one), so that this does not become a busy loop.
const RETRY: Duration = Duration::from_millis(100);

/// The connections of a listener.
#[derive(Debug)]
pub struct Arrivals(Kind);

#[derive(Debug)]
enum Kind {
    Tcp {
        taken: mpsc::Receiver<io::Result<Taken>>,
        closed: oneshot::Receiver<()>,
    },
    Simulated(simulated::Listener),
}

/// A connection that no runtime looks after yet, and who is at its other end.
type Taken = (std::net::TcpStream, SocketAddr);

impl Listener {
    /// Begins to take connections, of which `ahead` may be taken before anybody asks for them.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn arrivals(self, ahead: usize) -> io::Result<Arrivals> {
        match self.0 {
            ListenerKind::Tcp(listener) => take_from(listener.into_std()?, ahead).map(Arrivals),
            ListenerKind::Simulated(listener) => Ok(Arrivals(Kind::Simulated(listener))),
        }
    }
}

impl Arrivals {
    /// Waits for the next connection; who gives up waiting loses none.
    ///
    /// # Errors
    /// When the system has no room for another one. It is asked again a little later.
    pub async fn next(&mut self) -> io::Result<(Stream, SocketAddr)> {
        match &mut self.0 {
            Kind::Tcp { taken, .. } => {
                let taken = taken.recv().await;
                let (stream, peer) = taken.ok_or(io::ErrorKind::NotConnected)??;
                Ok((Stream(StreamKind::Tcp(TcpStream::from_std(stream)?)), peer))
            }
            Kind::Simulated(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream(StreamKind::Simulated(stream)), peer))
            }
        }
    }

    /// Takes no more; those that were taken and not asked for are closed. The address is free afterwards.
    pub async fn close(self) {
        if let Kind::Tcp { taken, closed } = self.0 {
            drop(taken);
            // An error says that the thread has ended.
            let _ = closed.await;
        }
    }
}

fn take_from(listener: std::net::TcpListener, ahead: usize) -> io::Result<Kind> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (room, taken) = mpsc::channel(ahead.max(1));
    let (ended, closed) = oneshot::channel();
    std::thread::Builder::new()
        .name("accept".to_owned())
        .spawn(move || {
            if let Err(error) = runtime.block_on(take(listener, room)) {
                tracing::error!("cannot take connections: {error}");
            }
            drop(ended);
        })?;
    Ok(Kind::Tcp { taken, closed })
}

/// Takes connections until nobody wants any more.
async fn take(listener: std::net::TcpListener, room: mpsc::Sender<io::Result<Taken>>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    while let Ok(place) = room.reserve().await {
        let taken = tokio::select! {
            biased;
            () = room.closed() => break,
            taken = listener.accept() => taken,
        };
        let taken = taken.and_then(|(stream, peer)| Ok((stream.into_std()?, peer)));
        let refused = taken.is_err();
        place.send(taken);
        if refused {
            tokio::time::sleep(RETRY).await;
        }
    }
    Ok(())
}
