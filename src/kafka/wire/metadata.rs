//! Brokers, topics and leaders: Metadata of everything there is.

use super::{To, Wire, port};
use crate::kafka::errors::Answer;
use crate::kafka::types::{Broker, ClusterMetadata, PartitionDescription, TopicMetadata};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest};

impl Wire {
    /// Brokers and all topics, each in order.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn metadata(&mut self) -> Answer<ClusterMetadata> {
        let everything = MetadataRequest::default()
            .with_topics(None)
            .with_allow_auto_topic_creation(false);
        let answer = self.ask(To::Any, &everything)?;
        let mut brokers: Vec<Broker> = answer.brokers.into_iter().map(broker_of).collect();
        brokers.sort_by_key(|broker| broker.id);
        let gone = ResponseError::UnknownTopicOrPartition.code();
        let mut topics: Vec<TopicMetadata> = answer
            .topics
            .into_iter()
            .filter(|topic| topic.error_code != gone)
            .map(topic_of)
            .collect();
        topics.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(ClusterMetadata { brokers, topics })
    }
}

/// A broker as Metadata tells it.
pub(super) fn broker_of(told: MetadataResponseBroker) -> Broker {
    Broker {
        id: told.node_id.0,
        host: told.host.to_string(),
        port: port(told.port),
        rack: told.rack.map(|rack| rack.to_string()),
    }
}

fn topic_of(told: MetadataResponseTopic) -> TopicMetadata {
    let mut partitions: Vec<PartitionDescription> = told.partitions.into_iter().map(partition_of).collect();
    partitions.sort_by_key(|partition| partition.partition);
    TopicMetadata {
        name: told.name.map(|name| name.to_string()).unwrap_or_default(),
        partitions,
    }
}

fn partition_of(told: MetadataResponsePartition) -> PartitionDescription {
    let ids = |nodes: Vec<BrokerId>| nodes.into_iter().map(|node| node.0).collect();
    PartitionDescription {
        partition: told.partition_index,
        leader: Some(told.leader_id.0).filter(|leader| *leader >= 0),
        replicas: ids(told.replica_nodes),
        isr: ids(told.isr_nodes),
    }
}
