//! Accepts connections until told to stop.

use super::api::{ListenerKind, Sender};
use super::connection;
use super::node::Node;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

static NEXT_CONNECTION: AtomicU64 = AtomicU64::new(1);

/// Wait after a failed accept (out of file descriptors, for one), so that the failure does not become a busy loop.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Serves `listener` until `stop` turns true, then waits for the connections to end.
pub async fn serve(
    node: Arc<Node>,
    listener: TcpListener,
    kind: ListenerKind,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(node.config.max_connections()));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!("a request handler failed, its connection is closed: {error}");
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, peer): (TcpStream, _) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(%peer, "refused a connection: max.connections are open");
            continue;
        };
        let sender = Sender {
            peer,
            connection_id: NEXT_CONNECTION.fetch_add(1, Ordering::Relaxed),
            listener: kind,
        };
        let (node, stop) = (Arc::clone(&node), stop.clone());
        connections.spawn(async move {
            connection::serve(node, sender, stream, stop).await;
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
