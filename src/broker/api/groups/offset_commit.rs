//! OffsetCommit: keeps how far a group has read.

use crate::broker::api::parts::{Groups, Metadata};
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::groups::{Commit, Committer, GroupCoordinator};
use crate::broker::metadata::MetadataImage;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use uuid::Uuid;

/// Answers when the commits are on every in-sync replica.
pub async fn handle(
    (groups, metadata): (Groups, Metadata),
    ctx: RequestContext,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let image = metadata.load_full();
    let mut commits = Vec::new();
    let mut topics: Vec<OffsetCommitResponseTopic> = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        topics.push(check_topic(&groups, &image, topic, &mut commits));
    }
    if !commits.is_empty() {
        let from = Committer {
            group_id: &request.group_id,
            member_id: &request.member_id,
            instance_id: request.group_instance_id.as_deref(),
            generation: request.generation_id_or_member_epoch,
            retention_ms: request.retention_time_ms,
            api_version: ctx.api_version,
        };
        if let Err(error) = groups.commit(from, commits).await {
            fail(&mut topics, error);
        }
    }
    OffsetCommitResponse::default().with_topics(topics)
}

/// Gathers what can be committed; what cannot is answered already.
fn check_topic(
    groups: &GroupCoordinator,
    image: &MetadataImage,
    topic: &OffsetCommitRequestTopic,
    commits: &mut Vec<Commit>,
) -> OffsetCommitResponseTopic {
    let known = image.topics.get(topic.name.as_str());
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    for partition in &topic.partitions {
        let exists = image.partition(&topic.name, partition.partition_index).is_some();
        let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
        let code = match known {
            Some(known) if exists && groups.accepts_metadata(metadata) => {
                commits.push(commit_of(topic, known.id, partition));
                0
            }
            Some(_) if exists => ResponseError::OffsetMetadataTooLarge.code(),
            _ => ResponseError::UnknownTopicOrPartition.code(),
        };
        partitions.push(
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code),
        );
    }
    OffsetCommitResponseTopic::default()
        .with_name(topic.name.clone())
        .with_partitions(partitions)
}

fn commit_of(
    topic: &OffsetCommitRequestTopic,
    topic_id: Uuid,
    partition: &OffsetCommitRequestPartition,
) -> Commit {
    Commit {
        topic: topic.name.to_string(),
        topic_id,
        partition: partition.partition_index,
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition
            .committed_metadata
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// What was to be committed shares one fate.
fn fail(topics: &mut [OffsetCommitResponseTopic], error: ResponseError) {
    for partition in topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
        if partition.error_code == 0 {
            partition.error_code = error.code();
        }
    }
}

impl Refuse for OffsetCommitRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> OffsetCommitResponse {
        let topics = self.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                OffsetCommitResponsePartition::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(error.code())
            });
            OffsetCommitResponseTopic::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect())
        });
        OffsetCommitResponse::default().with_topics(topics.collect())
    }
}
