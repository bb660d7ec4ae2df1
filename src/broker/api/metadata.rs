//! Metadata: brokers, topics, leaders; and topics made on first use.

use super::admin::text;
use super::describe_cluster::NO_OPERATIONS;
use super::leaders::is_internal;
use super::{RequestContext, create_topics};
use crate::broker::controller::{NewTopic, check_topic_name};
use crate::broker::metadata::{MetadataImage, PartitionImage, TopicImage};
use crate::broker::node::Node;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse, TopicName};
use std::sync::Arc;
use uuid::Uuid;

/// Answers from this broker's image of the metadata.
pub async fn handle(node: Arc<Node>, ctx: RequestContext, request: MetadataRequest) -> MetadataResponse {
    let wanted = wanted_topics(&ctx, request.topics);
    if request.allow_auto_topic_creation && node.config.flag("auto.create.topics.enable") {
        create_missing(&node, &ctx, wanted.as_deref().unwrap_or_default()).await;
    }
    let image = node.metadata.load_full();
    let topics = match &wanted {
        None => image
            .topics
            .values()
            .map(|topic| described(&image, topic))
            .collect(),
        Some(wanted) => wanted.iter().map(|wanted| answer(&image, wanted)).collect(),
    };
    let brokers = image.brokers.values().filter(|broker| !broker.fenced);
    let brokers = brokers.map(|broker| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(broker.id))
            .with_host(text(broker.host.as_str()))
            .with_port(i32::from(broker.port))
            .with_rack(broker.rack.as_deref().map(text))
    });
    MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_cluster_id(Some(text(node.cluster_id.as_str())))
        .with_controller_id(BrokerId(controller_for_clients(&image)))
        .with_topics(topics)
        .with_cluster_authorized_operations(NO_OPERATIONS)
}

/// The broker that clients send requests for the controller to: any that serves, since all forward. The one that is the
/// controller too comes first, so that nothing is forwarded without need.
pub(super) fn controller_for_clients(image: &MetadataImage) -> i32 {
    let serves = |id: &i32| image.brokers.get(id).is_some_and(|broker| !broker.fenced);
    if serves(&image.controller_id) {
        return image.controller_id;
    }
    image.brokers.keys().copied().find(|id| serves(id)).unwrap_or(-1)
}

/// The topics asked for; `None` for all. Version 0 asks for all with an empty list, later ones with null.
fn wanted_topics(
    ctx: &RequestContext,
    topics: Option<Vec<MetadataRequestTopic>>,
) -> Option<Vec<MetadataRequestTopic>> {
    topics.filter(|topics| ctx.api_version > 0 || !topics.is_empty())
}

async fn create_missing(node: &Arc<Node>, ctx: &RequestContext, wanted: &[MetadataRequestTopic]) {
    let image = node.metadata.load_full();
    let missing = |wanted: &MetadataRequestTopic| {
        let name = wanted.name.as_ref()?.to_string();
        let create = !image.topics.contains_key(&name) && check_topic_name(&name).is_ok();
        create.then(|| new_topic(node, name))
    };
    let topics: Vec<NewTopic> = wanted.iter().filter_map(missing).collect();
    if topics.is_empty() {
        return;
    }
    create_topics::create(node, ctx, topics).await;
}

/// A topic as it is made on first use; the broker's own topics have settings of their own.
fn new_topic(node: &Arc<Node>, name: String) -> NewTopic {
    if is_internal(&name) {
        return create_topics::internal_topic(&node.config, &name);
    }
    NewTopic {
        name,
        partitions: -1,
        replication_factor: -1,
        ..NewTopic::default()
    }
}

fn answer(image: &MetadataImage, wanted: &MetadataRequestTopic) -> MetadataResponseTopic {
    if let Some(name) = &wanted.name {
        if let Some(topic) = image.topics.get(name.as_str()) {
            return described(image, topic);
        }
        let error = match check_topic_name(name) {
            Ok(()) => ResponseError::UnknownTopicOrPartition,
            Err(_) => ResponseError::InvalidTopicException,
        };
        return unknown(error)
            .with_name(Some(name.clone()))
            .with_is_internal(is_internal(name));
    }
    match image.topic_by_id(wanted.topic_id) {
        Some(topic) => described(image, topic),
        None => unknown(ResponseError::UnknownTopicId)
            .with_topic_id(wanted.topic_id)
            .with_name(None),
    }
}

fn unknown(error: ResponseError) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_topic_id(Uuid::nil())
        .with_topic_authorized_operations(NO_OPERATIONS)
}

fn described(image: &MetadataImage, topic: &TopicImage) -> MetadataResponseTopic {
    let partitions = (0..).zip(&topic.partitions);
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(topic.name.as_str()))))
        .with_topic_id(topic.id)
        .with_is_internal(is_internal(&topic.name))
        .with_partitions(
            partitions
                .map(|(index, partition)| described_partition(image, index, partition))
                .collect(),
        )
        .with_topic_authorized_operations(NO_OPERATIONS)
}

/// A partition as Metadata and DescribeTopicPartitions show it.
pub(super) fn described_partition(
    image: &MetadataImage,
    index: i32,
    partition: &PartitionImage,
) -> MetadataResponsePartition {
    let error = match partition.leader {
        -1 => ResponseError::LeaderNotAvailable.code(),
        _ => 0,
    };
    MetadataResponsePartition::default()
        .with_error_code(error)
        .with_partition_index(index)
        .with_leader_id(BrokerId(partition.leader))
        .with_leader_epoch(partition.leader_epoch)
        .with_replica_nodes(broker_ids(&partition.replicas))
        .with_isr_nodes(broker_ids(&partition.isr))
        .with_offline_replicas(broker_ids(&offline(image, partition)))
}

fn broker_ids(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

/// Replicas on brokers that do not serve.
fn offline(image: &MetadataImage, partition: &PartitionImage) -> Vec<i32> {
    let serves = |id: &i32| image.brokers.get(id).is_some_and(|broker| !broker.fenced);
    partition
        .replicas
        .iter()
        .copied()
        .filter(|id| !serves(id))
        .collect()
}
