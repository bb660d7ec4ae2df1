//! OffsetFetch: how far groups have read; several groups at once since version 8 (KIP-709).

use crate::broker::api::parts::Groups;
use crate::broker::api::{Refuse, RequestContext};
use crate::broker::groups::{Fetched, FetchedTopics, GroupCoordinator};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{OffsetFetchRequest, OffsetFetchResponse, TopicName};

/// Topics and partitions asked for; `None` is all that were committed.
type Wanted = Option<Vec<(String, Vec<i32>)>>;

/// Answers with offset -1 for what was never committed.
pub async fn handle(
    coordinator: Groups,
    ctx: RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    if ctx.api_version < 8 {
        return one_group(&coordinator, &ctx, request).await;
    }
    let mut groups = Vec::with_capacity(request.groups.len());
    for group in request.groups {
        groups.push(fetch_group(&coordinator, group, request.require_stable).await);
    }
    OffsetFetchResponse::default().with_groups(groups)
}

async fn fetch_group(
    coordinator: &GroupCoordinator,
    group: OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let wanted: Wanted = group.topics.map(|topics| {
        topics
            .into_iter()
            .map(|topic| (topic.name.to_string(), topic.partition_indexes))
            .collect()
    });
    let response = OffsetFetchResponseGroup::default().with_group_id(group.group_id.clone());
    match coordinator
        .fetch_offsets(&group.group_id, wanted.as_deref(), require_stable)
        .await
    {
        Ok(topics) => response.with_topics(topics.into_iter().map(topic_of).collect()),
        Err(error) => response.with_error_code(error.code()),
    }
}

fn topic_of((name, partitions): (String, Vec<(i32, Fetched)>)) -> OffsetFetchResponseTopics {
    let partitions = partitions.into_iter().map(|(index, fetched)| {
        OffsetFetchResponsePartitions::default()
            .with_partition_index(index)
            .with_committed_offset(fetched.offset)
            .with_committed_leader_epoch(fetched.leader_epoch)
            .with_metadata(Some(fetched.metadata.into()))
            .with_error_code(fetched.error.map_or(0, |error| error.code()))
    });
    OffsetFetchResponseTopics::default()
        .with_name(TopicName(name.into()))
        .with_partitions(partitions.collect())
}

async fn one_group(
    coordinator: &GroupCoordinator,
    ctx: &RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let wanted: Wanted = request.topics.as_ref().map(|topics| {
        let topics = topics.iter();
        topics
            .map(|topic| (topic.name.to_string(), topic.partition_indexes.clone()))
            .collect()
    });
    let fetched = coordinator
        .fetch_offsets(&request.group_id, wanted.as_deref(), request.require_stable)
        .await;
    match fetched {
        Ok(topics) => OffsetFetchResponse::default().with_topics(old_topics(topics, None)),
        Err(error) => request.refused(ctx.api_version, error),
    }
}

fn old_topics(topics: FetchedTopics, error: Option<ResponseError>) -> Vec<OffsetFetchResponseTopic> {
    topics
        .into_iter()
        .map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(index, fetched)| {
                OffsetFetchResponsePartition::default()
                    .with_partition_index(index)
                    .with_committed_offset(fetched.offset)
                    .with_committed_leader_epoch(fetched.leader_epoch)
                    .with_metadata(Some(fetched.metadata.into()))
                    .with_error_code(error.or(fetched.error).map_or(0, |error| error.code()))
            });
            OffsetFetchResponseTopic::default()
                .with_name(TopicName(name.into()))
                .with_partitions(partitions.collect())
        })
        .collect()
}

impl Refuse for OffsetFetchRequest {
    fn refused(&self, version: i16, error: ResponseError) -> OffsetFetchResponse {
        if version >= 8 {
            let groups = self.groups.iter().map(|group| {
                OffsetFetchResponseGroup::default()
                    .with_group_id(group.group_id.clone())
                    .with_error_code(error.code())
            });
            return OffsetFetchResponse::default().with_groups(groups.collect());
        }
        if version >= 2 {
            return OffsetFetchResponse::default().with_error_code(error.code());
        }
        // Version 1 has no room for an error but at each partition.
        let nothing = self.topics.iter().flatten().map(|topic| {
            let partitions = topic.partition_indexes.iter();
            let partitions = partitions.map(|index| (*index, Fetched::NONE));
            (topic.name.to_string(), partitions.collect())
        });
        OffsetFetchResponse::default().with_topics(old_topics(nothing.collect(), Some(error)))
    }
}
