//! ListOffsets (key 2): offsets by time, and the special ones: earliest, latest, greatest timestamp.

use crate::broker::api::{Refuse, RequestContext};
use crate::broker::replication::{Partition, Partitions};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use std::collections::BTreeSet;

/// The end of what the client may read.
const LATEST: i64 = -1;
/// The log start.
const EARLIEST: i64 = -2;
/// The record with the greatest timestamp (KIP-734).
const MAX_TIMESTAMP: i64 = -3;
/// The start of what lies on this broker's own disk (KIP-405): the log start, as nothing lies elsewhere.
const EARLIEST_LOCAL: i64 = -4;
/// The end of what lies in remote storage (KIP-1005): nothing does.
const LATEST_TIERED: i64 = -5;
/// `read_committed` on the wire.
const READ_COMMITTED: i8 = 1;

/// Offset, timestamp and leader epoch; -1 each when there is none.
#[derive(Clone, Copy)]
struct Found {
    offset: i64,
    timestamp: i64,
    leader_epoch: i32,
}

const NOTHING: Found = Found {
    offset: -1,
    timestamp: -1,
    leader_epoch: -1,
};

/// Looks up each partition's offset.
pub async fn handle(
    partitions: Partitions,
    ctx: RequestContext,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let mut seen = BTreeSet::new();
    let mut response = ListOffsetsResponse::default();
    for topic in request.topics {
        let mut answer = ListOffsetsTopicResponse::default().with_name(topic.name.clone());
        for asked in topic.partitions {
            let found = if seen.insert((topic.name.clone(), asked.partition_index)) {
                look_up(
                    &partitions,
                    &ctx,
                    &topic.name,
                    &asked,
                    request.isolation_level,
                    request.replica_id.0,
                )
            } else {
                Err(ResponseError::InvalidRequest)
            };
            let (found, error) = found.map_or_else(|error| (NOTHING, error.code()), |found| (found, 0));
            let mut partition = ListOffsetsPartitionResponse::default()
                .with_partition_index(asked.partition_index)
                .with_error_code(error)
                .with_offset(found.offset)
                .with_timestamp(found.timestamp);
            if ctx.api_version >= 4 {
                partition.leader_epoch = found.leader_epoch;
            }
            answer.partitions.push(partition);
        }
        response.topics.push(answer);
    }
    response
}

fn look_up(
    partitions: &Partitions,
    ctx: &RequestContext,
    topic: &str,
    asked: &ListOffsetsPartition,
    isolation_level: i8,
    replica: i32,
) -> Result<Found, ResponseError> {
    let since = match asked.timestamp {
        0.. | LATEST | EARLIEST => 1,
        MAX_TIMESTAMP => 7,
        EARLIEST_LOCAL => 8,
        LATEST_TIERED => 9,
        _ => i16::MAX,
    };
    if ctx.api_version < since {
        return Err(ResponseError::UnsupportedVersion);
    }
    let (partition, leadership) = partitions.led_by_name(topic, asked.partition_index)?;
    leadership.check_epoch(asked.current_leader_epoch)?;
    let log = &partition.log;
    let end = match isolation_level {
        _ if replica >= 0 => log.log_end_offset(),
        READ_COMMITTED => log.last_stable_offset(),
        _ => log.high_watermark(),
    };
    if replica < 0 && log.high_watermark() < leadership.epoch_start && asked.timestamp != EARLIEST {
        // A new leader doesn't know yet how far its followers are; an older answer might be repeated.
        return Err(if ctx.api_version >= 5 {
            ResponseError::OffsetNotAvailable
        } else {
            ResponseError::LeaderNotAvailable
        });
    }
    match asked.timestamp {
        LATEST => Ok(Found {
            offset: end,
            timestamp: -1,
            leader_epoch: leadership.epoch,
        }),
        EARLIEST | EARLIEST_LOCAL => Ok(Found {
            offset: log.log_start_offset(),
            timestamp: -1,
            leader_epoch: log.epoch_of(log.log_start_offset()),
        }),
        LATEST_TIERED => Ok(NOTHING),
        timestamp => by_time(&partition, timestamp, end),
    }
}

fn by_time(partition: &Partition, timestamp: i64, end: i64) -> Result<Found, ResponseError> {
    let found = match timestamp {
        MAX_TIMESTAMP => partition.log.max_timestamp(),
        _ => partition.log.offset_for_timestamp(timestamp),
    };
    let found = found.map_err(|error| {
        tracing::warn!(topic = partition.topic, partition = partition.index, %error, "cannot look up an offset by time");
        error.response_error()
    })?;
    // A record that the client may not read yet is as good as none.
    Ok(found
        .filter(|found| found.offset < end)
        .map_or(NOTHING, |found| Found {
            offset: found.offset,
            timestamp: found.timestamp,
            leader_epoch: found.leader_epoch,
        }))
}

impl Refuse for ListOffsetsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> ListOffsetsResponse {
        let topics = self.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|asked| {
                ListOffsetsPartitionResponse::default()
                    .with_partition_index(asked.partition_index)
                    .with_error_code(error.code())
            });
            ListOffsetsTopicResponse::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect())
        });
        ListOffsetsResponse::default().with_topics(topics.collect())
    }
}
