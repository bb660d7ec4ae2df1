//! DescribeTopicPartitions: topics page by page (KIP-966).

use super::metadata;
use crate::broker::api::parts::Metadata;
use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::controller::check_topic_name;
use crate::broker::metadata::{MetadataImage, PartitionImage, TopicImage};
use crate::broker::replication::is_internal;
use crate::broker::security::{Authorizer, ResourceType};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName};
use std::collections::BTreeSet;
use std::sync::Arc;

/// `max.request.partition.size.limit` of Kafka: the most partitions in one answer.
const MOST_PARTITIONS: usize = 2000;

/// Describes topics from the cursor on, in the order of names.
pub async fn handle(
    (metadata, authorizer): (Metadata, Arc<Authorizer>),
    ctx: RequestContext,
    request: DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let image = metadata.load_full();
    let names: BTreeSet<String> = if request.topics.is_empty() {
        image.topics.keys().cloned().collect()
    } else {
        request
            .topics
            .iter()
            .map(|topic| topic.name.to_string())
            .collect()
    };
    if let Some(cursor) = &request.cursor
        && (cursor.partition_index < 0
            || !request.topics.is_empty() && !names.contains(cursor.topic_name.as_str()))
    {
        return refused(&names, ResponseError::InvalidRequest);
    }
    let (first_topic, first_partition) = request.cursor.map_or_else(
        || (String::new(), 0),
        |cursor| (cursor.topic_name.to_string(), cursor.partition_index),
    );
    let mut left = usize::try_from(request.response_partition_limit)
        .unwrap_or(0)
        .clamp(1, MOST_PARTITIONS);
    let operations = authorizer.operations(&ctx.session, ResourceType::Topic, true);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names.range(first_topic.clone()..) {
        let from = if *name == first_topic { first_partition } else { 0 };
        let from = usize::try_from(from).unwrap_or(0);
        let Some(topic) = image.topics.get(name) else {
            response
                .topics
                .push(unknown(name).with_topic_authorized_operations(operations));
            continue;
        };
        if left == 0 && topic.partitions.len() > from {
            response.next_cursor = Some(cursor(name, from));
            break;
        }
        let shown = topic.partitions.len().saturating_sub(from).min(left);
        let described = described(&image, &ctx, topic, from, shown);
        response
            .topics
            .push(described.with_topic_authorized_operations(operations));
        left -= shown;
        if from + shown < topic.partitions.len() {
            response.next_cursor = Some(cursor(name, from + shown));
            break;
        }
    }
    response
}

fn cursor(name: &str, partition: usize) -> Cursor {
    Cursor::default()
        .with_topic_name(TopicName(text(name)))
        .with_partition_index(i32::try_from(partition).unwrap_or(i32::MAX))
}

/// Every topic is refused; what a cursor gets that names no partition, or a topic that was not asked for.
fn refused(names: &BTreeSet<String>, error: ResponseError) -> DescribeTopicPartitionsResponse {
    let topics = names.iter().map(|name| {
        DescribeTopicPartitionsResponseTopic::default()
            .with_error_code(error.code())
            .with_name(Some(TopicName(text(name))))
    });
    DescribeTopicPartitionsResponse::default().with_topics(topics.collect())
}

fn unknown(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let error = match check_topic_name(name) {
        Ok(()) => ResponseError::UnknownTopicOrPartition,
        Err(_) => ResponseError::InvalidTopicException,
    };
    DescribeTopicPartitionsResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(TopicName(text(name))))
        .with_is_internal(is_internal(name))
}

fn described(
    image: &MetadataImage,
    ctx: &RequestContext,
    topic: &TopicImage,
    from: usize,
    count: usize,
) -> DescribeTopicPartitionsResponseTopic {
    let partitions = (0..).zip(&topic.partitions).skip(from).take(count);
    let listener = ctx.session.listener_name();
    let partitions =
        partitions.map(|(index, partition)| described_partition(image, listener, index, partition));
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(TopicName(text(topic.name.as_str()))))
        .with_topic_id(topic.id)
        .with_is_internal(is_internal(&topic.name))
        .with_partitions(partitions.collect())
}

fn described_partition(
    image: &MetadataImage,
    listener: &str,
    index: i32,
    partition: &PartitionImage,
) -> DescribeTopicPartitionsResponsePartition {
    let row = metadata::described_partition(image, listener, index, partition);
    DescribeTopicPartitionsResponsePartition::default()
        .with_error_code(row.error_code)
        .with_partition_index(row.partition_index)
        .with_leader_id(row.leader_id)
        .with_leader_epoch(row.leader_epoch)
        .with_replica_nodes(row.replica_nodes)
        .with_isr_nodes(row.isr_nodes)
        .with_eligible_leader_replicas(Some(metadata::broker_ids(&partition.eligible)))
        .with_last_known_elr(Some(metadata::broker_ids(&partition.last_eligible)))
        .with_offline_replicas(row.offline_replicas)
}

impl Refuse for DescribeTopicPartitionsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DescribeTopicPartitionsResponse {
        let names: BTreeSet<String> = self.topics.iter().map(|topic| topic.name.to_string()).collect();
        refused(&names, error)
    }
}
