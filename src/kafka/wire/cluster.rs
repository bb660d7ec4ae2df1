//! The cluster and its nodes: DescribeCluster (KIP-700, KIP-919, KIP-1073), UnregisterBroker (KIP-185),
//! UnregisterController.

use super::{Endpoint, To, Wire, check, port};
use crate::kafka::errors::Answer;
use crate::kafka::types::Broker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, UnregisterBrokerRequest};

/// The key of UnregisterController, which came with Kafka 4.4 and which the codec does not have: what is asked and
/// answered is as of UnregisterBroker, with the id of a controller.
pub(super) const UNREGISTER_CONTROLLER: i16 = 94;

/// A cluster's id and nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterEndpoints {
    /// The id that was made when its storage was formatted.
    pub cluster_id: String,
    /// The active controller; where brokers were asked, the broker that stands for it.
    pub controller: i32,
    /// Brokers, or controllers where those were asked, in the cluster's order.
    pub nodes: Vec<ClusterNode>,
}

/// A node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterNode {
    /// Its id and address.
    pub node: Broker,
    /// Whether it may not serve clients now: it is stopped, or not yet up to date.
    pub is_fenced: bool,
}

impl Wire {
    /// The cluster's id and nodes; fenced brokers only with `include_fenced`.
    ///
    /// # Errors
    /// When the cluster does not answer, refuses, or is too old to tell fenced brokers.
    pub fn describe_cluster(&mut self, include_fenced: bool) -> Answer<ClusterEndpoints> {
        // A request of version 0 asks brokers, and has no field to say so.
        let request = DescribeClusterRequest::default()
            .with_endpoint_type(self.endpoint as i8)
            .with_include_fenced_brokers(include_fenced);
        let answer = self.ask(To::Any, &request)?;
        check(answer.error_code, answer.error_message)?;
        let nodes = answer.brokers.into_iter().map(|told| ClusterNode {
            node: Broker {
                id: told.broker_id.0,
                host: told.host.to_string(),
                port: port(told.port),
                rack: told.rack.map(|rack| rack.to_string()),
            },
            is_fenced: told.is_fenced,
        });
        Ok(ClusterEndpoints {
            cluster_id: answer.cluster_id.to_string(),
            controller: answer.controller_id.0,
            nodes: nodes.collect(),
        })
    }

    /// Has the cluster forget a broker that will not come back.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub fn unregister_broker(&mut self, id: i32) -> Answer {
        let request = UnregisterBrokerRequest::default().with_broker_id(BrokerId(id));
        let answer = self.ask(To::Controller, &request)?;
        check(answer.error_code, answer.error_message)
    }

    /// Has the cluster forget a controller that will not come back.
    ///
    /// # Errors
    /// When the cluster does not answer, refuses, or is older than Kafka 4.4.
    pub fn unregister_controller(&mut self, id: i32) -> Answer {
        let request = UnregisterBrokerRequest::default().with_broker_id(BrokerId(id));
        let channel = self.channel(To::Controller)?;
        let answer = channel.ask_under(UNREGISTER_CONTROLLER, &request)?;
        check(answer.error_code, answer.error_message)
    }

    /// Whether the bootstrap servers are controllers.
    pub fn asks_controllers(&self) -> bool {
        self.endpoint == Endpoint::Controllers
    }
}
