//! Accepts connections until told to stop.

use super::config::{Listener, ListenerKind};
use super::connection;
use super::node::Node;
use super::security::Session;
use super::world::time::sleep;
use super::world::{net, watch};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, unconstrained};

static NEXT_CONNECTION: AtomicU64 = AtomicU64::new(1);

/// Wait after a failed accept (out of file descriptors, for one), so that the failure does not become a busy loop.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves `socket`, bound for `listener`, until `stop` turns true, then waits for the connections to end.
pub async fn serve(
    node: Arc<Node>,
    socket: net::Listener,
    listener: Listener,
    mut stop: watch::Receiver<bool>,
) {
    let most = node.config.max_connections().min(net::most_connections());
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
            // Until nobody waits any more: a turn for those accepted before would let the system's queue run over.
            accepted = unconstrained(socket.accept()) => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(ACCEPT_RETRY).await;
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
    drop(socket);
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
