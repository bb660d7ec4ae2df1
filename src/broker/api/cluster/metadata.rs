//! Metadata: brokers, topics, leaders; and topics made on first use.

use crate::broker::api::admin::create_topics::TopicMaker;
use crate::broker::api::parts::{Config, Metadata};
use crate::broker::api::{Refuse, RequestContext, text};
use crate::broker::controller::{NewTopic, check_topic_name};
use crate::broker::metadata::{MetadataImage, PartitionImage, TopicImage};
use crate::broker::replication::is_internal;
use crate::broker::security::{Authorizer, ResourceType};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse, TopicName};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// From this version on topics may be asked for by id; before, a request that tries is refused.
const BY_ID: i16 = 12;
/// From this version on a leader that does not listen where the client asks is told from one that is not there.
const TELLS_LISTENERS: i16 = 6;

/// What a request asks for.
enum Wanted {
    /// Every topic.
    All,
    /// These, by name.
    Names(BTreeSet<String>),
    /// These, by id. As in Kafka, one id in a request is enough for its names to count for nothing.
    Ids(BTreeSet<Uuid>),
}

/// What an answer is made from.
struct Asked<'a> {
    image: &'a MetadataImage,
    listener: &'a str,
    version: i16,
    /// The operations to tell of each topic.
    operations: i32,
}

/// Answers from this broker's image of the metadata.
pub async fn handle(
    (metadata, config, authorizer, maker): (Metadata, Config, Arc<Authorizer>, TopicMaker),
    ctx: RequestContext,
    request: MetadataRequest,
) -> MetadataResponse {
    if ctx.api_version < BY_ID && !has_names_only(&request) {
        return request.refused(ctx.api_version, ResponseError::InvalidRequest);
    }
    let create = request.allow_auto_topic_creation && config.flag("auto.create.topics.enable");
    let wanted = wanted_topics(&ctx, request.topics);
    if let (true, Wanted::Names(names)) = (create, &wanted) {
        create_missing(&maker, &metadata.load_full(), &ctx, names).await;
    }
    let image = metadata.load_full();
    let asked = Asked {
        image: &image,
        listener: ctx.session.listener_name(),
        version: ctx.api_version,
        operations: authorizer.operations(
            &ctx.session,
            ResourceType::Topic,
            request.include_topic_authorized_operations,
        ),
    };
    let brokers = image.brokers.values().filter(|broker| !broker.fenced);
    let brokers = brokers.filter_map(|broker| {
        let endpoint = broker.endpoint(ctx.session.listener_name())?;
        let told = MetadataResponseBroker::default()
            .with_node_id(BrokerId(broker.id))
            .with_host(text(endpoint.host.as_str()))
            .with_port(i32::from(endpoint.port))
            .with_rack(broker.rack.as_deref().map(text));
        Some(told)
    });
    MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_cluster_id(Some(text(image.cluster_id.as_str())))
        .with_controller_id(BrokerId(controller_for_clients(&image)))
        .with_topics(topics(&asked, &wanted))
        .with_cluster_authorized_operations(authorizer.operations(
            &ctx.session,
            ResourceType::Cluster,
            request.include_cluster_authorized_operations,
        ))
}

