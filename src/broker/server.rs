//! Accepts connections until told to stop.

use super::config::{Listener, ListenerKind};
use super::connection;
use super::node::Node;
use super::security::Session;
use super::world::{net, watch};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

static NEXT_CONNECTION: AtomicU64 = AtomicU64::new(1);

/// Of as many connections as may be open, this part may be taken from the system before they are served.
const AHEAD: usize = 8;

/// Begins to take connections of `socket`, bound for `listener`. What is returned serves them until `stop` turns true, then
/// waits for them to end.
///
/// # Errors
/// When the system has no thread for it.
pub fn start(
    node: Arc<Node>,
    socket: net::Listener,
    listener: Listener,
    stop: watch::Receiver<bool>,
) -> io::Result<impl Future<Output = ()> + Send> {
    let most = node.config.max_connections().min(net::most_connections());
    let arrivals = socket.arrivals(most / AHEAD)?;
    Ok(serve(node, arrivals, most, listener, stop))
}

async fn serve(
    node: Arc<Node>,
    mut arrivals: net::Arrivals,
    most: usize,
    listener: Listener,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(most));
    let mut connections = JoinSet::new();
    let listener_name: Arc<str> = listener.name.into();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!("a request handler failed, its connection is closed: {error}");
                    node.failed_requests.fetch_add(1, Ordering::Relaxed);
                }
                continue;
            }
            accepted = arrivals.next() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(%peer, "refused a connection: {most} are open");
            continue;
        };
        let id = NEXT_CONNECTION.fetch_add(1, Ordering::Relaxed);
        let name = Arc::clone(&listener_name);
        let session = Session::new(peer, id, listener.kind, name, listener.protocol);
        let open = Open::new(Arc::clone(&node), id, (peer, listener.kind));
        let stop = stop.clone();
        connections.spawn(async move {
            connection::serve(Arc::clone(&open.node), session, stream, stop).await;
            drop((open, place));
        });
    }
    arrivals.close().await;
    while connections.join_next().await.is_some() {}
}

/// Keeps a connection in the node's list for as long as it is served, also when serving it panics.
struct Open {
    node: Arc<Node>,
    id: u64,
    kind: ListenerKind,
}

impl Open {
    fn new(node: Arc<Node>, id: u64, (peer, kind): (SocketAddr, ListenerKind)) -> Self {
        node.connections.opened(id, peer);
        Open { node, id, kind }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.node.connections.closed(self.id);
        let controller = self.node.controller.as_ref();
        if let Some(controller) = controller.filter(|_| self.kind == ListenerKind::Controller) {
            controller.connection_closed(self.id);
        }
    }
}
