//! OffsetDelete (KIP-496): an administrator drops offsets of topics that a group no longer reads.

use crate::broker::api::parts::{Groups, Metadata};
use crate::broker::api::{Refuse, RequestContext};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

/// Answers each partition, in the order asked.
pub async fn handle(
    (groups, metadata): (Groups, Metadata),
    _ctx: RequestContext,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let image = metadata.load_full();
    let exists = |topic: &str, index: i32| image.partition(topic, index).is_some();
    let asked = request.topics.iter().flat_map(|topic| {
        let indexes = topic.partitions.iter().map(|partition| partition.partition_index);
        indexes.map(|index| (topic.name.to_string(), index))
    });
    let known: Vec<(String, i32)> = asked.filter(|(topic, index)| exists(topic, *index)).collect();
    let results = match groups.delete_offsets(&request.group_id, &known).await {
        Ok(results) => results,
        Err(error) => return OffsetDeleteResponse::default().with_error_code(error.code()),
    };
    let mut results = results.into_iter();
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let index = partition.partition_index;
            let result = match exists(&topic.name, index) {
                true => results.next().unwrap_or(Ok(())),
                false => Err(ResponseError::UnknownTopicOrPartition),
            };
            OffsetDeleteResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(result.map_or_else(|error| error.code(), |()| 0))
        });
        OffsetDeleteResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    OffsetDeleteResponse::default().with_topics(topics.collect())
}

impl Refuse for OffsetDeleteRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> OffsetDeleteResponse {
        OffsetDeleteResponse::default().with_error_code(error.code())
    }
}
