//! What handlers are given of a node: no more than each uses. This is the one file here that knows the node as a whole.
//!
//! A handler says in its signature what it takes: one door, several as a tuple, or `()`.

use super::admin::create_topics::TopicMaker;
use super::data::fetch_reading::Fetching;
use super::on_controller::OnController;
use crate::broker::config::NodeConfig;
use crate::broker::connections::Connections;
use crate::broker::controller::Controller;
use crate::broker::groups::GroupCoordinator;
use crate::broker::markers::MarkerWriter;
use crate::broker::metadata::AppliedMetadata;
use crate::broker::node::Node;
use crate::broker::producer_ids::ProducerIds;
use crate::broker::replication::{Partitions, ReplicaManager};
use crate::broker::security::Authorizer;
use crate::broker::transactions::TransactionCoordinator;
use crate::broker::verification::Verifier;
use crate::broker::world::World;
use crate::clock::Clock;
use std::sync::Arc;

/// All doors of a node, of which dispatch hands each handler its own. Cloning shares them.
#[derive(Clone)]
pub struct Doors(Arc<Node>);

impl Doors {
    /// Those of a node.
    pub fn of(node: &Arc<Node>) -> Self {
        Doors(Arc::clone(node))
    }

    /// What a handler asks for.
    pub(super) fn give<D: Door>(&self) -> D {
        D::of(&self.0)
    }

    /// Says who may do what.
    pub(super) fn authorizer(&self) -> &Authorizer {
        &self.0.authorizer
    }
}

/// What a handler may take.
pub trait Door {
    /// That of a node.
    fn of(node: &Node) -> Self;
}

/// Doors that are parts of the node as they are.
macro_rules! parts {
    ($($door:ty => $part:ident;)*) => {
        $(impl Door for $door {
            fn of(node: &Node) -> Self {
                node.$part.clone()
            }
        })*
    };
}

parts! {
    Arc<NodeConfig> => config;
    Arc<AppliedMetadata> => metadata;
    Arc<GroupCoordinator> => groups;
    Arc<TransactionCoordinator> => transactions;
    Arc<ReplicaManager> => replicas;
    Option<Arc<Controller>> => controller;
    Arc<Authorizer> => authorizer;
    Arc<ProducerIds> => producer_ids;
    Arc<Verifier> => verifier;
    Partitions => partitions;
    MarkerWriter => markers;
    Connections => connections;
    Clock => clock;
    World => world;
}

impl Door for OnController {
    fn of(node: &Node) -> Self {
        let (controller, to_controller) = (node.controller.clone(), Arc::clone(&node.to_controller));
        OnController::new(
            controller,
            to_controller,
            Arc::clone(&node.metadata),
            Arc::clone(&node.config),
        )
    }
}

impl Door for TopicMaker {
    fn of(node: &Node) -> Self {
        TopicMaker::new(
            OnController::of(node),
            Arc::clone(&node.metadata),
            Arc::clone(&node.config),
        )
    }
}

impl Door for Fetching {
    fn of(node: &Node) -> Self {
        Fetching {
            partitions: node.partitions.clone(),
            memory: node.response_memory.clone(),
            clock: node.clock.clone(),
            config: Arc::clone(&node.config),
        }
    }
}

/// Nothing.
impl Door for () {
    fn of(_node: &Node) -> Self {}
}

impl<A: Door, B: Door> Door for (A, B) {
    fn of(node: &Node) -> Self {
        (A::of(node), B::of(node))
    }
}

impl<A: Door, B: Door, C: Door> Door for (A, B, C) {
    fn of(node: &Node) -> Self {
        (A::of(node), B::of(node), C::of(node))
    }
}

impl<A: Door, B: Door, C: Door, D: Door> Door for (A, B, C, D) {
    fn of(node: &Node) -> Self {
        (A::of(node), B::of(node), C::of(node), D::of(node))
    }
}
