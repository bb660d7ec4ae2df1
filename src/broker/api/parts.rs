//! Short names for those parts of a node that many handlers take.

use crate::broker::config::NodeConfig;
use crate::broker::controller::Controller;
use crate::broker::groups::GroupCoordinator;
use crate::broker::metadata::AppliedMetadata;
use crate::broker::replication::ReplicaManager;
use crate::broker::transactions::TransactionCoordinator;
use std::sync::Arc;

/// The settings.
pub type Config = Arc<NodeConfig>;
/// The metadata that this broker has.
pub type Metadata = Arc<AppliedMetadata>;
/// The groups coordinated here.
pub type Groups = Arc<GroupCoordinator>;
/// The transactions coordinated here.
pub type Transactions = Arc<TransactionCoordinator>;
/// The replicas kept here.
pub type Replicas = Arc<ReplicaManager>;
/// The controller, if this node is it.
pub type LocalController = Option<Arc<Controller>>;
