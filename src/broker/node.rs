//! What a node is to those who serve for it: its settings, its surroundings, and its parts.

use super::config::NodeConfig;
use super::controller::Controller;
use super::error::Unsupported;
use super::groups::GroupCoordinator;
use super::memory::MemoryPool;
use super::metadata::MetadataImage;
use super::peer::Peer;
use super::peers::Peers;
use super::producer_ids::ProducerIds;
use super::records::metadata::EndPoint;
use super::replication::ReplicaManager;
use super::security::Authorizer;
use super::to_controller::ToController;
use super::transactions::TransactionCoordinator;
use super::world::{World, watch};
use crate::clock::Clock;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use uuid::Uuid;

/// What every request handler may use. One per node, shared by all connections.
pub struct Node {
    /// Settings of this node.
    pub config: NodeConfig,
    /// Its surroundings.
    pub world: World,
    /// The one clock: that of the world.
    pub clock: Clock,
    /// Id of the cluster.
    pub cluster_id: String,
    /// Id of the log directory (KIP-858).
    pub directory_id: Uuid,
    /// Where clients are told to connect, with the ports that were bound.
    pub advertised: Vec<EndPoint>,
    /// The newest metadata this broker has applied.
    pub metadata: Arc<ArcSwap<MetadataImage>>,
    /// Offset of the newest metadata that has been applied to everything; changes wake the receivers.
    pub applied_offset: watch::Sender<i64>,
    /// The newest metadata that all who follow them have been handed, held while they are handed more.
    pub(super) handed_on: parking_lot::Mutex<Option<Arc<MetadataImage>>>,
    /// Epoch of this broker's registration, -1 before it.
    pub broker_epoch: AtomicI64,
    /// Epoch of its registration before this start, if it had stopped cleanly since; else -1 (KIP-966).
    pub previous_broker_epoch: i64,
    /// The controller, if this node is it.
    pub controller: Option<Arc<Controller>>,
    /// The way to the controller for requests that this broker forwards.
    pub to_controller: ToController,
    /// The partitions kept here.
    pub replicas: Arc<ReplicaManager>,
    /// The groups coordinated here.
    pub groups: Arc<GroupCoordinator>,
    /// The transactions coordinated here.
    pub transactions: Arc<TransactionCoordinator>,
    /// The ways to other brokers that coordinate transactions.
    pub coordinators: Peers,
    /// Says who may do what.
    pub authorizer: Authorizer,
    /// Ids for idempotent producers.
    pub producer_ids: ProducerIds,
    /// Memory of the requests being received.
    pub request_memory: MemoryPool,
    /// Memory of the records in answers that their peers have not taken yet.
    pub response_memory: MemoryPool,
    /// Requests whose handler panicked: mistakes of ours, which the tests count.
    pub failed_requests: AtomicU64,
    /// Why this node cannot go on.
    pub(super) failure: watch::Sender<Option<Unsupported>>,
    /// The connections that are open, by id, and who is at their other ends.
    pub connections: Arc<parking_lot::Mutex<BTreeMap<u64, SocketAddr>>>,
}

impl Node {
    /// Waits until this broker has applied the metadata log up to `offset`.
    pub async fn await_metadata(&self, offset: i64) {
        // The sender lives in the node.
        let _ = self
            .applied_offset
            .subscribe()
            .wait_for(|applied| *applied >= offset)
            .await;
    }

    /// A connection to another broker, for a purpose that is a part of its client id; `None` while that broker is not known.
    pub fn peer(&self, broker: i32, purpose: &str) -> Option<Peer> {
        let image = self.metadata.load();
        let endpoint = image.brokers.get(&broker)?;
        let endpoint = endpoint.endpoint(&self.config.inter_broker_listener_name())?;
        let name = format!("broker-{}-{purpose}", self.config.node_id);
        Some(Peer::new(
            self.world.net(),
            &endpoint.host,
            endpoint.port,
            name,
            self.config.longest_answer(),
        ))
    }

    /// Notes that this node cannot go on: the metadata holds what it does not act on.
    pub fn fail(&self, why: Unsupported) {
        tracing::error!("{why}");
        self.failure.send_replace(Some(why));
    }

    /// Waits until that is so.
    pub(super) async fn failed(&self) -> Unsupported {
        let mut failure = self.failure.subscribe();
        // The sender lives in the node.
        let why = failure
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|why| why.clone());
        match why {
            Some(why) => why,
            None => std::future::pending().await,
        }
    }
}
