//! Which partition a data request is about, whether this broker leads it, and who does if not.

use super::{Leadership, Partition, ReplicaManager};
use crate::broker::metadata::AppliedMetadata;
use kafka_protocol::ResponseError;
use std::sync::Arc;
use uuid::Uuid;

/// Internal topics that clients may not write to (only the broker itself does).
const INTERNAL_TOPICS: &[&str] = &["__consumer_offsets", "__transaction_state"];

/// Whether the topic is one of the broker's own.
pub fn is_internal(topic: &str) -> bool {
    INTERNAL_TOPICS.contains(&topic)
}

/// The partitions that this broker leads, and what its metadata says of the others. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Partitions {
    replicas: Arc<ReplicaManager>,
    metadata: Arc<AppliedMetadata>,
}

impl Partitions {
    /// Those kept by `replicas`, of a broker that knows `metadata`.
    pub fn new(replicas: Arc<ReplicaManager>, metadata: Arc<AppliedMetadata>) -> Self {
        Partitions { replicas, metadata }
    }

    /// The replicas kept here.
    pub fn replicas(&self) -> &Arc<ReplicaManager> {
        &self.replicas
    }

    /// The partition by topic name, if this broker leads it.
    ///
    /// # Errors
    /// `UNKNOWN_TOPIC_OR_PARTITION`, `NOT_LEADER_OR_FOLLOWER`, `KAFKA_STORAGE_ERROR`.
    pub fn led_by_name(
        &self,
        topic: &str,
        index: i32,
    ) -> Result<(Arc<Partition>, Leadership), ResponseError> {
        match self.replicas.partition(topic, index) {
            Some(partition) => with_leadership(partition),
            None => {
                let image = self.metadata.load();
                let id = image.topics.get(topic).map(|topic| topic.id);
                let known = image.partition(topic, index).is_some();
                Err(self.absence(
                    id.filter(|_| known),
                    index,
                    ResponseError::UnknownTopicOrPartition,
                ))
            }
        }
    }

    /// The partition by topic id, if this broker leads it.
    ///
    /// # Errors
    /// `UNKNOWN_TOPIC_ID`, `UNKNOWN_TOPIC_OR_PARTITION`, `NOT_LEADER_OR_FOLLOWER`, `KAFKA_STORAGE_ERROR`.
    pub fn led_by_id(
        &self,
        topic_id: Uuid,
        index: i32,
    ) -> Result<(Arc<Partition>, Leadership), ResponseError> {
        match self.replicas.partition_by_id(topic_id, index) {
            Some(partition) => with_leadership(partition),
            None => {
                let image = self.metadata.load();
                let Some(topic) = image.topic_by_id(topic_id) else {
                    return Err(ResponseError::UnknownTopicId);
                };
                let known = image.partition(&topic.name, index).map(|_| topic_id);
                Err(self.absence(known, index, ResponseError::UnknownTopicOrPartition))
            }
        }
    }

    /// The topic's name as given, or that of the id if there is none; empty if the id is unknown too.
    pub fn topic_name(&self, name: &str, topic_id: Uuid) -> String {
        if !name.is_empty() {
            return name.to_owned();
        }
        let image = self.metadata.load();
        image.topic_names.get(&topic_id).cloned().unwrap_or_default()
    }

    /// The leader's id and epoch that a client is told together with `NOT_LEADER_OR_FOLLOWER`; (-1, -1) if unknown.
    pub fn current_leader(&self, topic: &str, index: i32) -> (i32, i32) {
        let image = self.metadata.load();
        image
            .partition(topic, index)
            .map_or((-1, -1), |partition| (partition.leader, partition.leader_epoch))
    }

    /// Host, port and rack of a broker that a client is sent to (KIP-951), who came by the listener of that name.
    pub fn endpoint(&self, broker: i32, listener: &str) -> Option<(String, i32, Option<String>)> {
        let image = self.metadata.load();
        let broker = image.brokers.get(&broker)?;
        let endpoint = broker.endpoint(listener)?;
        Some((
            endpoint.host.clone(),
            i32::from(endpoint.port),
            broker.rack.clone(),
        ))
    }

    fn absence(&self, known: Option<Uuid>, index: i32, unknown: ResponseError) -> ResponseError {
        match known {
            None => unknown,
            Some(id) if self.replicas.is_offline(id, index) => ResponseError::KafkaStorageError,
            Some(_) => ResponseError::NotLeaderOrFollower,
        }
    }
}

fn with_leadership(partition: Arc<Partition>) -> Result<(Arc<Partition>, Leadership), ResponseError> {
    let leadership = partition.leadership().ok_or(ResponseError::NotLeaderOrFollower)?;
    Ok((partition, leadership))
}
