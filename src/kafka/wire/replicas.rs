//! Which brokers hold the replicas of a topic's partitions: Metadata, of the topics asked for and no others.

use super::{To, Wire, check, text};
use crate::kafka::errors::Answer;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, TopicName};
use std::collections::BTreeMap;

/// The replicas of each partition of a topic, by partition.
pub type Replicas = BTreeMap<i32, Vec<i32>>;

impl Wire {
    /// The replicas of topics; a topic that is not there has an error of its own.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn replicas(&mut self, topics: &[&str]) -> Answer<Vec<(String, Answer<Replicas>)>> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let asked = topics
            .iter()
            .map(|name| MetadataRequestTopic::default().with_name(Some(TopicName(text(name)))));
        let request = MetadataRequest::default()
            .with_topics(Some(asked.collect()))
            .with_allow_auto_topic_creation(false);
        let answer = self.ask(To::Any, &request)?;
        let topics = answer.topics.into_iter().map(|topic| {
            let name = topic.name.map(|name| name.to_string()).unwrap_or_default();
            let replicas = check(topic.error_code, None).map(|()| {
                let partitions = topic.partitions.into_iter();
                partitions
                    .map(|partition| {
                        let ids = partition.replica_nodes.into_iter().map(|broker| broker.0);
                        (partition.partition_index, ids.collect())
                    })
                    .collect()
            });
            (name, replicas)
        });
        Ok(topics.collect())
    }
}
