//! OffsetForLeaderEpoch (key 23, KIP-101, KIP-320): where a leader epoch ended, so that followers and consumers find out
//! from where on their log is another.

use crate::broker::api::{Refuse, RequestContext};
use crate::broker::replication::Partitions;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

/// Looks up each partition's epoch.
pub async fn handle(
    partitions: Partitions,
    _ctx: RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let mut response = OffsetForLeaderEpochResponse::default();
    for topic in request.topics {
        let mut answer = OffsetForLeaderTopicResult::default().with_topic(topic.topic.clone());
        for asked in &topic.partitions {
            let end = EpochEndOffset::default().with_partition(asked.partition);
            answer
                .partitions
                .push(match look_up(&partitions, &topic.topic, asked) {
                    Ok((epoch, offset)) => end.with_leader_epoch(epoch).with_end_offset(offset),
                    Err(error) => end.with_error_code(error.code()),
                });
        }
        response.topics.push(answer);
    }
    response
}

fn look_up(
    partitions: &Partitions,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<(i32, i64), ResponseError> {
    let (partition, leadership) = partitions.led_by_name(topic, asked.partition)?;
    leadership.check_epoch(asked.current_leader_epoch)?;
    Ok(partition.end_offset_for_epoch(leadership, asked.leader_epoch))
}

impl Refuse for OffsetForLeaderEpochRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> OffsetForLeaderEpochResponse {
        let topics = self.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|asked| {
                EpochEndOffset::default()
                    .with_partition(asked.partition)
                    .with_error_code(error.code())
            });
            OffsetForLeaderTopicResult::default()
                .with_topic(topic.topic.clone())
                .with_partitions(partitions.collect())
        });
        OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
    }
}
