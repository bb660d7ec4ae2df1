//! Which partition a data request is about, whether this broker leads it, and who does if not.

use crate::broker::node::Node;
use crate::broker::replication::{Leadership, Partition};
use kafka_protocol::ResponseError;
use std::sync::Arc;
use uuid::Uuid;

/// Internal topics that clients may not write to (only the broker itself does).
const INTERNAL_TOPICS: &[&str] = &["__consumer_offsets", "__transaction_state"];

/// Whether the topic is one of the broker's own.
pub fn is_internal(topic: &str) -> bool {
    INTERNAL_TOPICS.contains(&topic)
}

/// The partition by topic name, if this broker leads it.
///
/// # Errors
/// `UNKNOWN_TOPIC_OR_PARTITION`, `NOT_LEADER_OR_FOLLOWER`, `KAFKA_STORAGE_ERROR`.
pub fn led_by_name(
    node: &Node,
    topic: &str,
    index: i32,
) -> Result<(Arc<Partition>, Leadership), ResponseError> {
    match node.replicas.partition(topic, index) {
        Some(partition) => with_leadership(partition),
        None => {
            let image = node.metadata.load();
            let id = image.topics.get(topic).map(|topic| topic.id);
            let known = image.partition(topic, index).is_some();
            Err(absence(
                node,
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
    node: &Node,
    topic_id: Uuid,
    index: i32,
) -> Result<(Arc<Partition>, Leadership), ResponseError> {
    match node.replicas.partition_by_id(topic_id, index) {
        Some(partition) => with_leadership(partition),
        None => {
            let image = node.metadata.load();
            let Some(topic) = image.topic_by_id(topic_id) else {
                return Err(ResponseError::UnknownTopicId);
            };
            let known = image.partition(&topic.name, index).map(|_| topic_id);
            Err(absence(
                node,
                known,
                index,
                ResponseError::UnknownTopicOrPartition,
            ))
        }
    }
}

/// The topic's name as given, or that of the id if there is none; empty if the id is unknown too.
pub fn topic_name(node: &Node, name: &str, topic_id: Uuid) -> String {
    if !name.is_empty() {
        return name.to_owned();
    }
    let image = node.metadata.load();
    image.topic_names.get(&topic_id).cloned().unwrap_or_default()
}

/// The leader's id and epoch that a client is told together with `NOT_LEADER_OR_FOLLOWER`; (-1, -1) if unknown.
pub fn current_leader(node: &Node, topic: &str, index: i32) -> (i32, i32) {
    let image = node.metadata.load();
    image
        .partition(topic, index)
        .map_or((-1, -1), |partition| (partition.leader, partition.leader_epoch))
}

/// Host, port and rack of a broker that a client is sent to (KIP-951), who came by the listener of that name.
pub fn endpoint(node: &Node, broker: i32, listener: &str) -> Option<(String, i32, Option<String>)> {
    let image = node.metadata.load();
    let broker = image.brokers.get(&broker)?;
    let endpoint = broker.endpoint(listener)?;
    Some((
        endpoint.host.clone(),
        i32::from(endpoint.port),
        broker.rack.clone(),
    ))
}

fn with_leadership(partition: Arc<Partition>) -> Result<(Arc<Partition>, Leadership), ResponseError> {
    let leadership = partition.leadership().ok_or(ResponseError::NotLeaderOrFollower)?;
    Ok((partition, leadership))
}

fn absence(node: &Node, known: Option<Uuid>, index: i32, unknown: ResponseError) -> ResponseError {
    match known {
        None => unknown,
        Some(id) if node.replicas.is_offline(id, index) => ResponseError::KafkaStorageError,
        Some(_) => ResponseError::NotLeaderOrFollower,
    }
}