fn has_names_only(request: &MetadataRequest) -> bool {
    let mut topics = request.topics.iter().flatten();
    topics.all(|topic| topic.name.is_some() && topic.topic_id.is_nil())
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

/// The topics asked for. Version 0 asks for all with an empty list, later ones with null.
fn wanted_topics(ctx: &RequestContext, topics: Option<Vec<MetadataRequestTopic>>) -> Wanted {
    let Some(topics) = topics.filter(|topics| ctx.api_version > 0 || !topics.is_empty()) else {
        return Wanted::All;
    };
    let ids: BTreeSet<Uuid> = topics.iter().map(|topic| topic.topic_id).collect();
    let ids: BTreeSet<Uuid> = ids.into_iter().filter(|id| !id.is_nil()).collect();
    if !ids.is_empty() {
        return Wanted::Ids(ids);
    }
    let names = topics.into_iter().map(|topic| topic.name.unwrap_or_default());
    Wanted::Names(names.map(|name| name.to_string()).collect())
}

fn topics(asked: &Asked<'_>, wanted: &Wanted) -> Vec<MetadataResponseTopic> {
    let image = asked.image;
    match wanted {
        Wanted::All => image
            .topics
            .values()
            .map(|topic| described(asked, topic))
            .collect(),
        Wanted::Names(names) => names.iter().map(|name| by_name(asked, name)).collect(),
        Wanted::Ids(ids) => {
            let unknown = ids.iter().filter(|id| image.topic_by_id(**id).is_none());
            let unknown = unknown.map(|id| {
                MetadataResponseTopic::default()
                    .with_error_code(ResponseError::UnknownTopicId.code())
                    .with_topic_id(*id)
                    .with_name(None)
            });
            let known = ids.iter().filter_map(|id| image.topic_by_id(*id));
            unknown
                .chain(known.map(|topic| described(asked, topic)))
                .collect()
        }
    }
}

async fn create_missing(
    maker: &TopicMaker,
    image: &MetadataImage,
    ctx: &RequestContext,
    wanted: &BTreeSet<String>,
) {
    let missing = |name: &&String| !image.topics.contains_key(*name) && check_topic_name(name).is_ok();
    let topics: Vec<NewTopic> = wanted
        .iter()
        .filter(missing)
        .map(|name| new_topic(maker, name.clone()))
        .collect();
    if !topics.is_empty() {
        maker.make(ctx, topics).await;
    }
}

/// A topic as it is made on first use; the broker's own topics have settings of their own.
fn new_topic(maker: &TopicMaker, name: String) -> NewTopic {
    if is_internal(&name) {
        return maker.internal(&name);
    }
    NewTopic {
        name,
        partitions: -1,
        replication_factor: -1,
        ..NewTopic::default()
    }
}

fn by_name(asked: &Asked<'_>, name: &str) -> MetadataResponseTopic {
    if let Some(topic) = asked.image.topics.get(name) {
        return described(asked, topic);
    }
    let error = match check_topic_name(name) {
        Ok(()) => ResponseError::UnknownTopicOrPartition,
        Err(_) => ResponseError::InvalidTopicException,
    };
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(TopicName(text(name))))
        .with_is_internal(is_internal(name))
        .with_topic_authorized_operations(asked.operations)
}

fn described(asked: &Asked<'_>, topic: &TopicImage) -> MetadataResponseTopic {
    let partitions = (0..).zip(&topic.partitions);
    let partitions = partitions.map(|(index, partition)| {
        let row = described_partition(asked.image, asked.listener, index, partition);
        match ResponseError::try_from_code(row.error_code) {
            Some(ResponseError::ListenerNotFound) if asked.version < TELLS_LISTENERS => {
                row.with_error_code(ResponseError::LeaderNotAvailable.code())
            }
            _ => row,
        }
    });
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(topic.name.as_str()))))
        .with_topic_id(topic.id)
        .with_is_internal(is_internal(&topic.name))
        .with_partitions(partitions.collect())
        .with_topic_authorized_operations(asked.operations)
}

/// A partition as Metadata and DescribeTopicPartitions show it to those who ask on that listener.
pub(super) fn described_partition(
    image: &MetadataImage,
    listener: &str,
    index: i32,
    partition: &PartitionImage,
) -> MetadataResponsePartition {
    let leader = image.brokers.get(&partition.leader);
    let (leader, error) = match leader.map(|leader| leader.endpoint(listener)) {
        None => (-1, ResponseError::LeaderNotAvailable.code()),
        Some(None) => (-1, ResponseError::ListenerNotFound.code()),
        Some(Some(_)) => (partition.leader, 0),
    };
    MetadataResponsePartition::default()
        .with_error_code(error)
        .with_partition_index(index)
        .with_leader_id(BrokerId(leader))
        .with_leader_epoch(partition.leader_epoch)
        .with_replica_nodes(broker_ids(&partition.replicas))
        .with_isr_nodes(broker_ids(&partition.isr))
        .with_offline_replicas(broker_ids(&offline(image, partition)))
}

pub(super) fn broker_ids(ids: &[i32]) -> Vec<BrokerId> {
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

impl Refuse for MetadataRequest {
    fn refused(&self, version: i16, error: ResponseError) -> MetadataResponse {
        let topics = self.topics.iter().flatten().map(|topic| {
            MetadataResponseTopic::default()
                .with_error_code(error.code())
                // Before, there is no null.
                .with_name(
                    topic
                        .name
                        .clone()
                        .or_else(|| (version < BY_ID).then(TopicName::default)),
                )
                .with_topic_id(topic.topic_id)
        });
        MetadataResponse::default()
            .with_controller_id(BrokerId(-1))
            .with_topics(topics.collect())
            .with_error_code(error.code())
    }
}
