//! DeleteRecords (key 21, KIP-107): moves the log start.

use crate::broker::api::{Refuse, RequestContext};
use crate::broker::replication::{Partitions, is_internal};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use std::sync::Arc;

/// Deletes from each partition what lies before the offset given; -1 stands for the high watermark.
pub async fn handle(
    partitions: Partitions,
    _ctx: RequestContext,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let mut response = DeleteRecordsResponse::default();
    for topic in request.topics {
        let mut answer = DeleteRecordsTopicResult::default().with_name(topic.name.clone());
        for partition in topic.partitions {
            let deleted = delete(
                &partitions,
                &topic.name,
                partition.partition_index,
                partition.offset,
            )
            .await;
            let (low_watermark, error) = match deleted {
                Ok(low_watermark) => (low_watermark, 0),
                Err(error) => (-1, error.code()),
            };
            answer.partitions.push(
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(partition.partition_index)
                    .with_low_watermark(low_watermark)
                    .with_error_code(error),
            );
        }
        response.topics.push(answer);
    }
    response
}

async fn delete(partitions: &Partitions, topic: &str, index: i32, before: i64) -> Result<i64, ResponseError> {
    if is_internal(topic) {
        return Err(ResponseError::InvalidTopicException);
    }
    let (partition, _) = partitions.led_by_name(topic, index)?;
    if !partition.config().cleanup_policy.delete {
        return Err(ResponseError::PolicyViolation);
    }
    let log = Arc::clone(&partition.log);
    let jobs = log.jobs().clone();
    let deleted = jobs.run(move || log.delete_records(before)).await;
    let deleted = deleted.unwrap_or_else(|_| Err(ResponseError::UnknownServerError.into()));
    deleted.map_err(|error| {
        tracing::warn!(topic, partition = index, %error, "cannot delete records");
        error.response_error()
    })
}

impl Refuse for DeleteRecordsRequest {
    fn refused(&self, _version: i16, error: ResponseError) -> DeleteRecordsResponse {
        let topics = self.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(partition.partition_index)
                    .with_low_watermark(-1)
                    .with_error_code(error.code())
            });
            DeleteRecordsTopicResult::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect())
        });
        DeleteRecordsResponse::default().with_topics(topics.collect())
    }
}
