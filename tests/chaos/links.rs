//! Ways between processes that a test can cut.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// What becomes of bytes on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They come through.
    Open,
    /// They wait, and so do new connections: a network that loses everything, until it does not any more.
    Held,
    /// Connections are closed, and new ones at once.
    Closed,
}

/// An address that leads to another one.
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    behind: Mutex<Option<SocketAddr>>,
    way: watch::Sender<Way>,
}

impl Link {
    /// One that leads nowhere yet.
    pub fn new(runtime: &Handle) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let link = Link {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(Shared {
                behind: Mutex::new(None),
                way: watch::Sender::new(Way::Open),
            }),
        };
        let shared = Arc::clone(&link.shared);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(Arc::clone(&shared), stream));
            }
        });
        link
    }

    /// Where it stands.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go there from now on.
    pub fn lead_to(&self, address: SocketAddr) {
        *self.shared.behind.lock().unwrap() = Some(address);
    }

    /// Opens it, or cuts it in one way or the other.
    pub fn set(&self, way: Way) {
        self.shared.way.send_replace(way);
    }
}

async fn pass(shared: Arc<Shared>, from: TcpStream) {
    let mut way = shared.way.subscribe();
    if way
        .wait_for(|way| *way != Way::Held)
        .await
        .is_ok_and(|way| *way == Way::Closed)
    {
        return;
    }
    let Some(behind) = *shared.behind.lock().unwrap() else {
        return;
    };
    let Ok(to) = TcpStream::connect(behind).await else {
        return;
    };
    // Neither end's small messages wait for more.
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    let ((asks, hears), (answers, told)) = (from.into_split(), to.into_split());
    tokio::select! {
        () = copy(asks, told, shared.way.subscribe()) => {}
        () = copy(answers, hears, shared.way.subscribe()) => {}
        _ = way.wait_for(|way| *way == Way::Closed) => {}
    }
}

/// Until either end closes.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if way.wait_for(|way| *way != Way::Held).await.is_err()
            || to.write_all(&bytes[..count]).await.is_err()
        {
            return;
        }
    }
}
