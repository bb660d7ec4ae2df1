//! A node of the cluster: its roles, listener, log directory and the parts that serve them.

use super::api::ListenerKind;
use super::config::{Listener, NodeConfig};
use super::error::{BrokerError, Result};
use super::groups::{GroupConfig, GroupCoordinator};
use super::log::LogConfig;
use super::memory::MemoryPool;
use super::metadata::MetadataImage;
use super::replication::{ReplicaManager, ReplicaSettings};
use super::server;
use crate::clock::Clock;
use arc_swap::ArcSwap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What every request handler may use. One per node, shared by all connections.
pub struct Node {
    /// Settings of this node.
    pub config: NodeConfig,
    /// The one clock.
    pub clock: Clock,
    /// The newest metadata this broker has applied.
    pub metadata: Arc<ArcSwap<MetadataImage>>,
    /// The partitions kept here.
    pub replicas: Arc<ReplicaManager>,
    /// The groups coordinated here.
    pub groups: Arc<GroupCoordinator>,
    /// Memory of the requests being received.
    pub request_memory: MemoryPool,
}

/// A node that serves. Dropping it without [`RunningNode::shutdown`] stops it as a crash would.
pub struct RunningNode {
    node: Arc<Node>,
    listeners: Vec<(Listener, SocketAddr)>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Node {
    /// Starts a node; it serves when this returns.
    ///
    /// # Errors
    /// [`BrokerError::Config`] for settings it cannot run with, [`BrokerError::Io`] when the log directory or an
    /// address cannot be used.
    pub async fn start(config: NodeConfig, clock: Clock) -> Result<RunningNode> {
        let mut bound = Vec::new();
        for listener in &config.listeners {
            bound.push((listener.clone(), bind(listener).await?));
        }
        let replicas = Arc::new(ReplicaManager::new(ReplicaSettings {
            node_id: config.node_id,
            log_dir: config.log_dir.clone(),
            retention_check_interval: config.millis("log.retention.check.interval.ms"),
            clock: clock.clone(),
            topic_configs: Box::new(|_, _| LogConfig::default()),
        }));
        let groups = Arc::new(GroupCoordinator::new(
            GroupConfig::from_properties(&config.properties)?,
            config.node_id,
            clock.clone(),
            Arc::clone(&replicas),
        ));
        groups.start();
        let node = Arc::new(Node {
            request_memory: MemoryPool::new(config.request_memory()),
            config,
            clock,
            metadata: Arc::default(),
            replicas,
            groups,
        });
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        let mut listeners = Vec::new();
        for (listener, socket) in bound {
            let address = socket
                .local_addr()
                .map_err(BrokerError::io(listener.host.as_str()))?;
            tasks.spawn(server::serve(
                Arc::clone(&node),
                socket,
                listener.kind,
                stop.subscribe(),
            ));
            listeners.push((listener, address));
        }
        Ok(RunningNode {
            node,
            listeners,
            stop,
            tasks,
        })
    }
}

impl RunningNode {
    /// The address bound for clients; the controller's own on a node that is no broker.
    pub fn address(&self) -> SocketAddr {
        let first = |kind| self.listeners.iter().find(|(listener, _)| listener.kind == kind);
        first(ListenerKind::Broker)
            .or_else(|| first(ListenerKind::Controller))
            .map_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)), |(_, address)| *address)
    }

    /// The address bound for talking to the controller, if this node is one.
    pub fn controller_address(&self) -> Option<SocketAddr> {
        self.listeners
            .iter()
            .find(|(listener, _)| listener.kind == ListenerKind::Controller)
            .map(|(_, address)| *address)
    }

    /// What the handlers see.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Stops as a crash would: nothing is handed over, flushed or closed. Returns when nothing runs any more.
    pub async fn kill(mut self) {
        self.tasks.shutdown().await;
    }

    /// Stops cleanly: hands leadership over, ends the connections, closes the logs.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn bind(listener: &Listener) -> Result<TcpListener> {
    TcpListener::bind((listener.host.as_str(), listener.port))
        .await
        .map_err(BrokerError::io(format!("{}:{}", listener.host, listener.port)))
}
