//! A node of the cluster: its roles, listener, log directory and the parts that serve them.

use super::config::NodeConfig;
use super::groups::GroupCoordinator;
use super::metadata::MetadataImage;
use super::replication::ReplicaManager;
use crate::clock::Clock;
use arc_swap::ArcSwap;
use std::sync::Arc;

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
}
