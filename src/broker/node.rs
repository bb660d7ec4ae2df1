//! What a node is to those who serve for it: its settings, its surroundings, and its parts.

use super::config::NodeConfig;
use super::connections::Connections;
use super::controller::Controller;
use super::error::Unsupported;
use super::groups::GroupCoordinator;
use super::markers::MarkerWriter;
use super::memory::MemoryPool;
use super::metadata::{AppliedMetadata, MetadataImage};
use super::peers::Brokers;
use super::producer_ids::ProducerIds;
use super::records::metadata::EndPoint;
use super::replication::{Partitions, ReplicaManager};
use super::security::Authorizer;
use super::to_controller::ToController;
use super::transactions::TransactionCoordinator;
use super::verification::Verifier;
use super::world::{World, watch};
use crate::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use uuid::Uuid;

/// A node's parts. One per node, shared by its tasks and connections; what answers a request is given no more of them than it
/// uses (`api/doors.rs`).
pub struct Node {
    /// Settings of this node.
    pub config: Arc<NodeConfig>,
    /// Its surroundings.
    pub(super) world: World,
    /// The one clock: that of the world.
    pub(super) clock: Clock,
    /// Id of the cluster.
    pub cluster_id: String,
    /// Id of the log directory (KIP-858).
    pub(super) directory_id: Uuid,
    /// Where clients are told to connect, with the ports that were bound.
    pub advertised: Vec<EndPoint>,
    /// The newest metadata, and how far it has been applied.
    pub metadata: Arc<AppliedMetadata>,
    /// The newest metadata that all who follow them have been handed, held while they are handed more.
    pub(super) handed_on: parking_lot::Mutex<Option<Arc<MetadataImage>>>,
    /// Epoch of this broker's registration, -1 before it.
    pub broker_epoch: Arc<AtomicI64>,
    /// Epoch of its registration before this start, if it had stopped cleanly since; else -1 (KIP-966).
    pub(super) previous_broker_epoch: i64,
    /// The controller, if this node is it.
    pub controller: Option<Arc<Controller>>,
    /// The way to the controller for requests that this broker forwards.
    pub(super) to_controller: Arc<ToController>,
    /// The way to other brokers.
    pub(super) brokers: Brokers,
    /// The partitions kept here.
    pub replicas: Arc<ReplicaManager>,
    /// Those that are led here, and where the others are.
    pub(super) partitions: Partitions,
    /// The groups coordinated here.
    pub(super) groups: Arc<GroupCoordinator>,
    /// The transactions coordinated here.
    pub transactions: Arc<TransactionCoordinator>,
    /// Asks the coordinators of transactions.
    pub(super) verifier: Arc<Verifier>,
    /// Ends transactions in the partitions that are led here.
    pub(super) markers: MarkerWriter,
    /// Says who may do what.
    pub(super) authorizer: Arc<Authorizer>,
    /// Ids for idempotent producers.
    pub(super) producer_ids: Arc<ProducerIds>,
    /// Memory of the requests being received.
    pub request_memory: MemoryPool,
    /// Memory of the records in answers that their peers have not taken yet.
    pub(super) response_memory: MemoryPool,
    /// Requests whose handler panicked: mistakes of ours, which the tests count.
    pub(super) failed_requests: AtomicU64,
    /// Why this node cannot go on.
    pub(super) failure: watch::Sender<Option<Unsupported>>,
    /// The connections that are open, and who is at their other ends.
    pub connections: Connections,
}

impl Node {
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
